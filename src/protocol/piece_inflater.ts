/**
 * Decompresses a message in pieces (RFC 7692 §7.2.2).
 *
 * @module
 */
import { type Inflater, TAIL, tooLong } from "./inflater.ts";

/** Compresses the pieces of one message. */
export interface PieceDeflater {
  /**
   * Compresses and flushes a piece. The result ends with `00 00 FF FF`, and is valid until the next call
   * if it is shorter than `BY_REFERENCE`.
   */
  deflate(piece: Uint8Array): Uint8Array;
  /** Frees memory of zlib that only this message uses. */
  free(): void;
}

/** The options of a {@linkcode PieceInflater}. */
export interface PieceInflaterOptions {
  /** The largest message, decompressed, in bytes. */
  readonly maxMessageSize: number;
  /** A buffer for output. It is used only between two calls. */
  readonly scratch: Uint8Array;
  /** The inflater, if nothing else uses it; `null` if the connection uses it for other messages. */
  readonly own: Inflater | null;
}

const EMPTY = new Uint8Array(0);

/** Decompresses one message. Give it input, then take output while {@linkcode hasMore} is true. */
export class PieceInflater {
  /** How many bytes of the input were not read. */
  rest = 0;
  readonly #inflater: Inflater;
  readonly #options: PieceInflaterOptions;
  #input: Uint8Array = EMPTY;
  #size = 0;
  #isFull = false;

  /** @param inflater The inflater. @param options The options. */
  constructor(inflater: Inflater, options: PieceInflaterOptions) {
    this.#inflater = inflater;
    this.#options = options;
    inflater.begin();
  }

  /** Whether there may be more output. */
  get hasMore(): boolean {
    return this.#isFull || this.rest > 0;
  }

  /** Whether there may be more output for input that was read. */
  get owesOutput(): boolean {
    return this.#isFull && this.rest === 0;
  }

  /** Sets the next input. It must begin with the unread bytes of the last input. */
  give(input: Uint8Array): void {
    this.#input = input;
    this.rest = input.length;
  }

  /** Gives the tail `00 00 FF FF`, which is not sent on the wire. */
  giveTail(): void {
    this.give(TAIL);
  }

  /**
   * Returns the next output, valid until the next call. May be empty.
   *
   * @throws {ProtocolError} 1007 if the input is not DEFLATE, 1009 as soon as the message is too large.
   */
  next(): Uint8Array {
    const { scratch, maxMessageSize } = this.#options;
    const inflater = this.#inflater;
    const size = inflater.step(this.#input, this.#input.length - this.rest, scratch);
    this.rest = inflater.rest;
    this.#isFull = inflater.isFull;
    this.#size += size;
    if (this.#size > maxMessageSize) throw tooLong();
    return scratch.subarray(0, size);
  }

  /** Frees memory of zlib that only this message uses. */
  free(): void {
    this.#options.own?.free();
  }
}
