/**
 * Waits with a timeout. Each error says what did not happen.
 *
 * @module
 */
import { isThenable } from "../../guard.ts";
import { ConformanceError } from "./expectations.ts";

/** What is waited for, as text or as a function that is called after the timeout. */
export type What = string | (() => string);

/** How often a condition is checked, in milliseconds, after the first checks. */
const INTERVAL = 3;

/** How many checks follow each other without a delay. */
const EAGER = 3;

/** Waits, in milliseconds. */
export function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Waits with the timeout of a case. */
export class Waiting {
  /** The timeout of each wait, in milliseconds. */
  readonly timeout: number;

  /** @param timeout The timeout of each wait, in milliseconds. */
  constructor(timeout: number) {
    this.timeout = timeout;
  }

  /** Resolves when a condition is true. */
  async until(what: What, condition: () => boolean | Promise<boolean>): Promise<void> {
    const end = performance.now() + this.timeout;
    for (let checks = 0; !await this.within(what, condition()); checks++) {
      if (performance.now() > end) throw this.#timedOut(what);
      await sleep(checks < EAGER ? 0 : INTERVAL);
    }
  }

  /** Settles as a promise does. Rejects after the timeout. */
  async within<T>(what: What, promise: Promise<T> | T): Promise<T> {
    if (!isThenable(promise)) return promise;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const timedOut = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(this.#timedOut(what)), this.timeout);
    });
    try {
      return await Promise.race([promise, timedOut]);
    } finally {
      clearTimeout(timer);
    }
  }

  #timedOut(what: What): ConformanceError {
    const text = typeof what === "string" ? what : what();
    return new ConformanceError(`Not within ${this.timeout} ms: ${text}`);
  }
}
