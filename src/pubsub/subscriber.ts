/**
 * What topics need of whoever subscribes to them.
 *
 * @module
 */
import type { Protocol } from "../protocol/protocol.ts";
import type { SmallSet } from "./small_set.ts";

/**
 * What happens to a message for a subscriber who is slow, which is one for whom more than
 * `highWaterMark` waits:
 *
 * - `"close"`: it waits too, and beyond `maxBufferedAmount` the subscriber is closed with 1013;
 * - `"skip"`: the subscriber does not get it;
 * - `"latest"`: the newest of them is kept, and sent once the subscriber has taken what waits.
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

/** How a subscriber wants a topic, where that differs from the default. */
export interface SubscriptionPolicy {
  /** See {@linkcode WhenSlow}. */
  readonly whenSlow: "skip" | "latest";
  /** The newest message that was kept back; `undefined` if there is none. */
  latest: string | Uint8Array | undefined;
}

/** Policies by topic. */
export type SubscriptionPolicies = Map<string, SubscriptionPolicy>;

/** Who subscribes to topics: a server's connection. */
export interface Subscriber {
  /** Whether the handshake is not over. */
  readonly isOpening: boolean;
  /** The wire format while messages pass; else `null`. */
  readonly protocol: Protocol | null;
  /** Whether more than the high-water mark waits. */
  readonly isSlow: boolean;
  /** The topics that it subscribes to, which `Topics` owns. */
  topics: SmallSet<string>;
  /** What it wants of some of them, which `Topics` owns; `null` if nothing special. */
  policies: SubscriptionPolicies | null;
  /** Sends a frame that its protocol, or another of the same format, has written. */
  writeFrame(frame: Uint8Array): void;
  /** Sends a message. */
  writeMessage(message: string | Uint8Array): Promise<void>;
}
