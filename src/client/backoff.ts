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

/** Beyond this many doublings, every delay is longer than the longest timer. */
const MAX_DOUBLINGS = 31;

/** Counts failures in a row. */
export class Backoff {
  readonly #options: BackoffOptions;
  #failures = 0;

  /** @param options The bounds of the delays. */
  constructor(options: BackoffOptions) {
    this.#options = options;
  }

  /** Starts again: the next delay is short. */
  reset(): void {
    this.#failures = 0;
  }

  /**
   * Returns the next delay: a random time below a bound that doubles each time. Many clients that a
   * server has lost at once thus do not come back at once.
   */
  next(): number {
    const { initialDelay, maxDelay, random } = this.#options;
    const bound = Math.min(maxDelay, initialDelay * 2 ** Math.min(this.#failures++, MAX_DOUBLINGS));
    return random() * bound;
  }
}
