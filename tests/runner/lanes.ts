/**
 * Runs jobs in parallel.
 *
 * @module
 */
import type { Job } from "./plan.ts";

/**
 * A number of lanes for jobs that use the CPU, and beside them the same number for jobs that mostly wait.
 * A lane of the first kind takes a job that waits if there is no other.
 */
export class Lanes {
  readonly #run: (job: Job) => Promise<void>;
  readonly #queued = { computing: [] as Job[], waiting: [] as Job[] };
  readonly #free: { computing: number; waiting: number };
  readonly #running = new Set<Promise<void>>();

  constructor(count: number, run: (job: Job) => Promise<void>) {
    this.#free = { computing: count, waiting: count };
    this.#run = run;
  }

  /** Adds jobs. Of those that have not started, the one with the lowest rank starts first. */
  add(jobs: readonly Job[]): void {
    const { computing, waiting } = this.#queued;
    for (const job of jobs) (job.waits ? waiting : computing).push(job);
    for (const queue of [computing, waiting]) queue.sort((a, b) => a.rank - b.rank);
    this.#fill();
  }

  /** Resolves when no job is left. Rejects if running one rejects. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.race(this.#running);
  }

  #fill(): void {
    const { computing, waiting } = this.#queued;
    this.#start("computing", () => computing.shift() ?? waiting.shift());
    this.#start("waiting", () => waiting.shift());
  }

  #start(lane: "computing" | "waiting", next: () => Job | undefined): void {
    while (this.#free[lane] > 0) {
      const job = next();
      if (job === undefined) return;
      this.#free[lane]--;
      const running = this.#run(job).then(() => {
        this.#running.delete(running);
        this.#free[lane]++;
        this.#fill();
      });
      // `idle` tells it.
      running.catch(() => {});
      this.#running.add(running);
    }
  }
}
