/**
 * Fuzzing for a chosen time: `deno task fuzz [SECONDS] [SEED]`. It prints the seed that fails. Add the seed
 * to `REGRESSIONS` when the fault is fixed.
 *
 * @module
 */
import process from "node:process";
import { randomSeed } from "../support/random.ts";
import { parseInteger, parseTaskArgs, runTask } from "../support/usage.ts";
import { dice } from "./mutate.ts";
import { TARGETS } from "./targets.ts";

/** Runs all targets with one seed after the other. Returns the number of failures. */
async function fuzz(first: number, end: number): Promise<number> {
  const names = Object.keys(TARGETS);
  const runs: Record<string, number> = {};
  let failed = 0;
  for (let seed = first; Date.now() < end; seed++) {
    for (const name of names) {
      runs[name] = (runs[name] ?? 0) + 1;
      try {
        await TARGETS[name]?.(dice(seed));
      } catch (error) {
        failed++;
        console.error(`${name} fails with seed ${seed}:`, error);
      }
    }
  }
  console.log(`From seed ${first}: ${names.map((name) => `${name} ${runs[name]}`).join(", ")}`);
  console.log(`${failed} failed`);
  return failed;
}

await runTask(async () => {
  const { positionals } = parseTaskArgs(process.argv.slice(2), {});
  const [seconds = "60", seed = `${randomSeed()}`] = positionals;
  const end = Date.now() + parseInteger("SECONDS", seconds, 1) * 1000;
  return await fuzz(parseInteger("SEED", seed), end) > 0 ? 1 : 0;
});
