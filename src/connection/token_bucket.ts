/**
 * A token bucket: allows a rate, and bursts above it.
 *
 * @module
 */

/**
 * A rate, and how much may come at once.
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
  /** How much is allowed per second in the long run. More than 0; may be a fraction. */
  readonly perSecond: number;
  /** How much is allowed at once, after a time without any. At least 1. */
  readonly burst: number;
}

/** A bucket. It is full at first. The time is a parameter. */
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

  /** Returns how many tokens there are; less than 0 if more was taken than there was. */
  count(now: number): number {
    const { perSecond, burst } = this.#rate;
    const gained = Math.max(now - this.#at, 0) * perSecond / 1000;
    this.#tokens = Math.min(this.#tokens + gained, burst);
    this.#at = now;
    return this.#tokens;
  }

  /** Takes tokens, even if there are not so many. Call {@linkcode count} before. */
  take(amount: number): void {
    this.#tokens -= amount;
  }

  /** Whether the bucket is as good as a new one. */
  isFull(now: number): boolean {
    return this.count(now) === this.#rate.burst;
  }

  /** Returns how long it takes until there is a token, in whole milliseconds; 0 if there is one. */
  timeToToken(now: number): number {
    const missing = 1 - this.count(now);
    return missing <= 0 ? 0 : Math.ceil(missing * 1000 / this.#rate.perSecond);
  }
}
