/**
 * Fuzzing for as long as one likes: `deno task fuzz [SECONDS] [SEED]`. It prints the seed that fails,
 * which belongs into `REGRESSIONS` once it is fixed.
 *
 * @module
 */
import process from "node:process";
import { dice } from "./mutate.ts";
import { TARGETS } from "./targets.ts";

const [seconds = "60", first = `${Date.now() % 2 ** 31}`] = process.argv.slice(2);
const end = Date.now() + Number(seconds) * 1000;
const names = Object.keys(TARGETS);
const runs: Record<string, number> = {};
let failed = 0;

for (let seed = Number(first); Date.now() < end; seed++) {
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
process.exitCode = failed > 0 ? 1 : 0;
