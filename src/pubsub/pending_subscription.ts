/**
 * Subscriptions that wait until the history of their topic was read from the broker.
 *
 * @module
 */
import { ignorable } from "../connection/writer.ts";
import type { Link, Timed } from "../timing/timing_wheel.ts";
import type { Position } from "./brokers/broker.ts";
import type { RecoveryTarget } from "./recovery.ts";
import type { Recovering } from "./subscriber.ts";
import { type Subscribed, tidyPolicy } from "./subscription.ts";

/** The subscriptions of one topic that wait. */
export type PendingSubscriptions = Set<PendingSubscription>;

/**
 * A subscription that waits. If that takes too long, its promise resolves without a position. It still
 * gets no messages: those that come before the history was read are part of it.
 */
export class PendingSubscription implements Recovering, Timed {
  before: Link | null = null;
  after: Link | null = null;
  deadline = 0;
  /** Settles when the history was read, or after the timeout. */
  readonly promise: Promise<Subscribed>;
  /** The subscriber and the topic. */
  readonly target: RecoveryTarget;
  /** See `SubscribeOptions.since`. */
  readonly since: Position | undefined;
  /** Whether the promise has resolved without a position. */
  isLate = false;
  /** Whether the broker is asked for `since`. */
  isLocating = false;
  readonly #ended: (pending: PendingSubscription) => void;
  readonly #resolve: (subscribed: Subscribed | Promise<Subscribed>) => void;
  readonly #reject: (error: Error) => void;

  /** @param ended Called when the subscriber has left. */
  constructor(
    target: RecoveryTarget,
    since: Position | undefined,
    ended: (pending: PendingSubscription) => void,
  ) {
    this.target = target;
    this.since = since;
    this.#ended = ended;
    const { promise, resolve, reject } = Promise.withResolvers<Subscribed>();
    this.promise = ignorable(promise);
    this.#resolve = resolve;
    this.#reject = reject;
  }

  /** See {@linkcode Timed.expire}. */
  expire(): void {
    this.giveUp();
  }

  /** Resolves the promise without a position. */
  giveUp(): void {
    this.isLate = true;
    this.#resolve({ recovered: false, position: undefined });
  }

  /** Ends the wait. @param begin Begins the subscription, or its recovery. */
  begin(begin: () => Promise<Subscribed>): void {
    const { subscriber, topic } = this.target;
    const policy = subscriber.policies?.get(topic);
    if (policy !== undefined) policy.recovery = null;
    tidyPolicy(subscriber, topic);
    this.#resolve(begin());
  }

  /** See {@linkcode Recovering.resume}. */
  resume(): void {}

  /** See {@linkcode Recovering.own}. */
  own(): void {}

  /** See {@linkcode Recovering.end}. */
  end(error?: Error): void {
    this.#ended(this);
    if (error !== undefined) this.#reject(error);
    else this.#resolve({ recovered: false, position: undefined });
  }
}
