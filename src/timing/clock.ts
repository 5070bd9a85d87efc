/**
 * The source of time, and the timers that belong to it.
 *
 * @module
 */

/**
 * The source of time, in milliseconds; a test gives its own.
 *
 * @example
 * ```ts
 * import { Application } from "@waterspout/websocket";
 * import type { Clock } from "@waterspout/websocket";
 *
 * const clock: Clock = {
 *   now: () => performance.now(),
 *   setTimeout: (callback, delay) => setTimeout(callback, delay),
 *   clearTimeout: (timeout) => clearTimeout(timeout as number),
 * };
 * new Application([], { clock });
 * ```
 */
export interface Clock {
  /** A monotonic time. */
  now(): number;
  /** Calls `callback` once after `delay`. The timer does not keep the process alive. */
  setTimeout(callback: () => void, delay: number): unknown;
  /** Cancels a call of `setTimeout`. */
  clearTimeout(timeout: unknown): void;
  /**
   * Calls `callback` in the next turn of the event loop, after pending I/O. Default: `setTimeout`
   * with a delay of 0, which is slower on some runtimes.
   */
  nextTurn?(callback: () => void): void;
}

/** What the runtimes have, and no Web standard. */
interface Immediate {
  setImmediate?(callback: () => void): unknown;
}

/** The runtime's own time. */
export const systemClock: Clock = {
  now: () => performance.now(),
  setTimeout: (callback, delay) => {
    const timeout: unknown = setTimeout(callback, delay);
    // Every server runtime has it: a process whose sockets are closed must exit by itself.
    (timeout as { unref?: () => void }).unref?.();
    return timeout;
  },
  clearTimeout: (timeout) => clearTimeout(timeout as ReturnType<typeof setTimeout>),
  nextTurn: (callback) => {
    const { setImmediate } = globalThis as Immediate;
    if (setImmediate === undefined) setTimeout(callback, 0);
    else setImmediate(callback);
  },
};
