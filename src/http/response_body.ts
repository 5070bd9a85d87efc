/**
 * Reads the body of a response.
 *
 * @module
 */
import { guard } from "../guard.ts";

/**
 * How many microtasks a body may take to give what it has. A body made of a string takes 1 to 4 of them
 * on each runtime.
 */
const MICROTASKS = 10;

type Read = ReadableStreamReadResult<Uint8Array>;

/**
 * The body of a response. It is read a little ahead: if it ends within a few microtasks, its length is
 * known before the head is written, and both are sent in one write.
 */
export class ResponseBody {
  /** The length of the body, in bytes, if it was read to its end; else `undefined`. */
  length: number | undefined = undefined;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  #first: Uint8Array | undefined = undefined;
  #next: Promise<Read> | null = null;

  /** @param body The body. @throws {TypeError} If the application has already read it. */
  constructor(body: ReadableStream<Uint8Array>) {
    this.#reader = body.getReader();
  }

  /** Reads what is there already. @throws {unknown} The error of the stream. */
  async readAhead(): Promise<void> {
    const first = await this.#readSoon();
    if (first === undefined) return;
    if (first.done) {
      this.length = 0;
      return;
    }
    this.#first = checked(first.value);
    const second = await this.#readSoon();
    if (second?.done === true) this.length = this.#first.length;
  }

  async #readSoon(): Promise<Read | undefined> {
    const next = this.#next = this.#reader.read();
    let result: Read | undefined;
    let isSettled = false;
    next.then((read) => {
      result = read;
      isSettled = true;
    }, () => {
      isSettled = true;
    });
    for (let i = 0; i < MICROTASKS && !isSettled; i++) await undefined;
    if (!isSettled) return undefined;
    return result ?? await next;
  }

  /** Returns the first piece, if it was read ahead. */
  takeFirst(): Uint8Array | undefined {
    const first = this.#first;
    this.#first = undefined;
    return first;
  }

  /**
   * Returns the next piece; `undefined` at the end. Call {@linkcode takeFirst} before.
   *
   * @throws {unknown} The error of the stream.
   */
  async read(): Promise<Uint8Array | undefined> {
    const { done, value } = await (this.#next ?? this.#reader.read());
    this.#next = null;
    return done ? undefined : checked(value);
  }

  /** Cancels the rest of the stream. */
  cancel(): void {
    drop(this.#reader);
  }
}

function checked(value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return value;
  throw new TypeError(
    `Cannot send a response: its body must give Uint8Arrays, got ${typeof value}`,
  );
}

/** Cancels a stream that nobody will read. Errors of `cancel` are ignored. */
export function drop(stream: Pick<ReadableStream, "cancel"> | null): void {
  guard((): unknown => stream?.cancel("nobody reads it"), () => {});
}
