/**
 * A token bucket: limits a rate, but allows bursts.
 *
 * @module
 */

/**
 * A rate limit that allows bursts.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { Application, type Rate } from "@waterspout/websocket";
 *
 * const handshakeRate: Rate = { perSecond: 5, burst: 50 };
 * assertEquals(new Application([], { handshakeRate }).settings.handshakeRate?.burst, 50);
 * ```
 */
export interface Rate {
  /** The average rate per second. More than 0; may be a fraction. */
  readonly perSecond: number;
  /** The largest burst after a quiet time. At least 1. */
  readonly burst: number;
}

/** A token bucket, which starts full. The time is a parameter. */
export class TokenBucket {
  readonly #rate: Rate;
  #tokens: number;
  /** When `#tokens` was computed, in milliseconds. */
  #at: number;

  /** @param rate The rate. @param now The time, in milliseconds. */
  constructor(rate: Rate, now: number) {
    this.#rate = rate;
    this.#tokens = rate.burst;
    this.#at = now;
  }

  /** Returns the number of tokens. It is negative if more tokens were taken than available. */
  count(now: number): number {
    const { perSecond, burst } = this.#rate;
    const gained = Math.max(now - this.#at, 0) * perSecond / 1000;
    this.#tokens = Math.min(this.#tokens + gained, burst);
    this.#at = now;
    return this.#tokens;
  }

  /** Takes tokens, even more than available. Call {@linkcode count} first. */
  take(amount: number): void {
    this.#tokens -= amount;
  }

  /** Whether the bucket is full, as a new one is. */
  isFull(now: number): boolean {
    return this.count(now) === this.#rate.burst;
  }

  /** Returns the time until the next token, in whole milliseconds; 0 if there is one now. */
  timeToToken(now: number): number {
    const missing = 1 - this.count(now);
    return missing <= 0 ? 0 : Math.ceil(missing * 1000 / this.#rate.perSecond);
  }
}
