/**
 * How often a duration was measured, by its length.
 *
 * @module
 */

/**
 * A histogram of durations, as in Prometheus: each bucket includes the counts of all shorter ones.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import { Application, type HistogramStats } from "@waterspout/websocket";
 *
 * const { count, sum }: HistogramStats = new Application([]).stats().latency;
 * assert(count === 0 && sum === 0);
 * ```
 */
export interface HistogramStats {
  /** How many durations were measured. */
  readonly count: number;
  /** Their sum, in milliseconds. */
  readonly sum: number;
  /** The number of durations up to each limit, by the limit in milliseconds. */
  readonly buckets: Readonly<Record<number, number>>;
}

/** The limits of the buckets, in milliseconds. */
const LIMITS: readonly number[] = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000];

/** Counts durations. */
export class Histogram {
  readonly #counts: number[] = LIMITS.map(() => 0);
  #count = 0;
  #sum = 0;

  /** Counts a duration. @param duration In milliseconds. */
  observe(duration: number): void {
    const bucket = LIMITS.findIndex((limit) => duration <= limit);
    if (bucket !== -1) this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#count++;
    this.#sum += duration;
  }

  /** Copies the counts. */
  snapshot(): HistogramStats {
    let total = 0;
    const buckets = Object.fromEntries(
      LIMITS.map((limit, index) => [limit, total += this.#counts[index] ?? 0]),
    );
    return { count: this.#count, sum: this.#sum, buckets };
  }
}
