/**
 * The timers that connections with the same clock share.
 *
 * @module
 */
import type { Clock } from "./clock.ts";
import { TimingWheel } from "./timing_wheel.ts";
import { Turns } from "./turns.ts";

/** The timers of one clock. */
export interface ClockTimers {
  /** Turns of the event loop. Writers of all connections share the budget of a turn. */
  readonly turns: Turns;
  /** The timeouts of clients. Each application has its own wheel. */
  readonly wheel: TimingWheel;
}

/** The timers of a clock. The wheel is created for the first client: most servers need none. */
class LazyTimers implements ClockTimers {
  readonly turns: Turns;
  readonly #clock: Clock;
  #wheel: TimingWheel | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.turns = new Turns(clock);
  }

  get wheel(): TimingWheel {
    return this.#wheel ??= new TimingWheel(this.#clock);
  }
}

/** The key under which a clock stores its timers. */
const TIMERS: unique symbol = Symbol("waterspout timers");

interface SharedClock extends Clock {
  [TIMERS]?: ClockTimers;
}

/**
 * Returns the timers of a clock. All users of the clock share them. So thousands of clients do not need a
 * wheel of 1024 slots each. A frozen clock gets new timers at each call.
 */
export function timersOf(clock: SharedClock): ClockTimers {
  const known = Object.hasOwn(clock, TIMERS) ? clock[TIMERS] : undefined;
  if (known !== undefined) return known;
  const timers = new LazyTimers(clock);
  // Not enumerable: a copy such as `{ ...clock, now }` is another clock.
  if (Object.isExtensible(clock)) Object.defineProperty(clock, TIMERS, { value: timers });
  return timers;
}
