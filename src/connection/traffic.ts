/**
 * What passes through connections, counted as it does.
 *
 * @module
 */

/** What has passed through connections. */
export class Traffic {
  /** Messages received. */
  messagesIn = 0;
  /** Messages sent, each once for each connection. */
  messagesOut = 0;
  /** Bytes received, on the wire: handshakes, frames and plain HTTP. */
  bytesIn = 0;
  /** Bytes sent, on the wire. */
  bytesOut = 0;
}
