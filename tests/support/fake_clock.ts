import type { Clock } from "../../src/wheel.ts";

/** A clock that a test moves. */
export class FakeClock implements Clock {
  #now = 1000;
  #timeouts: { at: number; callback: () => void }[] = [];

  now(): number {
    return this.#now;
  }

  setTimeout(callback: () => void, delay: number): unknown {
    const timeout = { at: this.#now + delay, callback };
    this.#timeouts.push(timeout);
    return timeout;
  }

  clearTimeout(timeout: unknown): void {
    this.#timeouts = this.#timeouts.filter((other) => other !== timeout);
  }

  /** How many timeouts are set. */
  get pending(): number {
    return this.#timeouts.length;
  }

  /** Moves the time on as if the process had slept: what is due is called late, in {@linkcode advance}. */
  sleep(milliseconds: number): void {
    this.#now += milliseconds;
  }

  /** Moves the time on, and calls what is due in order, with the promises between them settled. */
  async advance(milliseconds: number): Promise<void> {
    const end = this.#now + milliseconds;
    for (;;) {
      const next = this.#timeouts.reduce<{ at: number; callback: () => void } | undefined>(
        (first, other) => first === undefined || other.at < first.at ? other : first,
        undefined,
      );
      if (next === undefined || next.at > end) break;
      this.clearTimeout(next);
      this.#now = Math.max(this.#now, next.at);
      next.callback();
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    this.#now = end;
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
}
