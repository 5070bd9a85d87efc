/**
 * Simulates worlds for a given time: `deno task simulate [SECONDS] [SEED]`. If a world breaks an
 * invariant, it is made shorter and printed with its seed. The exit code is 0 if no world did.
 *
 * @module
 */
import process from "node:process";
import { randomSeed } from "../support/random.ts";
import { parseInteger, parseTaskArgs, runTask } from "../support/usage.ts";
import { simulate } from "./simulate.ts";

await runTask(async () => {
  const { values, positionals } = parseTaskArgs(process.argv.slice(2), {
    worlds: { type: "string" },
    "no-shrink": { type: "boolean" },
  });
  const [seconds = "20", seed = `${randomSeed()}`] = positionals;
  const found = await simulate({
    seed: parseInteger("SEED", seed),
    milliseconds: parseInteger("SECONDS", seconds, 1) * 1000,
    worlds: values.worlds === undefined ? Infinity : parseInteger("--worlds", values.worlds, 1),
    shrinks: values["no-shrink"] !== true,
    print: (line) => console.log(line),
  });
  return found ? 1 : 0;
});
