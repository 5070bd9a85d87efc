/**
 * Simulates worlds for a given time: `deno task simulate [SECONDS] [SEED] [--runtime NAME]`. With
 * `--cpu`, the time is that of the CPU. If a world breaks an invariant, it is made shorter and printed
 * with its seed. The exit code is 0 if no world did.
 *
 * @module
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { randomSeed } from "../support/random.ts";
import { runtime, runtimes, scriptCommand } from "../support/runtime.ts";
import { parseInteger, parseTaskArgs, runTask, UsageError } from "../support/usage.ts";
import { simulate } from "./simulate.ts";

const MINUTE = 60_000;

/** Runs this file on another runtime. */
async function runOn(name: string, args: readonly string[]): Promise<number> {
  const other = runtimes.find((known) => known === name);
  if (other === undefined) throw new UsageError(`--runtime must be ${runtimes.join(", ")}`);
  const [path = "", ...rest] = scriptCommand("tests/simulation/main.ts", other, "--allow-all");
  const [code] = await once(spawn(path, [...rest, ...args], { stdio: "inherit" }), "exit");
  return Number(code ?? 1);
}

/** The CPU time of this process, in milliseconds. */
function cpuTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

await runTask(async () => {
  const { values, positionals } = parseTaskArgs(process.argv.slice(2), {
    worlds: { type: "string" },
    "no-shrink": { type: "boolean" },
    cpu: { type: "boolean" },
    runtime: { type: "string" },
  });
  const [seconds = "20", seed = `${randomSeed()}`] = positionals;
  const { worlds, cpu = false, "no-shrink": keepsLength = false, runtime: chosen = runtime } =
    values;
  if (chosen !== runtime) {
    const options = worlds === undefined ? [] : ["--worlds", worlds];
    if (keepsLength) options.push("--no-shrink");
    if (cpu) options.push("--cpu");
    return await runOn(chosen, [seconds, seed, ...options]);
  }
  const found = await simulate({
    seed: parseInteger("SEED", seed),
    milliseconds: parseInteger("SECONDS", seconds, 1) * 1000,
    worlds: worlds === undefined ? Infinity : parseInteger("--worlds", worlds, 1),
    shrinks: !keepsLength,
    print: (line) => console.log(line),
    ...(cpu ? { now: cpuTime } : {}),
    ...(worlds === undefined ? { progress: MINUTE } : {}),
  });
  return found ? 1 : 0;
});
