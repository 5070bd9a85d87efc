/**
 * The state of a receiving connection of RFC 6455: within one chunk ({@linkcode Read}), and between
 * chunks ({@linkcode Unfinished}).
 *
 * @module
 */
import type { IncomingMessage } from "./incoming_message.ts";
import type { IncomingPieces } from "./incoming_pieces.ts";
import type { Sink } from "./protocol.ts";

/**
 * The smallest chunk for which a `DataView` saves time. Making one takes 40 to 100 ns. With it, 32 bytes
 * are unmasked in 9 ns instead of 21.
 */
const VIEWED_FROM = 192;

/** One call of `receive`: its arguments, and the last header that was read. */
export class Read {
  /** The bytes. */
  readonly chunk: Uint8Array;
  /** Whether the sink may get a part of the chunk. */
  readonly owned: boolean;
  /** The receiver of the events. */
  readonly sink: Sink;
  /** The size of the last header, in bytes. */
  headerSize = 0;
  /** The first byte of the last header. */
  firstByte = 0;
  /** The payload length in the last header, in bytes. */
  payloadLength = 0;
  /** The masking key in the last header; 0 if the frame is not masked. */
  maskingKey = 0;
  #view: DataView | null = null;

  /** The parameters are those of `Protocol.receive`. */
  constructor(chunk: Uint8Array, owned: boolean, sink: Sink) {
    this.chunk = chunk;
    this.owned = owned;
    this.sink = sink;
  }

  /** Returns a view of the chunk if that saves time: for a large chunk with bytes after `end`. */
  viewIfMoreThan(end: number): DataView | null {
    const { chunk } = this;
    if (this.#view === null && end < chunk.length && chunk.length >= VIEWED_FROM) {
      this.#view = new DataView(chunk.buffer, chunk.byteOffset, chunk.length);
    }
    return this.#view;
  }
}

/**
 * An incomplete header, payload or message at the end of a chunk. Idle connections have none.
 */
export class Unfinished {
  /** Where the next byte is. */
  state: "header" | "payload" | "between frames" = "between frames";
  /** The bytes of the header. */
  header: Uint8Array | null = null;
  /** How many bytes of the header have arrived. */
  headerSize = 0;
  /** The first byte of the frame whose payload is arriving. */
  firstByte = 0;
  /** How many bytes of the payload are missing. */
  remaining = 0;
  /** The masking key for the missing bytes. */
  maskingKey = 0;
  /** The payload of a control frame. */
  control: Uint8Array | null = null;
  /** The message that has begun. */
  message: IncomingMessage | IncomingPieces | null = null;
}
