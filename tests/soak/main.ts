/**
 * `deno task soak`: runs soak.ts on Node.
 *
 * @module
 */
import { environment } from "../support/install.ts";
import { scriptCommand } from "../support/runtime.ts";

const [node = "node", ...args] = scriptCommand("tests/soak/soak.ts", "node", "--allow-all");
const soak = new Deno.Command(node, { args: [...args, ...Deno.args], env: environment() }).spawn();
Deno.exit((await soak.status).code);
