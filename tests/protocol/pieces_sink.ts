/**
 * Receives messages in pieces, joins the pieces, and records each message as if it had arrived whole.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { ProtocolError } from "../../src/errors.ts";
import type { MessageKind, PieceSink, Protocol, Sink } from "../../src/protocol/protocol.ts";
import { bytes } from "./hixie_cases.ts";
import type { HybiEvent } from "./hybi_frames.ts";

/** A sink of pieces. With `stops`, asks to stop after each piece and event. */
export class PiecesSink implements Sink, PieceSink {
  readonly events: HybiEvent[] = [];
  /** The sizes of all pieces, in bytes or UTF-16 units. */
  readonly sizes: number[] = [];
  readonly #stops: boolean;
  #message: { kind: MessageKind; parts: (string | Uint8Array)[] } | null = null;
  /** Events after the last `receive`. */
  #calls = 0;

  constructor(stops = false) {
    this.#stops = stops;
  }

  get pieces(): this {
    return this;
  }

  #noted(event?: HybiEvent): boolean {
    if (event !== undefined) this.events.push(event);
    this.#calls++;
    return !this.#stops;
  }

  text(message: string): boolean {
    return this.#noted(["text", message]);
  }
  binary(message: Uint8Array): boolean {
    return this.#noted(["binary", new Uint8Array(message)]);
  }
  ping(payload: Uint8Array): boolean {
    return this.#noted(["ping", payload.slice()]);
  }
  pong(payload: Uint8Array): boolean {
    return this.#noted(["pong", payload.slice()]);
  }
  close(code: number | undefined, reason: string): boolean {
    return this.#noted(["close", code, reason]);
  }

  begin(kind: MessageKind): void {
    if (this.#message !== null) throw new Error("The message before is not complete");
    if (kind !== "text" && kind !== "binary") throw new Error(`There is no kind ${kind}`);
    this.#message = { kind, parts: [] };
  }

  piece(part: string | Uint8Array): boolean {
    const { kind, parts } = this.#current();
    if (part.length === 0) throw new Error("A piece is empty");
    if ((typeof part === "string") !== (kind === "text")) throw new Error("A piece is of no kind");
    if (typeof part === "string" && !part.isWellFormed()) throw new Error("A pair is divided");
    this.sizes.push(part.length);
    parts.push(part);
    return this.#noted();
  }

  finish(): boolean {
    const { kind, parts } = this.#current();
    this.#message = null;
    return kind === "text"
      ? this.#noted(["text", parts.join("")])
      : this.#noted(["binary", bytes(...parts)]);
  }

  #current() {
    if (this.#message === null) throw new Error("No message has begun");
    return this.#message;
  }

  /**
   * Feeds chunks. If a part of a chunk is left, feeds that part again. Each chunk has its own memory,
   * which is overwritten after use. Like those of Node's streams, it is a `Buffer`, whose `slice` does
   * not copy.
   *
   * @returns The protocol's error, and how many bytes were fed until the error, or in total.
   */
  feed(protocol: Protocol, chunks: Iterable<Uint8Array>): { error?: ProtocolError; after: number } {
    let after = 0;
    try {
      for (const part of chunks) {
        after += part.length;
        let chunk: Uint8Array = Buffer.from(part);
        while (chunk.length > 0) {
          this.#calls = 0;
          const used = protocol.receive(chunk, false, this);
          if (used < chunk.length && this.#calls === 0) throw new Error("Stopped by nobody");
          // The last piece, an incomplete character and the end of a message may arrive together.
          if (this.#stops && this.#calls > 3) throw new Error(`${this.#calls} calls after a stop`);
          chunk.fill(0x2a, 0, used);
          chunk = chunk.subarray(used);
        }
      }
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      return { error, after };
    }
    return { after };
  }
}
