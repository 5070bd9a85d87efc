/**
 * The topics of this process and their subscribers.
 *
 * @module
 */
import { DONE } from "../timing/turns.ts";
import { type Message, toPayload } from "../connection/message.ts";
import { ignorable } from "../connection/writer.ts";
import { WebSocketClosedError } from "../errors.ts";
import { Broadcast, type Pace, type Published } from "./broadcast.ts";
import { add, count, has, items, remove } from "./small_set.ts";
import type { Relay } from "./relay.ts";
import type { Subscriber, SubscriptionPolicies, WhenSlow } from "./subscriber.ts";
import { checkTopic } from "./topic.ts";

/**
 * How to subscribe to a topic.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import type { SubscribeOptions } from "@waterspout/websocket";
 *
 * const options: SubscribeOptions = { whenSlow: "skip" };
 * assert(options.whenSlow === "skip");
 * ```
 */
export interface SubscribeOptions {
  /** What happens to messages while the subscriber is slow. Default: `"close"`. */
  readonly whenSlow?: WhenSlow;
}

/**
 * The topics of an application. A topic exists while it has subscribers. Subscribing and
 * unsubscribing cost O(1), publishing O(subscribers of the topic).
 */
export class Topics {
  /** The connection to other processes; `null` without a broker. */
  relay: Relay | null = null;
  /** The number of subscriptions of all topics. */
  subscriptions = 0;
  readonly #subscribers: Map<string, Subscriber | Set<Subscriber>> = new Map();
  readonly #pace: Pace;
  /** The result of publishing to a topic without subscribers. */
  readonly #nobody: Published;

  /** @param pace The pace of publishers. */
  constructor(pace: Pace) {
    this.#pace = pace;
    this.#nobody = Object.freeze(new Broadcast("", "", pace));
  }

  /** See `WebSocketHandler.subscribe`. */
  subscribe(
    subscriber: Subscriber,
    topic: string,
    options: SubscribeOptions = {},
  ): Promise<void> {
    checkTopic(topic, "subscribe to");
    const whenSlow = checkWhenSlow(options);
    if (subscriber.protocol === null) return refuse(subscriber, topic);
    const subscribers = this.#subscribers.get(topic);
    if (!has(subscribers, subscriber)) {
      const joined = add(subscribers, subscriber);
      if (joined !== subscribers) this.#subscribers.set(topic, joined);
      subscriber.topics = add(subscriber.topics, topic);
      this.subscriptions++;
    }
    setPolicy(subscriber, topic, whenSlow);
    return this.relay === null ? DONE : this.relay.settle(topic);
  }

  /** See `WebSocketHandler.unsubscribe`. */
  unsubscribe(subscriber: Subscriber, topic: string): void {
    checkTopic(topic, "unsubscribe from");
    if (!has(subscriber.topics, topic)) return;
    subscriber.topics = remove(subscriber.topics, topic);
    setPolicy(subscriber, topic, "close");
    this.#remove(subscriber, topic);
  }

  /** Unsubscribes a subscriber from all its topics. */
  unsubscribeAll(subscriber: Subscriber): void {
    const { topics } = subscriber;
    subscriber.topics = undefined;
    subscriber.policies = null;
    if (topics instanceof Set) { for (const topic of topics) this.#remove(subscriber, topic); }
    else if (topics !== undefined) this.#remove(subscriber, topics);
  }

  /** Sends the kept messages to a subscriber that is no longer slow. */
  catchUp(subscriber: Subscriber): void {
    for (const policy of subscriber.policies?.values() ?? []) {
      if (policy.latest === undefined) continue;
      if (subscriber.isSlow) return;
      const { latest } = policy;
      policy.latest = undefined;
      subscriber.writeMessage(latest);
    }
  }

  #remove(subscriber: Subscriber, topic: string): void {
    this.subscriptions--;
    const left = remove(this.#subscribers.get(topic), subscriber);
    if (left !== undefined) return;
    this.#subscribers.delete(topic);
    this.relay?.settle(topic);
  }

  /** The number of topics with subscribers. */
  get size(): number {
    return this.#subscribers.size;
  }

  /** Returns the topics with subscribers. */
  names(): Iterable<string> {
    return this.#subscribers.keys();
  }

  /** Whether a topic has subscribers. */
  has(topic: string): boolean {
    return this.#subscribers.has(topic);
  }

  /** Returns the number of subscribers of a topic. */
  count(topic: string): number {
    checkTopic(topic, "count the subscribers of");
    return count(this.#subscribers.get(topic));
  }

  /** Returns the subscribers of a topic, in a new array. */
  members(topic: string): readonly Subscriber[] {
    checkTopic(topic, "list the subscribers of");
    return items(this.#subscribers.get(topic));
  }

  /**
   * Sends a message to the subscribers of a topic, here and in other processes.
   *
   * @param topic The topic.
   * @param message The message.
   * @param except A subscriber that does not get it.
   */
  publish(topic: string, message: Message, except?: Subscriber): Published {
    checkTopic(topic, "publish to");
    const payload = toPayload(message);
    const published = this.deliver(topic, payload, except);
    // The output of subscribers here is counted when it is written.
    this.#pace.turns.add(this.relay === null ? 0 : payload.length);
    this.relay?.publish(topic, payload);
    return published;
  }

  /** Sends a message to the subscribers of a topic in this process. */
  deliver(topic: string, payload: string | Uint8Array, except?: Subscriber): Published {
    const subscribers = this.#subscribers.get(topic);
    if (subscribers === undefined) return this.#nobody;
    const broadcast = new Broadcast(topic, payload, this.#pace);
    if (subscribers instanceof Set) {
      // A write may close this or, through `onClose`, other subscribers. A Set may change during
      // its iteration: removed items are not visited.
      for (const subscriber of subscribers) if (subscriber !== except) broadcast.to(subscriber);
    } else if (subscribers !== except) broadcast.toOne(subscribers);
    return broadcast;
  }
}

/** Refuses a subscription during the handshake or after the close. */
function refuse({ isOpening }: Subscriber, topic: string): Promise<void> {
  const attempt = `Cannot subscribe to ${JSON.stringify(topic)}`;
  if (isOpening) {
    throw new TypeError(`${attempt}: the handshake is not complete; subscribe in open()`);
  }
  const error = new WebSocketClosedError(`${attempt}: the connection is closed`);
  return ignorable(Promise.reject(error));
}

const WHEN_SLOW: readonly WhenSlow[] = ["close", "skip", "latest"];

function checkWhenSlow({ whenSlow = "close" }: SubscribeOptions): WhenSlow {
  if (WHEN_SLOW.includes(whenSlow)) return whenSlow;
  throw new TypeError(
    `Cannot subscribe with whenSlow ${JSON.stringify(whenSlow)}: ` +
      'must be "close", "skip" or "latest"',
  );
}

function setPolicy(subscriber: Subscriber, topic: string, whenSlow: WhenSlow): void {
  if (whenSlow !== "close") {
    if (subscriber.policies?.get(topic)?.whenSlow === whenSlow) return;
    const policies: SubscriptionPolicies = subscriber.policies ??= new Map();
    policies.set(topic, { whenSlow, latest: undefined });
  } else if (subscriber.policies !== null) {
    subscriber.policies.delete(topic);
    if (subscriber.policies.size === 0) subscriber.policies = null;
  }
}
