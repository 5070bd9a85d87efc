/**
 * What was given to a broker and is not acknowledged, bounded: a server that hangs must not fill the
 * memory of those who publish.
 *
 * @module
 */
import { checkValue, LIMIT } from "../../validation.ts";

/** The default of `maxBufferedAmount`: 64 MiB. */
export const MAX_BUFFERED_AMOUNT: number = 64 * 1024 * 1024;

/** Bytes that wait for an acknowledgement. It is slow from the first message that does not fit on,
 * until no more than half of the limit waits. */
export class Backlog {
  /** Bytes that wait. */
  size = 0;
  /** Whether messages are dropped at present. */
  isSlow = false;
  readonly #limit: number;
  readonly #changed: () => void;

  /**
   * @param limit The most bytes that may wait. One message is taken whatever its size if none waits.
   * @param changed Called when {@linkcode isSlow} has changed.
   * @throws {TypeError} If the limit is not a number.
   * @throws {RangeError} If the limit is neither a positive integer nor `Infinity`.
   */
  constructor(limit: number, changed: () => void) {
    checkValue(limit, "Cannot use maxBufferedAmount:", LIMIT);
    this.#limit = limit;
    this.#changed = changed;
  }

  /** Whether a message may be sent; if not, it is slow from here on. */
  admits(size: number): boolean {
    if (this.isSlow) return false;
    if (this.size === 0 || this.size + size <= this.#limit) return true;
    this.isSlow = true;
    this.#changed();
    return false;
  }

  /** A message was sent. */
  add(size: number): void {
    this.size += size;
  }

  /** Messages were acknowledged, or are lost. */
  remove(size: number): void {
    this.size -= size;
    if (!this.isSlow || this.size > this.#limit / 2) return;
    this.isSlow = false;
    this.#changed();
  }
}
