/**
 * Lets the event loop run while an application writes much.
 *
 * As long as the system accepts every byte, each awaited write would resolve in a microtask, and no
 * other connection would be read. So after a budget of bytes, writers wait for the next turn of the
 * event loop.
 *
 * @module
 */
import type { Clock } from "./clock.ts";

/** A resolved promise, shared so that none is allocated. */
export const DONE: Promise<void> = Promise.resolve();

/** A write counts as at least so many bytes, because the system call itself takes time. */
const LEAST_COST = 1024;

/** The largest budget of a turn, in bytes. */
const MAX_BUDGET = 1024 * 1024;

/**
 * Counts the bytes that all connections write until a writer has waited for a turn. Turns that nobody
 * waited for are not noticed, so a writer may wait for one turn too many.
 */
export class Turns {
  readonly #clock: Clock;
  /** Bytes written since the last turn that a writer waited for. */
  #bytes = 0;
  #next: Promise<void> | null = null;

  /** @param clock The clock whose `nextTurn` is used. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Counts a write. */
  add(bytes: number): void {
    this.#bytes += bytes < LEAST_COST ? LEAST_COST : bytes;
  }

  /**
   * Waits until a writer may write more.
   *
   * @param budget How many bytes may be written between two turns. At most 1 MiB counts.
   * @returns Resolves at once while the budget is not used up, then in the next turn.
   */
  wait(budget: number): Promise<void> {
    return this.#bytes <= Math.min(budget, MAX_BUDGET) ? DONE : this.next();
  }

  /** Waits for the next turn. */
  next(): Promise<void> {
    return this.#next ??= new Promise((resolve) => {
      nextTurn(this.#clock, () => {
        this.#bytes = 0;
        this.#next = null;
        resolve();
      });
    });
  }
}

/** Calls `callback` in the next turn of the event loop. */
function nextTurn(clock: Clock, callback: () => void): void {
  if (clock.nextTurn === undefined) clock.setTimeout(callback, 0);
  else clock.nextTurn(callback);
}
