/**
 * Waits for everything that needs no timer.
 *
 * @module
 */
import { setImmediate } from "node:timers";

/** How many turns of the event loop writers and the runtime's streams may take. */
const TURNS = 4;

/**
 * Waits until everything that needs no timer has happened: deliveries in memory, promises, and work
 * for the next turn of the event loop. A `setTimeout` of 0 would take a millisecond or more.
 */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn++) {
    await new Promise<void>((resolve) => void setImmediate(resolve));
  }
}
