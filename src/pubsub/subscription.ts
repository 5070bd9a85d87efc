/**
 * The options and the result of a subscription.
 *
 * @module
 */
import { show } from "../validation.ts";
import type { Position } from "./brokers/broker.ts";
import { checkSince } from "./position.ts";
import type { PresenceEvent, PresenceOptions } from "./presence_entry.ts";
import type { Subscriber, SubscriptionPolicies, WhenSlow } from "./subscriber.ts";

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
  /**
   * The position of the last message that the client has. The subscriber gets all later ones: first
   * the missed ones, as fast as the client reads, then the new ones. The topic must match the setting
   * `history`. The position may come from a client. Not with another `whenSlow` than `"close"`.
   */
  readonly since?: Position | undefined;
  /**
   * Called when messages were lost on the way from the broker to this process, although the topic has
   * a history. The topic must match the setting `history`.
   *
   * @param position The position after which messages arrive again.
   */
  readonly onGap?: ((position: Position) => unknown) | undefined;
  /**
   * Who the subscriber is. It is then present at the topic in all processes, until its subscription
   * ends. Default: it is not listed.
   */
  readonly presence?: PresenceOptions | undefined;
  /**
   * Called when somebody joins or leaves the topic in any process, the subscriber itself included. Those
   * who are there when `subscribe` resolves are not told: list them then with `Application.presence`.
   * An event may be about somebody who is in the list already. An exception in the callback closes the
   * connection, as one in `onMessage` does. It may be called while another callback waits for a promise,
   * and nothing waits for its own. Default: none.
   */
  readonly onPresence?: ((event: PresenceEvent) => unknown) | undefined;
}

/**
 * The result of a subscription.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { Application, type Subscribed, WebSocketHandler } from "@waterspout/websocket";
 * import { connect } from "@waterspout/websocket/testing";
 *
 * class Reader extends WebSocketHandler {
 *   override async open(epoch: string, offset: string): Promise<void> {
 *     const since = { epoch, offset: Number(offset) };
 *     const { recovered }: Subscribed = await this.subscribe("news", { since });
 *     this.writeMessage(recovered ? "up to date" : "reload");
 *   }
 *   onMessage(): void {}
 * }
 *
 * const app = new Application([["/:epoch/:offset", Reader]], { history: { news: {} } });
 * const { epoch } = await app.publish("news", "one").position;
 * app.publish("news", "two");
 * const client = await connect(app, `/${epoch}/1`);
 * assertEquals(await client.readMessage(), "two");
 * assertEquals(await client.readMessage(), "up to date");
 * const late = await connect(app, "/unknown/1");
 * assertEquals(await late.readMessage(), "reload");
 * ```
 */
export interface Subscribed {
  /**
   * Whether every message after `since` was sent, and the later ones follow. `false` if some are not
   * kept any more, if the position is unknown, and without `since`.
   */
  readonly recovered: boolean;
  /**
   * The position after which messages arrive as they are published. `undefined` without a history,
   * after {@linkcode WebSocketHandler.unsubscribe | unsubscribe}, and if the broker did not answer.
   */
  readonly position: Position | undefined;
}

/** Subscribed, without a history. Shared, so that none is allocated. */
export const SUBSCRIBED: Promise<Subscribed> = Promise.resolve(
  Object.freeze({ recovered: false, position: undefined }),
);

const WHEN_SLOW: readonly WhenSlow[] = ["close", "skip", "latest"];

/**
 * Checks the options.
 *
 * @param hasHistory Whether the topic has a history.
 * @throws {TypeError} If one is wrong.
 */
export function checkSubscribeOptions(
  topic: string,
  { whenSlow = "close", since, onGap }: SubscribeOptions,
  hasHistory: boolean,
): void {
  if (!WHEN_SLOW.includes(whenSlow)) {
    throw new TypeError(
      `Cannot subscribe with whenSlow ${JSON.stringify(whenSlow)}: ` +
        'must be "close", "skip" or "latest"',
    );
  }
  if (since === undefined && onGap === undefined) return;
  const attempt = `Cannot subscribe to ${JSON.stringify(topic)}`;
  if (onGap !== undefined && typeof onGap !== "function") {
    throw new TypeError(`${attempt}: onGap must be a function, got ${show(onGap)}`);
  }
  if (!hasHistory) {
    const option = since === undefined ? "onGap" : "since";
    throw new TypeError(
      `${attempt} with ${option}: no pattern of the setting history matches this topic`,
    );
  }
  if (since === undefined) return;
  if (whenSlow !== "close") {
    throw new TypeError(`${attempt}: since and whenSlow "${whenSlow}" exclude each other`);
  }
  checkSince(since, attempt);
}

/** Stores the options of a subscription. A recovery goes on. */
export function setPolicy(
  subscriber: Subscriber,
  topic: string,
  { whenSlow = "close", onGap }: SubscribeOptions,
): void {
  const policy = subscriber.policies?.get(topic);
  if (policy !== undefined) {
    if (policy.whenSlow !== whenSlow) policy.latest = undefined;
    policy.whenSlow = whenSlow;
    policy.onGap = onGap;
    tidyPolicy(subscriber, topic);
  } else if (whenSlow !== "close" || onGap !== undefined) {
    const policies: SubscriptionPolicies = subscriber.policies ??= new Map();
    policies.set(topic, { whenSlow, latest: undefined, onGap, recovery: null });
  }
}

/** Removes a policy that says no more than the default. */
export function tidyPolicy(subscriber: Subscriber, topic: string): void {
  const policy = subscriber.policies?.get(topic);
  if (policy === undefined || policy.whenSlow !== "close") return;
  if (policy.onGap === undefined && policy.recovery === null) removePolicy(subscriber, topic);
}

/** Removes the options of a subscription. */
export function removePolicy(subscriber: Subscriber, topic: string): void {
  if (subscriber.policies === null) return;
  subscriber.policies.delete(topic);
  if (subscriber.policies.size === 0) subscriber.policies = null;
}
