/**
 * Fuzzing for a chosen time: `deno task fuzz [SECONDS] [SEED]`. It prints the seed that fails. Add the seed
 * to `REGRESSIONS` when the fault is fixed.
 *
 * @module
 */
import process from "node:process";
import { compareRandom } from "../peers/differential/compare.ts";
import { startSubjects } from "../peers/differential/subjects.ts";
import { randomSeed } from "../support/random.ts";
import { parseInteger, parseTaskArgs, runTask } from "../support/usage.ts";
import { dice } from "./mutate.ts";
import { type Target, TARGETS } from "./targets.ts";

/** Runs all targets with one seed after the other. Returns the number of failures. */
async function fuzz(first: number, seconds: number): Promise<number> {
  await using subjects = await startSubjects();
  const differential: Target = (next) => compareRandom(subjects, next);
  const targets: Readonly<Record<string, Target>> = { ...TARGETS, differential };
  const names = Object.keys(targets);
  const end = Date.now() + seconds * 1000;
  const runs: Record<string, number> = {};
  let failed = 0;
  for (let seed = first; Date.now() < end; seed++) {
    for (const name of names) {
      runs[name] = (runs[name] ?? 0) + 1;
      try {
        await targets[name]?.(dice(seed));
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
  const failed = await fuzz(parseInteger("SEED", seed), parseInteger("SECONDS", seconds, 1));
  return failed > 0 ? 1 : 0;
});
