/**
 * Runs one world after the other.
 *
 * @module
 */
import { drawPlan } from "./draw.ts";
import type { Outcome, Plan } from "./plan.ts";
import { shrink } from "./shrink.ts";
import { runPlan } from "./world.ts";

/** What to run. */
export interface SimulationOptions {
  /** The seed of the first world; each later one has the next number. */
  readonly seed: number;
  /** How long to go on. */
  readonly milliseconds: number;
  /** The time, in milliseconds. Default: `performance.now`. */
  readonly now?: () => number;
  /** How many worlds to run at most. */
  readonly worlds: number;
  /** Whether a failing world is made shorter. */
  readonly shrinks: boolean;
  /** Prints a line. */
  readonly print: (line: string) => void;
  /** The time between two lines that say how far the simulation is, in milliseconds. Default: none. */
  readonly progress?: number;
}

/** The sums over all worlds. */
class Totals {
  readonly #seed: number;
  #worlds = 0;
  #connections = 0;
  #events = 0;
  #time = 0;
  #hash = 0;

  constructor(seed: number) {
    this.#seed = seed;
  }

  add({ connections, trace, time }: Outcome): void {
    this.#worlds++;
    this.#connections += connections;
    this.#events += trace.length;
    this.#time += time;
    for (const line of trace) this.#hash = hashOf(line, this.#hash);
  }

  toString(): string {
    return `From seed ${this.#seed}: ${this.#worlds} worlds, ${this.#connections} connections, ` +
      `${this.#events} events, ${Math.round(this.#time / 3_600_000)} simulated hours, ` +
      `trace ${(this.#hash >>> 0).toString(16)}`;
  }
}

/** Runs worlds until one breaks an invariant. @returns Whether one did. */
export async function simulate(options: SimulationOptions): Promise<boolean> {
  const { seed, milliseconds, worlds, print, progress = Infinity } = options;
  const now = options.now ?? (() => performance.now());
  const totals = new Totals(seed);
  const start = now();
  let nextLine = progress;
  for (let ran = 0, elapsed = 0; ran < worlds && elapsed < milliseconds; ran++) {
    const plan = drawPlan(seed + ran);
    const outcome = await runPlan(plan);
    totals.add(outcome);
    if (outcome.failure !== undefined) {
      const seconds = ((now() - start) / 1000).toFixed(1);
      print(`${totals}; after ${seconds} s, the last one fails: ${outcome.failure}`);
      await explain(plan, outcome, options);
      return true;
    }
    elapsed = now() - start;
    if (elapsed < nextLine) continue;
    print(`${totals}, after ${Math.round(elapsed / 1000)} s`);
    nextLine += progress;
  }
  print(`${totals}; nothing was found`);
  return false;
}

/** Prints a world that fails. */
async function explain(
  plan: Plan,
  outcome: Outcome,
  { shrinks, print }: SimulationOptions,
): Promise<void> {
  const [shortest, last] = shrinks ? await shrink(plan, outcome) : [plan, outcome];
  for (const line of last.trace) print(line);
  print(JSON.stringify({ settings: shortest.settings, clients: shortest.clients }));
  print(`Seed ${plan.seed}: ${last.failure}`);
}

/** FNV-1a. */
function hashOf(line: string, start: number): number {
  let hash = start ^ 0x811c9dc5;
  for (let at = 0; at < line.length; at++) {
    hash = Math.imul(hash ^ line.charCodeAt(at), 0x0100_0193);
  }
  return hash;
}
