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

/** The timers of a clock. The wheel is made for the first client: most processes have none. */
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

/**
 * Module state: a process has one event loop for each clock, and thousands of clients need no wheel
 * of 1024 slots each.
 */
const timers: WeakMap<Clock, ClockTimers> = new WeakMap();

/** Returns the timers of a clock. */
export function timersOf(clock: Clock): ClockTimers {
  let found = timers.get(clock);
  if (found === undefined) {
    found = new LazyTimers(clock);
    timers.set(clock, found);
  }
  return found;
}
