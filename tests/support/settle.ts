/**
 * Waiting for what waits for no clock.
 *
 * @module
 */
import { setImmediate } from "node:timers";

/** The turns of the event loop that writers and the runtime's streams may take. */
const TURNS = 4;

/**
 * Lets everything happen that waits for no clock: bytes in memory, promises, and what waits for the
 * next turn of the event loop. A `setTimeout` of 0 would take a millisecond or more.
 */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn++) {
    await new Promise<void>((resolve) => void setImmediate(resolve));
  }
}
