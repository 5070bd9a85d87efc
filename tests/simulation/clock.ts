/**
 * The clock of a simulation. Nothing happens by itself: the world runs turns and timers.
 *
 * @module
 */
import type { Clock } from "../../src/timing/clock.ts";

interface Timer {
  readonly at: number;
  /** Of two timers with the same time, the one that was set first comes first. */
  readonly order: number;
  readonly callback: () => void;
}

/** A clock that the world moves. */
export class SimulatedClock implements Clock {
  #now = 1000;
  #order = 0;
  readonly #timers = new Set<Timer>();
  #turns: (() => void)[] = [];

  /** See {@linkcode Clock.now}. */
  now(): number {
    return this.#now;
  }

  /** See {@linkcode Clock.setTimeout}. */
  setTimeout(callback: () => void, delay: number): unknown {
    const timer = { at: this.#now + Math.max(0, delay), order: this.#order++, callback };
    this.#timers.add(timer);
    return timer;
  }

  /** See {@linkcode Clock.clearTimeout}. */
  clearTimeout(timer: unknown): void {
    this.#timers.delete(timer as Timer);
  }

  /** See {@linkcode Clock.nextTurn}. */
  nextTurn(callback: () => void): void {
    this.#turns.push(callback);
  }

  /** How many timers are set. */
  get timers(): number {
    return this.#timers.size;
  }

  /** Runs the callbacks of one turn. @returns False if there were none. */
  turn(): boolean {
    const callbacks = this.#turns.splice(0);
    for (const callback of callbacks) callback();
    return callbacks.length > 0;
  }

  /** Runs the next timer that is due by `end`, and moves the time to it. @returns False if none is. */
  runNext(end: number): boolean {
    let next: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.at > end) continue;
      if (
        next === undefined || timer.at < next.at ||
        (timer.at === next.at && timer.order < next.order)
      ) {
        next = timer;
      }
    }
    if (next === undefined) return false;
    this.#timers.delete(next);
    this.#now = Math.max(this.#now, next.at);
    next.callback();
    return true;
  }

  /** Moves the time, even past timers, as if the process had slept. */
  moveTo(time: number): void {
    this.#now = Math.max(this.#now, time);
  }
}
