/**
 * How long to wait before a client connects again: exponential backoff with full jitter.
 *
 * @module
 */

/** The options of a {@linkcode Backoff}, in milliseconds. */
export interface BackoffOptions {
  /** The upper bound of the first delay. */
  readonly initialDelay: number;
  /** The upper bound of all delays. */
  readonly maxDelay: number;
  /** Returns a number from 0 to below 1. */
  readonly random: () => number;
}

/** The most doublings. After these, any delay is longer than the longest timer. */
const MAX_DOUBLINGS = 31;

/** Computes delays from the number of failures in a row. */
export class Backoff {
  readonly #options: BackoffOptions;
  #failures = 0;

  /** @param options The bounds of the delays. */
  constructor(options: BackoffOptions) {
    this.#options = options;
  }

  /** Sets the bound back to `initialDelay`. */
  reset(): void {
    this.#failures = 0;
  }

  /**
   * Returns the next delay: a random time below a bound that doubles with each call. The random part
   * keeps clients from reconnecting all at once after a server restart.
   */
  next(): number {
    const { initialDelay, maxDelay, random } = this.#options;
    const bound = Math.min(maxDelay, initialDelay * 2 ** Math.min(this.#failures++, MAX_DOUBLINGS));
    return random() * bound;
  }
}
