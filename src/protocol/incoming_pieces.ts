/**
 * A message that is delivered in pieces while it arrives, in any number of frames and chunks.
 *
 * @module
 */
import { allocate } from "./allocate.ts";
import { Opcode } from "./frame_header.ts";
import type { Deflate } from "./deflate.ts";
import { mask, maskInto, rotate } from "./mask.ts";
import type { PieceInflater } from "./piece_inflater.ts";
import { PieceDecoder } from "./piece_decoder.ts";
import type { PieceSink } from "./protocol.ts";
import { checkUtf8, COMPLETE, notUtf8, REJECTED } from "./utf8.ts";

/** How many compressed bytes are unmasked at a time. Those that are not decompressed are given again. */
const SLICE = 16 * 1024;

/** The options of {@linkcode IncomingPieces}. */
export interface IncomingPiecesOptions {
  /** The opcode of the message: text or binary. */
  readonly opcode: number;
  /** Decompresses the message; `null` if it is not compressed. */
  readonly deflate: Deflate | null;
  /** The largest message, decompressed, in bytes. */
  readonly maxMessageSize: number;
  /** The receiver. */
  readonly sink: PieceSink;
}

/** A message that is being received in pieces. Has the same counts as `IncomingMessage`. */
export class IncomingPieces {
  /** {@linkcode Opcode.text} or {@linkcode Opcode.binary}. */
  readonly opcode: number;
  /** Whether the message is compressed (RFC 7692 §6). */
  readonly isCompressed: boolean;
  /** How many bytes have arrived. */
  size = 0;
  /** How many frames have begun. */
  frames = 0;
  /** The result of the sink for the last piece: whether to go on. */
  goesOn = true;
  readonly #sink: PieceSink;
  readonly #inflater: PieceInflater | null;
  readonly #decoder: PieceDecoder | null;
  #utf8 = COMPLETE;

  /** @param options See {@linkcode IncomingPiecesOptions}. */
  constructor({ opcode, deflate, maxMessageSize, sink }: IncomingPiecesOptions) {
    this.opcode = opcode;
    this.isCompressed = deflate !== null;
    this.#sink = sink;
    this.#inflater = deflate === null ? null : deflate.inflatePieces(maxMessageSize);
    this.#decoder = opcode === Opcode.text ? new PieceDecoder() : null;
  }

  /** Reports the beginning of the message to the sink, which may end the connection. */
  begin(): void {
    this.#sink.begin(this.opcode === Opcode.text ? "text" : "binary");
  }

  /** Begins the next frame. */
  beginFrame(_payloadLength: number, _isLast: boolean): void {
    this.frames++;
  }

  /**
   * Delivers masked bytes of the current frame. If the sink asks to stop, pass the unused bytes again
   * later. Unused bytes are unchanged; used bytes are overwritten.
   *
   * @returns The offset after the bytes that were used.
   * @throws {ProtocolError} 1007 at the first byte that is not UTF-8, 1007 or 1009 for compressed bytes.
   */
  receive(bytes: Uint8Array, start: number, end: number, maskingKey: number): number {
    this.goesOn = true;
    const used = this.#inflater === null
      ? this.#unmask(bytes, start, end, maskingKey)
      : this.#inflate(this.#inflater, bytes.subarray(start, end), maskingKey) + start;
    this.size += used - start;
    return used;
  }

  #unmask(bytes: Uint8Array, start: number, end: number, maskingKey: number): number {
    if (start === end) return end;
    if (this.#decoder === null) {
      const piece = allocate(end - start);
      maskInto(piece, 0, bytes, start, end, maskingKey);
      this.goesOn = this.#sink.piece(piece);
    } else {
      mask(bytes, start, end, maskingKey);
      this.#text(this.#decoder, bytes, start, end);
    }
    return end;
  }

  #text(decoder: PieceDecoder, bytes: Uint8Array, start: number, end: number): void {
    this.#utf8 = checkUtf8(bytes, start, end, this.#utf8);
    if (this.#utf8 === REJECTED) throw notUtf8();
    const text = decoder.decode(bytes, start, end);
    if (text !== "") this.goesOn = this.#sink.piece(text);
  }

  /** Decompresses until the sink asks to stop. @returns How many bytes were used. */
  #inflate(inflater: PieceInflater, masked: Uint8Array, maskingKey: number): number {
    // The first byte was given to zlib before. It counts as used when zlib has no more output for it.
    let used = inflater.owesOutput ? Number(this.#drain(inflater)) : 0;
    while (used < masked.length && this.goesOn) {
      const input = new Uint8Array(masked.subarray(used, used + SLICE));
      mask(input, 0, input.length, rotate(maskingKey, used));
      inflater.give(input);
      this.#drain(inflater);
      used += input.length - inflater.rest;
      // zlib has more output for bytes that it has read. Count one byte as unused: then the rest of the
      // chunk is not empty, and the next call continues with this output.
      if (inflater.owesOutput) used--;
    }
    return used;
  }

  /** Delivers decompressed bytes. @returns Whether none are left. */
  #drain(inflater: PieceInflater): boolean {
    do {
      const output = inflater.next();
      if (output.length === 0) continue;
      if (this.#decoder !== null) this.#text(this.#decoder, output, 0, output.length);
      else this.goesOn = this.#sink.piece(output.slice());
    } while (inflater.hasMore && this.goesOn);
    return !inflater.owesOutput;
  }

  /**
   * Ends the message.
   *
   * @returns Whether to go on.
   * @throws {ProtocolError} 1007 if a text ends inside a character, 1007 or 1009 for compressed bytes.
   */
  finish(): boolean {
    const inflater = this.#inflater;
    if (inflater !== null) {
      // The 32 bits of the tail give at most 32 × 258 bytes. Ignore requests to stop for so little.
      inflater.giveTail();
      do {
        this.goesOn = true;
        this.#drain(inflater);
      } while (inflater.hasMore);
      inflater.free();
    }
    if (this.#utf8 !== COMPLETE) throw notUtf8();
    return this.#sink.finish();
  }

  /** Frees the memory of an incomplete message. */
  free(): void {
    this.#inflater?.free();
  }
}
