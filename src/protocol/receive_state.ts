/**
 * What a connection of RFC 6455 remembers while it receives: within one chunk, and from one chunk to
 * the next.
 *
 * @module
 */
import type { IncomingMessage } from "./incoming_message.ts";
import type { Sink } from "./protocol.ts";

/**
 * The smallest chunk for which a `DataView` pays. Making one takes 40 to 100 ns; with it, 32 bytes are
 * unmasked in 9 ns instead of 21.
 */
const VIEWED_FROM = 192;

/** One call of `receive`: its arguments, and the last header that was read. */
export class Read {
  /** The bytes. */
  readonly chunk: Uint8Array;
  /** Whether the chunk's memory may be handed on to the sink. */
  readonly owned: boolean;
  /** Who is told what the bytes are. */
  readonly sink: Sink;
  /** The size of the last header, in bytes. */
  headerSize = 0;
  /** Its first byte. */
  firstByte = 0;
  /** The length that it announces, in bytes. */
  payloadLength = 0;
  /** Its masking key, 0 if the frame is not masked. */
  maskingKey = 0;
  #view: DataView | null = null;

  /** @param chunk The bytes. @param owned Whether they may be kept. @param sink Who is told. */
  constructor(chunk: Uint8Array, owned: boolean, sink: Sink) {
    this.chunk = chunk;
    this.owned = owned;
    this.sink = sink;
  }

  /** A view of the chunk if it has bytes behind `end` and is large enough, otherwise `null`. */
  viewIfMoreThan(end: number): DataView | null {
    const { chunk } = this;
    if (this.#view === null && end < chunk.length && chunk.length >= VIEWED_FROM) {
      this.#view = new DataView(chunk.buffer, chunk.byteOffset, chunk.length);
    }
    return this.#view;
  }
}

/**
 * What a connection is in the middle of: a header that has not arrived whole, a payload that has
 * not, or a message between two of its frames. An idle connection has none.
 */
export class Unfinished {
  /** What the next byte belongs to. */
  state: "header" | "payload" | "between frames" = "between frames";
  /** The bytes of the header. */
  header: Uint8Array | null = null;
  /** How many of them have arrived. */
  headerSize = 0;
  /** The first byte of the frame whose payload is arriving. */
  firstByte = 0;
  /** How many bytes of the payload are missing. */
  remaining = 0;
  /** The masking key for them. */
  maskingKey = 0;
  /** The payload of a control frame. */
  control: Uint8Array | null = null;
  /** The message of which a frame has begun. */
  message: IncomingMessage | null = null;
}
