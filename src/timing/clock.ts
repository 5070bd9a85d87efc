/**
 * The source of time and timers.
 *
 * @module
 */

/**
 * The source of time and timers. All times are milliseconds. A test may pass its own.
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
  /** Returns a monotonic time. */
  now(): number;
  /** Calls `callback` once after `delay`. The timer must not keep the process alive. */
  setTimeout(callback: () => void, delay: number): unknown;
  /** Cancels a timer of {@linkcode Clock.setTimeout}. */
  clearTimeout(timeout: unknown): void;
  /**
   * Calls `callback` in the next turn of the event loop, after pending I/O. Default: `setTimeout`
   * with a delay of 0, which some runtimes delay by 1 ms or more.
   */
  nextTurn?(callback: () => void): void;
}

/** A function of the runtimes that is not a Web standard. */
interface Immediate {
  setImmediate?(callback: () => void): unknown;
}

/** The clock of the runtime. */
export const systemClock: Clock = {
  now: () => performance.now(),
  setTimeout: (callback, delay) => {
    const timeout: unknown = setTimeout(callback, delay);
    // A process must exit once its sockets are closed, even if timers are pending.
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
