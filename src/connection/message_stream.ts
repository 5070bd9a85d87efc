/**
 * Received messages as streams.
 *
 * @module
 */
import { WebSocketClosedError } from "../errors.ts";
import type { MessageKind } from "../protocol/protocol.ts";
import type { ConnectionEnd } from "./connection_end.ts";
import { Inbox } from "./inbox.ts";

/**
 * A message that you can read while it arrives. If its `kind` is `"text"`, the pieces are strings. If it
 * is `"binary"`, they are `Uint8Array`s.
 *
 * Pieces are never empty, and they need not match the fragments of the message. A character is never
 * divided between two strings.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { Application, type MessageStream, WebSocketHandler } from "@waterspout/websocket";
 * import { connect } from "@waterspout/websocket/testing";
 *
 * class Size extends WebSocketHandler {
 *   override async onMessageStream(stream: MessageStream): Promise<void> {
 *     let size = 0;
 *     for await (const piece of stream) size += piece.length;
 *     this.writeMessage({ kind: stream.kind, size });
 *   }
 *   onMessage(): void {} // not called
 * }
 *
 * const client = await connect(new Application([["/", Size]]), "/");
 * client.writeMessage(new Uint8Array(100_000));
 * assertEquals(await client.readMessage(), '{"kind":"binary","size":100000}');
 * ```
 */
export type MessageStream =
  | ReadableStream<string> & {
    /** Whether the message is text or binary. */
    readonly kind: "text";
  }
  | ReadableStream<Uint8Array> & {
    /** Whether the message is text or binary. */
    readonly kind: "binary";
  };

/**
 * The connection ended before the message was complete. After the pieces that arrived, reading the
 * {@linkcode MessageStream} rejects with this error.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { IncompleteMessageError, WebSocketClosedError } from "@waterspout/websocket";
 *
 * const error = new IncompleteMessageError({ by: "peer", code: 1001, reason: "going away" });
 * assertEquals(error instanceof WebSocketClosedError, true);
 * assertEquals(error.ended.code, 1001);
 * ```
 */
export class IncompleteMessageError extends WebSocketClosedError {
  /** `"IncompleteMessageError"`. */
  override readonly name = "IncompleteMessageError";
  /** Why the connection ended: the same as `WebSocketHandler.ended`. */
  readonly ended: ConnectionEnd;

  /**
   * Makes the error for a message that was cut off.
   *
   * @param ended Why the connection ended. Its `error`, if any, becomes the `cause`.
   */
  constructor(ended: ConnectionEnd) {
    const { by, code, reason, error } = ended;
    const because = reason === "" ? `${code}` : `${code}: ${reason}`;
    super(
      `Cannot read the rest of a message: the connection was ended by ${by} (${because})`,
      error === undefined ? {} : { cause: error },
    );
    this.ended = ended;
  }
}

/** The receiver of the events of a {@linkcode IncomingStream}. */
export interface IncomingStreamEvents {
  /** The size of the waiting pieces has changed by `difference` bytes. */
  resized(difference: number): void;
  /** The reader has taken a piece. */
  taken(): void;
  /** The reader has read the whole message, or has cancelled the stream. Called once. */
  done(stream: IncomingStream): void;
}

/** One message: a queue of pieces, and the stream that delivers them. */
export class IncomingStream {
  /** Whether the message is text or binary. */
  readonly kind: MessageKind;
  readonly #events: IncomingStreamEvents;
  readonly #pieces = new Inbox();
  #stream: ReadableStream<string | Uint8Array> | null = null;
  #controller: ReadableStreamDefaultController<string | Uint8Array> | null = null;
  /** Whether the reader waits for a piece. */
  #isWanted = false;
  /** What follows the waiting pieces: more pieces, the end, or an error. */
  #rest: "more" | "end" | Error = "more";
  #isDone = false;

  /** @param kind Text or binary. @param events The receiver of events. */
  constructor(kind: MessageKind, events: IncomingStreamEvents) {
    this.kind = kind;
    this.#events = events;
  }

  /** Makes the stream of a complete message. */
  static whole(message: string | Uint8Array, events: IncomingStreamEvents): IncomingStream {
    const stream = new IncomingStream(typeof message === "string" ? "text" : "binary", events);
    if (message.length > 0) stream.push(message);
    stream.finish();
    return stream;
  }

  /** Adds a piece. Drops it if the reader has cancelled the stream. */
  push(piece: string | Uint8Array): void {
    if (this.#isDone) return;
    if (this.#isWanted) {
      this.#isWanted = false;
      this.#controller?.enqueue(piece);
      return;
    }
    const { size } = this.#pieces;
    this.#pieces.push(piece);
    this.#events.resized(this.#pieces.size - size);
  }

  /** Called when the message is complete. */
  finish(): void {
    this.#rest = "end";
    this.#settle();
  }

  /** Called if the message was cut off. The reader gets the waiting pieces first, then the error. */
  fail(error: Error): void {
    this.#rest = error;
    this.#settle();
  }

  /** The stream for the reader. */
  get readable(): MessageStream {
    if (this.#stream === null) {
      this.#stream = new ReadableStream<string | Uint8Array>({
        start: (controller) => void (this.#controller = controller),
        pull: () => this.#pull(),
        cancel: () => this.#cancel(),
      }, { highWaterMark: 0 });
      Object.defineProperty(this.#stream, "kind", { value: this.kind, enumerable: true });
      this.#settle();
    }
    return this.#stream as MessageStream;
  }

  #pull(): void {
    const { size } = this.#pieces;
    const piece = this.#pieces.shift();
    if (piece === undefined) {
      this.#isWanted = true;
      return;
    }
    this.#controller?.enqueue(piece as string | Uint8Array); // only pieces are in this inbox
    this.#events.resized(this.#pieces.size - size);
    this.#settle();
    this.#events.taken();
  }

  /** Closes or fails the stream if that is due and no pieces wait. */
  #settle(): void {
    if (this.#controller === null || this.#isDone || this.#pieces.length > 0) return;
    if (this.#rest === "more") return;
    if (this.#rest === "end") this.#controller.close();
    else this.#controller.error(this.#rest);
    this.#finished();
  }

  #cancel(): void {
    if (this.#isDone) return;
    const { size } = this.#pieces;
    this.#pieces.clear();
    this.#events.resized(-size);
    this.#finished();
  }

  #finished(): void {
    this.#isDone = true;
    this.#events.done(this);
  }

  /** Cancels the stream if nobody reads it. */
  abandon(): void {
    if (this.#isDone || this.#stream === null || this.#stream.locked) return;
    // Cannot fail: `#cancel` does not throw, and the stream is readable and not locked.
    void this.#stream.cancel();
  }
}
