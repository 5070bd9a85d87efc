/**
 * The clock for waits.
 *
 * @module
 */
import { type Clock, systemClock } from "./clock.ts";

/** The clock of the runtime. Its timers keep the process alive, because a caller waits for them. */
export const waitingClock: Clock = {
  ...systemClock,
  setTimeout: (callback, delay) => setTimeout(callback, delay),
};

/**
 * Waits.
 *
 * @param delay How long, in milliseconds.
 * @param signal Ends the wait.
 * @returns Rejects with the signal's reason.
 */
export function wait(delay: number, clock: Clock, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const aborted = (): void => {
      clock.clearTimeout(timeout);
      reject(signal?.reason);
    };
    const timeout = clock.setTimeout(() => {
      signal?.removeEventListener("abort", aborted);
      resolve();
    }, delay);
    if (signal?.aborted) aborted();
    else signal?.addEventListener("abort", aborted, { once: true });
  });
}
