/**
 * Messages that are sent in pieces.
 *
 * @module
 */
import { toError } from "../guard.ts";
import type { Output } from "../protocol/output.ts";
import type { MessageKind, OutgoingPieces, Protocol } from "../protocol/protocol.ts";
import type { WriterEnvironment } from "./writer_environment.ts";
import { type MessageSource, openSource, toPiece } from "./message_source.ts";

/** The part of a writer that a message in pieces uses. */
export interface PieceWriter {
  /** The protocol; `null` when no more messages can be written. */
  readonly protocol: Protocol | null;
  /** See `Writer.ready`. */
  ready(): Promise<void>;
  /** Appends to the output. If that throws, no part of it is sent. */
  append(write: (output: Output) => void): void;
  /** The limits and the counters. */
  readonly environment: WriterEnvironment;
}

/** Whether a string ends with a high surrogate. */
function endsInPair(text: string): boolean {
  return (text.charCodeAt(text.length - 1) & 0xfc00) === 0xd800;
}

/** One message that is being sent in pieces. */
export class OutgoingMessage {
  /** Called if the source throws or yields a wrong piece. */
  readonly #failed: (thrown: unknown) => void;
  readonly #source;
  readonly #written = Promise.withResolvers<void>();
  #kind: MessageKind | null = null;
  #pieces: OutgoingPieces | null = null;
  /** A high surrogate, whose low surrogate is in the next piece; else empty. */
  #half = "";
  /** Whether the message is complete or was cut off. */
  #isOver = false;

  /**
   * Begins to read the source.
   *
   * @param failed Called with the error of the source. Must close the connection, because the message
   * cannot be completed.
   * @throws {TypeError} If the source is a stream that is locked.
   */
  constructor(source: MessageSource, failed: (thrown: unknown) => void) {
    this.#source = openSource(source);
    this.#failed = failed;
    this.#written.promise.catch(() => {}); // it may be ignored
  }

  /** Resolves when the message is complete. Rejects if it was cut off. Safe to ignore. */
  get written(): Promise<void> {
    return this.#written.promise;
  }

  /** Sends the whole message, as fast as the peer reads it. Never rejects. */
  async send(writer: PieceWriter): Promise<void> {
    while (await this.#sendNext(writer));
  }

  /** Sends the next piece. @returns Whether there may be another one. */
  async #sendNext(writer: PieceWriter): Promise<boolean> {
    let result: IteratorResult<unknown, unknown>;
    try {
      await writer.ready();
      if (this.#isOver) return false;
      result = await this.#source.next();
    } catch (error) {
      this.#fail(error);
      return false;
    }
    const { protocol } = writer;
    if (this.#isOver || protocol === null) return false;
    try {
      if (result.done === true) this.#finish(writer, protocol);
      else this.#write(writer, protocol, result.value);
      return result.done !== true;
    } catch (error) {
      this.#cancel(toError(error));
      this.#fail(error);
      return false;
    }
  }

  #write(writer: PieceWriter, protocol: Protocol, value: unknown): void {
    let piece = toPiece(value, this.#kind);
    this.#kind ??= typeof piece === "string" ? "text" : "binary";
    const pieces = this.#pieces ??= protocol.beginPieces(this.#kind);
    if (typeof piece === "string") {
      piece = this.#half + piece;
      this.#half = endsInPair(piece) ? piece.slice(-1) : "";
      if (this.#half !== "") piece = piece.slice(0, -1);
    }
    this.#append(writer, pieces, piece);
  }

  #append(writer: PieceWriter, pieces: OutgoingPieces, piece: string | Uint8Array): void {
    // A source that yields only empty pieces must not block other connections.
    if (piece.length === 0) writer.environment.turns.add(0);
    else writer.append((output) => pieces.write(output, piece));
  }

  #finish(writer: PieceWriter, protocol: Protocol): void {
    // A source without pieces is an empty text message.
    const pieces = this.#pieces ??= protocol.beginPieces("text");
    if (this.#half !== "") this.#append(writer, pieces, this.#half);
    writer.append((output) => pieces.finish(output));
    this.#isOver = true;
    writer.environment.traffic.messagesOut++;
    this.#written.resolve(writer.ready());
  }

  #fail(thrown: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#pieces?.free();
    this.#failed(thrown);
    // This has no effect if closing the connection has already rejected the promise.
    this.#written.reject(toError(thrown));
  }

  /** Called if the connection ends before the message is complete. Cancels the source. */
  stop(error: Error): void {
    this.#written.reject(error);
    if (this.#isOver) return;
    this.#isOver = true;
    this.#pieces?.free();
    this.#cancel(error);
  }

  #cancel(reason: Error): void {
    this.#source.cancel(reason).catch((error) => {
      // `cancel` of a failed stream rejects with the error of the stream, which is `reason` here.
      if (error !== reason) this.#failed(error);
    });
  }
}
