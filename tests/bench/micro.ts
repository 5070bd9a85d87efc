/**
 * Runs the micro-benchmarks, the files named `*.bench.ts` in this folder, on each runtime.
 * `deno task bench:micro [--only PATTERN] [--runtime bun|deno|node]`
 *
 * @module
 */

import { runTask } from "../support/usage.ts";
import { parseOptions } from "./options.ts";
import { root, runtimeCommand } from "./runtimes.ts";
import { pinned, SERVER_CORE } from "./server_process.ts";
import { type RuntimeName, RUNTIMES, runtimeTitle } from "./subjects.ts";

const FOLDER = `${root}/tests/bench`;

async function benchmarkFiles(pattern: string): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of Deno.readDir(FOLDER)) {
    if (name.endsWith(".bench.ts") && name.includes(pattern)) names.push(name);
  }
  return names.sort();
}

/** Runs one file. Returns whether it succeeded. */
async function runFile(name: string, runtime: RuntimeName): Promise<boolean> {
  console.log(`\n# ${name} on ${runtimeTitle(runtime)}`);
  const [command = "", ...args] = pinned(
    SERVER_CORE,
    runtimeCommand(runtime, `${FOLDER}/${name}`),
  );
  const { success } = await new Deno.Command(command, { args }).spawn().status;
  return success;
}

async function main(): Promise<void> {
  const { only, runtime } = parseOptions(Deno.args);
  for (const name of await benchmarkFiles(only)) {
    for (const each of runtime ? [runtime] : RUNTIMES) {
      if (!await runFile(name, each)) Deno.exitCode = 1;
    }
  }
}

if (import.meta.main) {
  await runTask(async () => {
    await main();
    return Deno.exitCode;
  });
}
