/**
 * `deno task soak`: runs soak.ts on Node, and then the tests of `sizes.ts` in their large sizes.
 *
 * @module
 */
import { environment } from "../support/install.ts";
import { SEED_VARIABLE } from "../support/random.ts";
import { root, type Runtime, scriptCommand } from "../support/runtime.ts";
import { LARGE_VARIABLE, SIZED_FILES } from "../support/sizes.ts";
import { runTask } from "../support/usage.ts";
import { parseOptions } from "./options.ts";

/** Runs the tests that have large sizes. Returns the exit code. */
async function runLargeTests(seed: number, runtimes: readonly Runtime[]): Promise<number> {
  const options = ["--seed", `${seed}`, ...runtimes.flatMap((name) => ["--runtime", name])];
  const args = ["run", "-A", "tests/runner/main.ts", ...options, ...SIZED_FILES];
  const env = { [LARGE_VARIABLE]: "1" };
  return (await new Deno.Command(Deno.execPath(), { args, cwd: root, env }).spawn().status).code;
}

await runTask(async () => {
  const { seconds, connections, idle, runtimes, seed } = parseOptions(Deno.args);
  console.log(`Seed ${seed}: --seed ${seed} repeats what the clients draw`);
  const [node = "node", ...script] = scriptCommand("tests/soak/soak.ts", "node", "--allow-all");
  const args = [...script, `${seconds}`, `${connections}`, `${idle}`, ...runtimes];
  const env = { ...environment(), [SEED_VARIABLE]: `${seed}` };
  const { code } = await new Deno.Command(node, { args, env }).spawn().status;
  return Math.max(code, await runLargeTests(seed, runtimes));
});
