/**
 * The interface between topics and connections.
 *
 * @module
 */
import type { Protocol } from "../protocol/protocol.ts";
import type { Position } from "./brokers/broker.ts";
import type { SmallSet } from "./small_set.ts";

/**
 * What to do with a message for a slow subscriber. A subscriber is slow while more than
 * `highWaterMark` waits for it.
 *
 * - `"close"`: the message waits too. If more than `maxBufferedAmount` would wait, the subscriber
 *   is closed with 1013;
 * - `"skip"`: the subscriber does not get the message;
 * - `"latest"`: the newest message is kept, and sent when the subscriber is no longer slow.
 *
 * @example
 * ```ts
 * import { WebSocketHandler } from "@waterspout/websocket";
 *
 * class Prices extends WebSocketHandler {
 *   override open(): void {
 *     this.subscribe("prices", { whenSlow: "latest" });
 *   }
 *   onMessage(): void {}
 * }
 * ```
 */
export type WhenSlow = "close" | "skip" | "latest";

/** A subscriber that gets missed messages, and not yet those that are published. */
export interface Recovering {
  /** Goes on, if the subscriber is not slow. */
  resume(): void;
  /** Ends it. @param error Why the connection is closed. Default: the subscriber has unsubscribed. */
  end(error?: Error): void;
  /** Called when the subscriber publishes a message, which it does not get itself. */
  own(sequence: number): void;
}

/** What differs from the default, for one subscriber and topic. */
export interface SubscriptionPolicy {
  /** See {@linkcode WhenSlow}. */
  whenSlow: WhenSlow;
  /** The newest message that was not sent; `undefined` if there is none. */
  latest: string | Uint8Array | undefined;
  /** See `SubscribeOptions.onGap`. */
  onGap: ((position: Position) => unknown) | undefined;
  /** The recovery, while published messages are not for this subscriber; else `null`. */
  recovery: Recovering | null;
}

/** Policies by topic. */
export type SubscriptionPolicies = Map<string, SubscriptionPolicy>;

/** The context in which the callbacks of a subscriber run. */
export type SubscriberContext = <Result>(callback: () => Result) => Result;

/** A subscriber of topics: a connection of a server. */
export interface Subscriber {
  /** Whether the handshake is not complete. */
  readonly isOpening: boolean;
  /** The protocol while messages can be written; else `null`. */
  readonly protocol: Protocol | null;
  /** Whether more than `highWaterMark` waits. */
  readonly isSlow: boolean;
  /** See `WebSocketHandler.runHooksIn`. */
  readonly hookContext: SubscriberContext | null;
  /** The subscribed topics. Only `Topics` changes them. */
  topics: SmallSet<string>;
  /** Policies other than the default; `null` if there are none. Only `Topics` changes them. */
  policies: SubscriptionPolicies | null;
  /** Sends a frame that a protocol of the same format has written. */
  writeFrame(frame: Uint8Array): void;
  /** Sends a message. */
  writeMessage(message: string | Uint8Array): Promise<void>;
  /** Calls a callback of the application. An exception is logged, and closes the connection. */
  guard<Result>(callback: () => Result): Result | undefined;
}
