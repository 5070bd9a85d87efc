/**
 * Turns of the event loop: a writer whose output is always taken at once must still let it turn.
 *
 * While the system takes every byte, each awaited write would resolve in a microtask, and no other
 * connection would be read.
 *
 * @module
 */
import type { Clock } from "./clock.ts";

/** The answer to whoever need not wait: one promise for all, so that none is allocated. */
export const DONE: Promise<void> = Promise.resolve();

/** One for each clock, so that all connections of a process share the turns of its event loop. */
const byClock: WeakMap<Clock, Turns> = new WeakMap();

/** The turns that belong to a clock. */
export function turnsOf(clock: Clock): Turns {
  let turns = byClock.get(clock);
  if (turns === undefined) byClock.set(clock, turns = new Turns(clock));
  return turns;
}

/** A turn is never longer than this many bytes, however much a writer may hand over. */
const MAX_BUDGET = 1024 * 1024;

/** Counts what is handed to the system in one turn of the event loop, over all connections. */
export class Turns {
  readonly #clock: Clock;
  /** Bytes handed over in this turn. */
  #bytes = 0;
  #next: Promise<void> | null = null;

  /** @param clock The source of turns. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** An event of the loop has arrived, so that a new turn has begun. */
  begin(): void {
    this.#bytes = 0;
  }

  /** Counts bytes that are handed to the system. */
  add(bytes: number): void {
    this.#bytes += bytes;
  }

  /**
   * What a writer waits for before it writes more.
   *
   * @param budget How many bytes may be handed over in one turn; never more than 1 MiB.
   * @returns One settled promise for all, until the budget is used up; then the next turn.
   */
  wait(budget: number): Promise<void> {
    if (this.#bytes <= Math.min(budget, MAX_BUDGET)) return DONE;
    return this.#next ??= new Promise((resolve) => {
      nextTurn(this.#clock, () => {
        this.#bytes = 0;
        this.#next = null;
        resolve();
      });
    });
  }
}

/** Calls back in a later turn of the event loop, after the events that are due have been delivered. */
function nextTurn(clock: Clock, callback: () => void): void {
  if (clock.nextTurn === undefined) clock.setTimeout(callback, 0);
  else clock.nextTurn(callback);
}
