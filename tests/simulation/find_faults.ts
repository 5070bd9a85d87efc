/**
 * Checks that the simulation finds faults: `deno task simulate:faults [SECONDS] [NAME …]`. The exit code
 * is the number of faults that were not found.
 *
 * @module
 */
import process from "node:process";
import { parseInteger, parseTaskArgs, runTask } from "../support/usage.ts";
import { faultNames, loadFault, search } from "./fault.ts";

await runTask(async () => {
  const { values, positionals } = parseTaskArgs(process.argv.slice(2), {
    seed: { type: "string" },
  });
  const [seconds = "60", ...chosen] = positionals;
  const limit = parseInteger("SECONDS", seconds, 1);
  const seed = parseInteger("--seed", values.seed ?? "1");
  let missed = 0;
  for (const name of chosen.length === 0 ? faultNames() : chosen) {
    const { found, seconds } = await search(await loadFault(name), limit, seed);
    if (found === undefined) missed++;
    console.log(`${name}: ${found ?? "NOT FOUND"} (${seconds.toFixed(1)} s)`);
  }
  return missed;
});
