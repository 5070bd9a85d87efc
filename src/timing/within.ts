/**
 * Limits how long a promise may take.
 *
 * @module
 */
import type { Clock } from "./clock.ts";

/** How long to wait, and for what. */
export interface Limit {
  /** The source of time. */
  readonly clock: Clock;
  /** How long to wait, in milliseconds. */
  readonly timeout: number;
  /** The beginning of the error: `"Cannot read the history of \"news\""`. */
  readonly attempt: string;
}

/**
 * Calls a function and waits for its promise.
 *
 * @returns What the promise resolves with.
 * @throws {Error} What `work` throws or its promise rejects with; or that there was no answer in time.
 */
export function within<Result>(
  work: () => Promise<Result>,
  { clock, timeout, attempt }: Limit,
): Promise<Result> {
  return new Promise((resolve, reject) => {
    const timer = clock.setTimeout(() => {
      reject(new Error(`${attempt}: no answer within ${timeout} ms`));
    }, timeout);
    // The executor's promise takes what `work` throws, too.
    Promise.resolve().then(work).then(resolve, reject).finally(() => clock.clearTimeout(timer));
  });
}
