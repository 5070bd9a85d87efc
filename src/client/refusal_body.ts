/**
 * The body of a response that refuses the handshake.
 *
 * @module
 */
import { HttpError } from "../errors.ts";
import { BodyReader } from "../http/body_reader.ts";
import type { ResponseHead } from "../handshake/response_head.ts";

/** Reads the beginning of a body. A malformed body ends where it is malformed. */
export class RefusalBody {
  /** Whether to stop reading. Set by {@linkcode read}. */
  complete = false;
  readonly #reader: BodyReader | null = null;
  /** How many more bytes to read, including the chunked coding. */
  #left: number;

  /** @param head The head of the response. @param maxSize How many bytes to read at most. */
  constructor(head: ResponseHead, maxSize: number) {
    this.#left = maxSize;
    try {
      this.#reader = new BodyReader(framing(head), Number.MAX_SAFE_INTEGER);
    } catch (error) {
      if (!(error instanceof HttpError)) throw error;
    }
  }

  /** Reads the next bytes. Must be called once with the bytes after the head, even if there are none. */
  read(chunk: Uint8Array): void {
    const part = chunk.subarray(0, this.#left);
    this.#left -= part.length;
    try {
      this.#reader?.read(part);
    } catch (error) {
      if (!(error instanceof HttpError)) throw error;
      this.complete = true;
    }
    if (this.#reader === null || this.#reader.complete || this.#left === 0) this.complete = true;
  }

  /** The body so far, decoded as UTF-8. */
  get text(): string {
    return this.#reader === null ? "" : new TextDecoder().decode(this.#reader.bytes);
  }
}

/** A length that is longer than any body that is read. */
const ENDLESS = "999999999999999";

/**
 * Returns the fields that frame the body. A body without a length ends with the connection (RFC 9112
 * §6.3).
 */
function framing(
  head: ResponseHead,
): { get(name: string): string | undefined; httpVersion: "1.1" } {
  const bodiless = head.status < 200 || head.status === 204 || head.status === 304;
  const framed = head.get("transfer-encoding") ?? head.get("content-length");
  const get = (name: string): string | undefined => {
    if (bodiless) return undefined;
    return framed === undefined && name === "content-length" ? ENDLESS : head.get(name);
  };
  return { httpVersion: "1.1", get };
}
