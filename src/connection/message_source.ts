/**
 * Sources of messages that are sent in pieces.
 *
 * @module
 */
import { bytesOf, kindOf } from "./message.ts";

/**
 * The source of a message that is sent in pieces: an async iterable, such as an async generator, or a
 * `ReadableStream`. Its pieces are strings for a text message, or buffers or views of buffers for a
 * binary message. An array is not a source: it is sent as JSON.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { Application, type MessageSource, WebSocketHandler } from "@waterspout/websocket";
 * import { connect } from "@waterspout/websocket/testing";
 *
 * async function* squares(): AsyncGenerator<string> {
 *   for (let i = 1; i <= 5; i++) yield `${i * i} `;
 * }
 *
 * class Squares extends WebSocketHandler {
 *   override async open(): Promise<void> {
 *     const source: MessageSource = squares();
 *     await this.writeMessage(source);
 *   }
 *   onMessage(): void {}
 * }
 *
 * const client = await connect(new Application([["/", Squares]]), "/");
 * assertEquals(await client.readMessage(), "1 4 9 16 25 ");
 * ```
 */
export type MessageSource =
  | AsyncIterable<string>
  | AsyncIterable<ArrayBuffer | ArrayBufferView>
  | ReadableStream<string>
  | ReadableStream<ArrayBuffer | ArrayBufferView>;

/** Whether a value is a source and not a message. */
export function isSource(value: unknown): value is MessageSource {
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return false;
  return typeof (value as AsyncIterable<unknown>)[Symbol.asyncIterator] === "function" ||
    isStream(value);
}

function isStream(value: unknown): value is ReadableStream<unknown> {
  return value instanceof ReadableStream;
}

/** A source that is being read. */
export interface OpenedSource {
  /** Resolves with the next piece, or with `done` at the end. */
  next(): PromiseLike<IteratorResult<unknown, unknown>>;
  /** Cancels the source. Rejects if the clean-up of the source throws. */
  cancel(reason: Error): Promise<void>;
}

/** Begins to read a source. @throws {TypeError} If it is a locked stream. */
export function openSource(source: MessageSource): OpenedSource {
  if (isStream(source)) {
    if (source.locked) {
      throw new TypeError(
        "Cannot send a message: the stream is locked, because it is read already",
      );
    }
    // Do not use the stream's iterator: its `return()` waits for a pending read that may never settle.
    const reader = source.getReader();
    return {
      next: () => reader.read() as PromiseLike<IteratorResult<unknown, unknown>>,
      cancel: (reason) => reader.cancel(reason),
    };
  }
  const iterator: AsyncIterator<unknown> = source[Symbol.asyncIterator]();
  return {
    next: () => iterator.next(),
    cancel: async () => void await iterator.return?.(),
  };
}

/**
 * Returns the text or the bytes of a piece.
 *
 * @param before The kind of the earlier pieces; `null` for the first piece.
 * @throws {TypeError} If the piece is neither text nor bytes, or is not of the same kind as before.
 */
export function toPiece(value: unknown, before: "text" | "binary" | null): string | Uint8Array {
  const piece = typeof value === "string" ? value : bytesOf(value);
  const expected = before === null
    ? "a string, an ArrayBuffer or a view of one"
    : before === "text"
    ? "a string, as before"
    : "bytes, as before";
  const isExpected = piece !== undefined &&
    (before === null || (before === "text") === (typeof piece === "string"));
  if (isExpected) return piece;
  const got = typeof value === "string" ? "a string" : kindOf(value);
  throw new TypeError(`Cannot send a piece of a message: must be ${expected}, got ${got}`);
}
