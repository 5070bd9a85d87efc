/**
 * The topics of this process and their subscribers.
 *
 * @module
 */
import { type Message, toPayload } from "../connection/message.ts";
import { ignorable } from "../connection/writer.ts";
import { Broadcast, type Pace, type Published } from "./broadcast.ts";
import type { Histories, LocalTopics, Publication } from "./histories.ts";
import { checkHistoryOptions, type History, type HistoryOptions } from "./history.ts";
import type { Position } from "./brokers/broker.ts";
import type { HistoryRule } from "./history_settings.ts";
import { closedError, type RecoveryTarget } from "./recovery.ts";
import { add, count, has, items, remove } from "./small_set.ts";
import type { Presence } from "./presence.ts";
import { checkPresence, type PresenceRequest, type Present } from "./presence_entry.ts";
import type { Relay } from "./relay.ts";
import type { Subscriber } from "./subscriber.ts";
import {
  checkSubscribeOptions,
  removePolicy,
  setPolicy,
  SUBSCRIBED,
  type Subscribed,
  type SubscribeOptions,
} from "./subscription.ts";
import { checkTopic } from "./topic.ts";

/**
 * The topics of an application. A topic exists while it has subscribers. Subscribing and
 * unsubscribing cost O(1), publishing O(subscribers of the topic).
 */
export class Topics implements LocalTopics {
  /** The connection to other processes; `null` without a broker. */
  relay: Relay | null = null;
  /** The topics that keep their messages; `null` without the setting `history`. */
  histories: Histories | null = null;
  /** Who is present; `null` if nobody can be. */
  presence: Presence | null = null;
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
  ): Promise<Subscribed> {
    checkTopic(topic, "subscribe to");
    const rule = this.histories === null ? null : this.histories.ruleOf(topic);
    checkSubscribeOptions(topic, options, rule !== null);
    const request = checkPresence(options);
    if (request !== undefined) {
      this.presence?.check(`Cannot subscribe to ${JSON.stringify(topic)} with presence`);
    }
    if (subscriber.protocol === null) return refuse(subscriber, topic);
    const subscribers = this.#subscribers.get(topic);
    const isNew = !has(subscribers, subscriber);
    if (isNew) {
      const joined = add(subscribers, subscriber);
      if (joined !== subscribers) this.#subscribers.set(topic, joined);
      subscriber.topics = add(subscriber.topics, topic);
      this.subscriptions++;
    } else if (options.since !== undefined) {
      throw new TypeError(
        `Cannot subscribe to ${JSON.stringify(topic)} with since: already subscribed; ` +
          "unsubscribe first",
      );
    }
    setPolicy(subscriber, topic, options);
    // Before anything is written, which may close the subscriber.
    const entered = this.#enter(subscriber, topic, request);
    const subscribed = this.#settle({ subscriber, topic }, rule, options.since);
    if (entered === undefined) return subscribed;
    return ignorable(subscribed.then((result) => entered.then(() => result)));
  }

  #enter(
    subscriber: Subscriber,
    topic: string,
    request: PresenceRequest | undefined,
  ): Promise<void> | undefined {
    if (request !== undefined) return this.presence?.set(subscriber, topic, request);
    this.presence?.remove(subscriber, topic);
    return undefined;
  }

  /** Waits for what a new subscriber has missed, and for the messages of other processes. */
  #settle(
    target: RecoveryTarget,
    rule: HistoryRule | null,
    since: Position | undefined,
  ): Promise<Subscribed> {
    if (this.histories !== null && rule !== null) {
      return this.histories.store.join(target, rule, since);
    }
    return this.relay === null ? SUBSCRIBED : this.relay.settle(target.topic);
  }

  /** See `WebSocketHandler.unsubscribe`. */
  unsubscribe(subscriber: Subscriber, topic: string): void {
    checkTopic(topic, "unsubscribe from");
    if (!has(subscriber.topics, topic)) return;
    subscriber.topics = remove(subscriber.topics, topic);
    const recovery = subscriber.policies?.get(topic)?.recovery;
    removePolicy(subscriber, topic);
    recovery?.end();
    this.#remove(subscriber, topic);
  }

  /** Unsubscribes a subscriber from all its topics. */
  unsubscribeAll(subscriber: Subscriber): void {
    const { topics, policies } = subscriber;
    subscriber.topics = undefined;
    subscriber.policies = null;
    for (const [topic, { recovery }] of policies ?? []) recovery?.end(closedError(topic));
    if (topics instanceof Set) { for (const topic of topics) this.#remove(subscriber, topic); }
    else if (topics !== undefined) this.#remove(subscriber, topics);
  }

  /** Sends the kept messages to a subscriber that is no longer slow, and goes on with recoveries. */
  catchUp(subscriber: Subscriber): void {
    for (const policy of subscriber.policies?.values() ?? []) {
      const { latest, recovery } = policy;
      if (latest === undefined && recovery === null) continue;
      if (subscriber.isSlow) return;
      recovery?.resume();
      if (latest === undefined) continue;
      policy.latest = undefined;
      subscriber.writeMessage(latest);
    }
  }

  #remove(subscriber: Subscriber, topic: string): void {
    this.subscriptions--;
    this.presence?.remove(subscriber, topic);
    const left = remove(this.#subscribers.get(topic), subscriber);
    if (left !== undefined) return;
    this.#subscribers.delete(topic);
    this.histories?.left(topic);
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

  /** See `Application.presence`. */
  listPresent(topic: string): Promise<Present[]> {
    checkTopic(topic, "list who is in");
    this.presence?.check(`Cannot list who is in ${JSON.stringify(topic)}`);
    return this.presence?.list(topic) ?? Promise.resolve([]);
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
    if (this.histories !== null) {
      const rule = this.histories.ruleOf(topic);
      if (rule !== null) return this.#store(this.histories, { topic, rule, payload, except });
    }
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
    sendTo(subscribers, broadcast, except);
    return broadcast;
  }

  /** See {@linkcode LocalTopics.send}. */
  send(topic: string, broadcast: Broadcast, except: Subscriber | undefined): void {
    const subscribers = this.#subscribers.get(topic);
    if (subscribers !== undefined) sendTo(subscribers, broadcast, except);
  }

  // --- History ----------------------------------------------------------------------------------

  #store(histories: Histories, publication: Publication): Published {
    const published = histories.store.publish(publication);
    this.#pace.turns.add(publication.payload.length);
    return published;
  }

  /** See `Application.history`. */
  async history(topic: string, options: HistoryOptions): Promise<History> {
    checkTopic(topic, "read the history of");
    checkHistoryOptions(topic, options);
    const rule = this.histories?.ruleOf(topic) ?? null;
    if (this.histories !== null && rule !== null) {
      return await this.histories.store.read(topic, rule, options);
    }
    throw new TypeError(
      `Cannot read the history of ${JSON.stringify(topic)}: ` +
        "no pattern of the setting history matches this topic",
    );
  }
}

function sendTo(
  subscribers: Subscriber | Set<Subscriber>,
  broadcast: Broadcast,
  except: Subscriber | undefined,
): void {
  if (subscribers instanceof Set) {
    // A write may close this or, through `onClose`, other subscribers. A Set may change during
    // its iteration: removed items are not visited.
    for (const subscriber of subscribers) if (subscriber !== except) broadcast.to(subscriber);
  } else if (subscribers !== except) broadcast.toOne(subscribers);
}

/** Refuses a subscription during the handshake or after the close. */
function refuse({ isOpening }: Subscriber, topic: string): Promise<Subscribed> {
  const attempt = `Cannot subscribe to ${JSON.stringify(topic)}`;
  if (isOpening) {
    throw new TypeError(`${attempt}: the handshake is not complete; subscribe in open()`);
  }
  return ignorable(Promise.reject(closedError(topic)));
}
