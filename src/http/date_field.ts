/**
 * The value of the field `Date` (RFC 9110 §6.6.1).
 *
 * @module
 */
import type { Clock } from "../timing/clock.ts";

/** Makes the value once per second. */
export class DateField {
  readonly #clock: Clock;
  #value = "";
  /** Until when the value is right, by the clock. */
  #until = -Infinity;

  /** @param clock The clock. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The current date as `Sun, 06 Nov 1994 08:49:37 GMT`. */
  get value(): string {
    const now = this.#clock.now();
    if (now >= this.#until) {
      const date = Date.now();
      this.#value = new Date(date).toUTCString();
      this.#until = now + 1000 - date % 1000;
    }
    return this.#value;
  }
}
