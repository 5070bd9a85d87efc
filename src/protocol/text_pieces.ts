/**
 * A text frame of draft75 or draft76 that is delivered in pieces while it arrives.
 *
 * @module
 */
import { type Frame, indexOfEnd, tooLong } from "./hixie_frames.ts";
import { PieceDecoder } from "./piece_decoder.ts";
import type { PieceSink } from "./protocol.ts";

/** A text frame after its `00`: UTF-8 and `FF`. */
export class TextPieces implements Frame {
  ended = false;
  readonly next: Frame | null = null;
  readonly #limit: number;
  readonly #sink: PieceSink;
  readonly #decoder = new PieceDecoder();
  #size = 0;

  /** @param limit The largest message, in bytes. @param sink The receiver. */
  constructor(limit: number, sink: PieceSink) {
    this.#limit = limit;
    this.#sink = sink;
    sink.begin("text");
  }

  receive(chunk: Uint8Array, at: number): number {
    const found = indexOfEnd(chunk, at);
    this.ended = found >= 0;
    const end = this.ended ? found : chunk.length;
    const goesOn = this.collect(chunk, at, end);
    const after = this.ended ? end + 1 : end;
    return goesOn ? after : ~after;
  }

  /** Delivers bytes that have no `FF`. Returns whether to go on. */
  collect(chunk: Uint8Array, at: number, end: number): boolean {
    this.#size += end - at;
    if (this.#size > this.#limit) throw tooLong("a text message", this.#limit);
    return this.#pass(this.#decoder.decode(chunk, at, end));
  }

  #pass(text: string): boolean {
    return text === "" || this.#sink.piece(text);
  }

  report(): boolean {
    this.#pass(this.#decoder.flush());
    return this.#sink.finish();
  }
}
