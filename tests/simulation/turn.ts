/**
 * Turns of the event loop.
 *
 * @module
 */
import { setImmediate } from "node:timers";

/** How many turns are asked for at once: an iteration of the event loop costs more than a turn. */
const BATCH = 64;

let pending = 0;
let waiting: (() => void) | undefined;

function fire(): void {
  pending--;
  const resolve = waiting;
  waiting = undefined;
  resolve?.();
}

/** Waits for one turn of the event loop, so that every promise that can settle does. */
export function turn(): Promise<void> {
  return new Promise((resolve) => {
    waiting = resolve;
    if (pending > 0) return;
    for (; pending < BATCH; pending++) setImmediate(fire);
  });
}
