/**
 * The seam between the processes of a service: who carries a message from one to the others.
 *
 * @module
 */

/**
 * Whether messages reach other processes at present:
 *
 * - `"up"`: they do;
 * - `"slow"`: the broker is there, but so much waits for its acknowledgement that new messages for
 *   other processes are dropped;
 * - `"down"`: it is away, and messages for other processes are dropped.
 */
export type BrokerStatus = "up" | "slow" | "down";

/** What a {@linkcode Broker} reports. */
export interface BrokerEvents {
  /** Something has arrived on a channel of a topic that is subscribed to, whoever sent it. */
  message(data: unknown): void;
  /** The broker has gone away, does not keep up, or is back with all its subscriptions. */
  status(status: BrokerStatus, error?: Error): void;
  /** A message or a subscription could not be carried, although the broker is there. */
  failed(error: Error): void;
}

/**
 * What joins the topics of several processes. Its promise is small: a message arrives once or not at
 * all, and those of one publisher to one topic in their order.
 *
 * To write one, translate; whose message it is, who gets it and what is said of it is decided by the
 * application.
 *
 * @example
 * ```ts
 * import { Application } from "@waterspout/websocket";
 * import type { Broker } from "@waterspout/websocket";
 *
 * // What a broker does when there is one process.
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
  /** What it is and where, for logs and statistics, with no secrets: `"Redis at 10.0.0.7:6379"`. */
  readonly name: string;
  /** Whether messages reach other processes at present. */
  readonly status: BrokerStatus;
  /** Who hears of what happens; set by the one application that uses this broker. */
  events: BrokerEvents | undefined;
  /**
   * Sends a message to every process that subscribes to the topic. Whether this one gets it back
   * does not matter. While the broker is away or slow the message is dropped, not kept; the status
   * has changed, and was told, before this returns.
   *
   * @param topic A string of 1 to 256 code units, any but lone surrogates.
   * @param message The bytes, which do not change any more.
   * @throws {Error} If this message cannot be carried: it is too large, for example.
   */
  publish(topic: string, message: Uint8Array): void;
  /**
   * Begins to receive a topic's messages. A second call for the same topic is not made before
   * {@linkcode Broker.unsubscribe}, nor any call while the broker is away; what is subscribed to
   * stays so when it comes back.
   *
   * @returns Settles when messages arrive.
   */
  subscribe(topic: string): Promise<void> | void;
  /** Ends what {@linkcode Broker.subscribe} began. */
  unsubscribe(topic: string): Promise<void> | void;
  /** Ends everything; idempotent. What the user has given to it stays open. */
  close(): Promise<void>;
}
