/**
 * Limits how long a call may take.
 *
 * @module
 */
import type { Link, Timed, TimingWheel } from "./timing_wheel.ts";

/** How long a call may take. */
export interface DeadlineOptions {
  /** The timers. */
  readonly wheel: TimingWheel;
  /** The time, in milliseconds. */
  readonly timeout: number;
  /** Makes the error after that time. */
  readonly late: () => Error;
}

/** An entry of a timing wheel that calls a function. */
export class Deadline implements Timed {
  before: Link | null = null;
  after: Link | null = null;
  deadline = 0;
  /** See {@linkcode Timed.expire}. */
  readonly expire: () => void;

  /** @param expire Called at the deadline. */
  constructor(expire: () => void) {
    this.expire = expire;
  }
}

/** Calls a function, and rejects if its promise has not settled in time. */
export function withDeadline<Result>(
  call: () => Promise<Result> | Result,
  { wheel, timeout, late }: DeadlineOptions,
): Promise<Result> {
  return new Promise((resolve, reject) => {
    const deadline = new Deadline(() => reject(late()));
    wheel.set(deadline, timeout);
    const settled = () => {
      wheel.remove(deadline);
      // An application without connections must not keep the process alive.
      wheel.rest();
    };
    const result = new Promise<Result>((resolve) => resolve(call()));
    result.then(resolve, reject).finally(settled);
  });
}
