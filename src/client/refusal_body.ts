/**
 * The beginning of the body of an answer that is no 101.
 *
 * @module
 */
import { HttpError } from "../errors.ts";
import { BodyReader } from "../http/body_reader.ts";
import type { ResponseHead } from "../handshake/response_head.ts";

/** Collects a body as far as it is wanted; one that is malformed ends where it is. */
export class RefusalBody {
  /** Whether no more is wanted; told by {@linkcode read}. */
  complete = false;
  readonly #reader: BodyReader | null = null;
  /** How many bytes may still be read, framing included. */
  #left: number;

  /** @param head The answer's head. @param maxSize How many bytes are read. */
  constructor(head: ResponseHead, maxSize: number) {
    this.#left = maxSize;
    try {
      this.#reader = new BodyReader(framing(head), Number.MAX_SAFE_INTEGER);
    } catch (error) {
      if (!(error instanceof HttpError)) throw error;
    }
  }

  /** Takes the next bytes; at first those behind the head, also if there are none. */
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

  /** What has come so far. */
  get text(): string {
    return this.#reader === null ? "" : new TextDecoder().decode(this.#reader.bytes);
  }
}

/** Longer than what is read of any body. */
const ENDLESS = "999999999999999";

/** A body without a length goes on to the end of the connection (RFC 9112 §6.3). */
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
