/**
 * Limits the messages that a broker has not acknowledged. Without it, a server that hangs would
 * fill the memory of the publisher.
 *
 * @module
 */
import { checkValue, LIMIT } from "../../validation.ts";

/** The default of `maxBufferedAmount`: 64 MiB. */
export const MAX_BUFFERED_AMOUNT: number = 64 * 1024 * 1024;

/**
 * Counts the bytes that wait for an acknowledgement. The broker counts as slow when a message
 * exceeds the limit, until at most half of the limit waits.
 */
export class Backlog {
  /** The number of waiting bytes. */
  size = 0;
  /** Whether messages are dropped. */
  isSlow = false;
  readonly #limit: number;
  readonly #changed: () => void;

  /**
   * @param limit The most bytes that may wait. If none wait, a message of any size is accepted.
   * @param changed Called when {@linkcode isSlow} has changed.
   * @throws {TypeError} If the limit is not a number.
   * @throws {RangeError} If the limit is neither a positive integer nor `Infinity`.
   */
  constructor(limit: number, changed: () => void) {
    checkValue(limit, "Cannot use maxBufferedAmount:", LIMIT);
    this.#limit = limit;
    this.#changed = changed;
  }

  /** Whether a message may be sent. If not, the broker counts as slow. */
  admits(size: number): boolean {
    if (this.isSlow) return false;
    if (this.size === 0 || this.size + size <= this.#limit) return true;
    this.isSlow = true;
    this.#changed();
    return false;
  }

  /** Counts a message that was sent. */
  add(size: number): void {
    this.size += size;
  }

  /** Counts messages that were acknowledged or lost. */
  remove(size: number): void {
    this.size -= size;
    if (!this.isSlow || this.size > this.#limit / 2) return;
    this.isSlow = false;
    this.#changed();
  }
}
