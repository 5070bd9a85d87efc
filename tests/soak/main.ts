/**
 * `deno task soak`: runs soak.ts on Node.
 *
 * @module
 */
import { environment } from "../support/install.ts";
import { SEED_VARIABLE } from "../support/random.ts";
import { scriptCommand } from "../support/runtime.ts";
import { runTask } from "../support/usage.ts";
import { parseOptions } from "./options.ts";

await runTask(async () => {
  const { seconds, connections, idle, runtimes, seed } = parseOptions(Deno.args);
  console.log(`Seed ${seed}: --seed ${seed} repeats what the clients draw`);
  const [node = "node", ...script] = scriptCommand("tests/soak/soak.ts", "node", "--allow-all");
  const args = [...script, `${seconds}`, `${connections}`, `${idle}`, ...runtimes];
  const env = { ...environment(), [SEED_VARIABLE]: `${seed}` };
  return (await new Deno.Command(node, { args, env }).spawn().status).code;
});
