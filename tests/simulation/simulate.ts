/**
 * Runs one world after the other.
 *
 * @module
 */
import { drawPlan } from "./draw.ts";
import { shrink } from "./shrink.ts";
import { runPlan } from "./world.ts";

/** What to run. */
export interface SimulationOptions {
  /** The seed of the first world; each later one has the next number. */
  readonly seed: number;
  /** How long to go on. */
  readonly milliseconds: number;
  /** How many worlds to run at most. */
  readonly worlds: number;
  /** Whether a failing world is made shorter. */
  readonly shrinks: boolean;
  /** Prints a line. */
  readonly print: (line: string) => void;
}

/** Runs worlds until one breaks an invariant. @returns Whether one did. */
export async function simulate(options: SimulationOptions): Promise<boolean> {
  const { seed, milliseconds, worlds, shrinks, print } = options;
  const start = performance.now();
  let [connections, events, hash, time] = [0, 0, 0, 0];
  let ran = 0;
  while (ran < worlds && performance.now() - start < milliseconds) {
    const plan = drawPlan(seed + ran++);
    const outcome = await runPlan(plan);
    connections += outcome.connections;
    events += outcome.trace.length;
    time += outcome.time;
    for (const line of outcome.trace) hash = hashOf(line, hash);
    if (outcome.failure === undefined) continue;
    print(
      `Seed ${plan.seed} fails after ${ran} worlds, ${connections} connections and ` +
        `${Math.round(time / 3_600_000)} simulated hours: ${outcome.failure}`,
    );
    const [shortest, last] = shrinks ? await shrink(plan, outcome) : [plan, outcome];
    for (const line of last.trace) print(line);
    print(JSON.stringify({ settings: shortest.settings, clients: shortest.clients }));
    print(`Seed ${plan.seed}: ${last.failure}`);
    return true;
  }
  print(
    `From seed ${seed}: ${ran} worlds, ${connections} connections, ${events} events, ` +
      `${Math.round(time / 3_600_000)} simulated hours, trace ${
        (hash >>> 0).toString(16)
      }; nothing was found`,
  );
  return false;
}

/** FNV-1a. */
function hashOf(line: string, start: number): number {
  let hash = start ^ 0x811c9dc5;
  for (let at = 0; at < line.length; at++) {
    hash = Math.imul(hash ^ line.charCodeAt(at), 0x0100_0193);
  }
  return hash;
}
