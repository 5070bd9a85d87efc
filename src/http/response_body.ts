/**
 * Reads the body of a response.
 *
 * @module
 */
import { guard } from "../guard.ts";

/**
 * How many microtasks to wait for a body. A body made from a string takes 2 to 8 microtasks on each
 * runtime.
 */
export const MICROTASKS = 20;

type Read = ReadableStreamReadResult<Uint8Array>;

/**
 * The body of a response. Its first piece is read ahead for a few microtasks: if the body ends by then,
 * its length goes into the head, and both are sent in one write.
 */
export class ResponseBody {
  /** The length of the body, in bytes, if it was read to its end; else `undefined`. */
  length: number | undefined = undefined;
  /** What {@linkcode readAhead} has come to: `failed` if {@linkcode read} will throw. */
  state: "reading" | "ahead" | "failed" = "reading";
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  #first: Uint8Array | undefined = undefined;
  #next: Promise<Read> | null = null;

  /** @param body The body. @throws {TypeError} If the application has already read it. */
  constructor(body: ReadableStream<Uint8Array>) {
    this.#reader = body.getReader();
  }

  /**
   * Begins to read the first piece and to look for the end. Wait for {@linkcode MICROTASKS}, or until
   * {@linkcode state} changes. An async function here would take 0.3 µs more on Node.
   */
  readAhead(): void {
    this.#next = this.#reader.read();
    this.#next.then((read) => this.#arrived(read), () => {
      this.state = "failed";
    });
  }

  #arrived({ done, value }: Read): void {
    // Too late: the head is sent, and `read` takes the pieces.
    if (this.state !== "reading") return;
    if (done) {
      this.length = this.#first?.length ?? 0;
      this.state = "ahead";
    } else if (this.#first !== undefined) this.state = "ahead";
    else if (value instanceof Uint8Array) {
      this.#first = value;
      this.readAhead();
    } else this.state = "failed";
  }

  /** Whether the whole body was read ahead. @param length The length that it should have, if known. */
  isWhole(length: number | undefined): boolean {
    return this.length !== undefined && this.length === (length ?? this.length);
  }

  /** Returns the first piece, if it was read ahead, and ends the reading ahead. */
  takeFirst(): Uint8Array | undefined {
    this.state = "ahead";
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
