/**
 * The interface of brokers, which carry messages between the processes of a service.
 *
 * @module
 */

/**
 * Whether messages reach other processes:
 *
 * - `"up"`: yes;
 * - `"slow"`: no. The broker is reachable, but too many messages wait for its acknowledgement, so
 *   new ones are dropped;
 * - `"down"`: no. The broker is not reachable, so messages are dropped.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import { Application, type BrokerStatus } from "@waterspout/websocket";
 *
 * let current: BrokerStatus = "up";
 * new Application([], { onBrokerStatus: (status) => current = status });
 * assert(current === "up");
 * ```
 */
export type BrokerStatus = "up" | "slow" | "down";

/**
 * The events of a {@linkcode Broker}. The application implements them, and a broker calls them.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import type { BrokerEvents } from "@waterspout/websocket";
 *
 * // A broker calls this when its server sends a message.
 * function received(events: BrokerEvents | undefined, data: Uint8Array): void {
 *   events?.message(data);
 * }
 * assert(received.length === 2);
 * ```
 */
export interface BrokerEvents {
  /** A message has arrived for a subscribed topic, from any sender. */
  message(data: unknown): void;
  /** The status has changed. `"up"` means that all subscriptions are active again. */
  status(status: BrokerStatus, error?: Error): void;
  /** A message or a subscription failed, although the broker is reachable. */
  failed(error: Error): void;
}

/**
 * Connects the topics of several processes. A message arrives once or not at all. Messages of one
 * publisher to one topic arrive in order.
 *
 * An implementation only passes bytes on. The application decides who gets a message and what is
 * logged.
 *
 * @example
 * ```ts
 * import { Application } from "@waterspout/websocket";
 * import type { Broker } from "@waterspout/websocket";
 *
 * // A broker for a single process.
 * const alone: Broker = {
 *   name: "nobody",
 *   status: "up",
 *   events: undefined,
 *   publish() {},
 *   subscribe() {},
 *   unsubscribe() {},
 *   close: () => Promise.resolve(),
 * };
 * new Application([], { broker: alone });
 * ```
 */
export interface Broker {
  /** The name and address for logs and statistics, without secrets: `"Redis at 10.0.0.7:6379"`. */
  readonly name: string;
  /** Whether messages reach other processes. */
  readonly status: BrokerStatus;
  /** The receiver of events. Set by the application; a broker serves only one. */
  events: BrokerEvents | undefined;
  /**
   * Sends a message to every process that subscribes to the topic. The sender may get it back.
   * While the broker is down or slow, the message is dropped. Before this returns, `status` must be
   * up to date and reported.
   *
   * @param topic A string of 1 to 256 code units, without lone surrogates.
   * @param message The bytes. They do not change later.
   * @throws {Error} If this message cannot be sent, for example because it is too large.
   */
  publish(topic: string, message: Uint8Array): void;
  /**
   * Subscribes to a topic. Not called twice without {@linkcode Broker.unsubscribe} in between, and
   * not called while the broker is down. Subscriptions must survive a reconnection.
   *
   * @returns Settles when the subscription is active.
   */
  subscribe(topic: string): Promise<void> | void;
  /** Unsubscribes from a topic. */
  unsubscribe(topic: string): Promise<void> | void;
  /** Closes the broker. Idempotent. A connection that the user passed in stays open. */
  close(): Promise<void>;
}
