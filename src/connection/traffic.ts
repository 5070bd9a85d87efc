/**
 * Counters of messages and bytes.
 *
 * @module
 */

/**
 * How many messages and bytes were sent and received.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import { Application, type Traffic } from "@waterspout/websocket";
 *
 * const traffic: Traffic = new Application([]).stats().traffic;
 * assert(traffic.messagesIn === 0 && traffic.bytesOut === 0);
 * ```
 */
export class Traffic {
  /** Messages received. */
  messagesIn = 0;
  /** Messages sent. A published message counts once for each connection. */
  messagesOut = 0;
  /** Bytes received: handshakes, frames and plain HTTP. */
  bytesIn = 0;
  /** Bytes sent: handshakes, frames and plain HTTP. */
  bytesOut = 0;
}
