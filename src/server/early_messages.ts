/**
 * Messages that a handler writes during the handshake. They are sent after it.
 *
 * @module
 */
import { sizeOf } from "../connection/message.ts";
import { OutgoingMessage } from "../connection/outgoing_message.ts";
import type { Writer } from "../connection/writer.ts";
import type { WriterLimits } from "../connection/writer_environment.ts";

/** The early messages of one connection. */
export class EarlyMessages {
  /** The messages, in order. */
  readonly #messages: (string | Uint8Array | OutgoingMessage)[] = [];
  /** The size of their payloads, in bytes. */
  size = 0;

  /** Adds a message. @returns Whether there was room; see `maxBufferedAmount`. */
  add(payload: string | Uint8Array, { highWaterMark, maxBufferedAmount }: WriterLimits): boolean {
    const size = this.size + sizeOf(payload);
    if (this.size > highWaterMark && size > maxBufferedAmount) return false;
    // A copy: the caller may change its array before the handshake is complete.
    this.#messages.push(typeof payload === "string" ? payload : new Uint8Array(payload));
    this.size = size;
    return true;
  }

  /** Adds a message in pieces. Its source is read after the handshake. */
  addPieces(message: OutgoingMessage): Promise<void> {
    this.#messages.push(message);
    return message.written;
  }

  /** Sends all messages. */
  send(writer: Writer): void {
    for (const message of this.#messages) {
      if (message instanceof OutgoingMessage) writer.writePieces(message);
      else writer.writeMessage(message);
    }
  }

  /** Called if the handshake fails. */
  stop(error: Error): void {
    for (const message of this.#messages) {
      if (message instanceof OutgoingMessage) message.stop(error);
    }
  }
}
