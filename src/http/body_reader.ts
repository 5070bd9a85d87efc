/**
 * Collects a body in memory.
 *
 * @module
 */
import type { RequestHead } from "../handshake/request_head.ts";
import { BodyFraming } from "./body_framing.ts";

/** The first size of the buffer for a body, in bytes. The buffer doubles when it is full. */
const FIRST_CAPACITY = 1024;

/** Collects a body that arrives in any pieces. */
export class BodyReader {
  readonly #framing: BodyFraming;
  /** The body so far. One buffer: with an array for each piece, pieces of one byte would be costly. */
  #buffer: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  #size = 0;

  /**
   * @param head The head of the message.
   * @param maxSize The longest body, in bytes.
   * @throws {Refusal} See {@linkcode BodyFraming}.
   */
  constructor(head: Pick<RequestHead, "get" | "httpVersion">, maxSize: number) {
    this.#framing = new BodyFraming(head, maxSize);
  }

  /** Whether the whole body has arrived. */
  get complete(): boolean {
    return this.#framing.complete;
  }

  /** The body so far. Valid until the next {@linkcode read}. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#buffer.subarray(0, this.#size);
  }

  /** Reads the next bytes. Ignores bytes after the body. See {@linkcode BodyFraming.read}. */
  read(chunk: Uint8Array): void {
    try {
      this.#framing.read(chunk);
    } finally {
      const { content } = this.#framing;
      this.#reserve(this.#size + content.length);
      this.#buffer.set(content, this.#size);
      this.#size += content.length;
    }
  }

  /** Grows the buffer to `size` bytes or more: doubles it, up to the largest size of the body. */
  #reserve(size: number): void {
    const { length } = this.#buffer;
    if (size <= length) return;
    const capacity = Math.min(
      this.#framing.maxLength,
      Math.max(FIRST_CAPACITY, size, 2 * length),
    );
    this.#buffer = new Uint8Array(this.#buffer.buffer.transfer(capacity));
  }
}
