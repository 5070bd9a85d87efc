/**
 * Messages that a handler writes during the handshake. They are sent after it.
 *
 * @module
 */
import { sizeOf } from "../connection/message.ts";
import type { WriterLimits } from "../connection/writer.ts";

/** The early messages of one connection. */
export class EarlyMessages {
  /** The messages, in order. */
  readonly messages: (string | Uint8Array)[] = [];
  /** The size of their payloads, in bytes. */
  size = 0;

  /** Adds a message. @returns Whether there was room; see `maxBufferedAmount`. */
  add(payload: string | Uint8Array, { highWaterMark, maxBufferedAmount }: WriterLimits): boolean {
    const size = this.size + sizeOf(payload);
    if (this.size > highWaterMark && size > maxBufferedAmount) return false;
    // A copy: the caller may change its array before the handshake is complete.
    this.messages.push(typeof payload === "string" ? payload : payload.slice());
    this.size = size;
    return true;
  }
}
