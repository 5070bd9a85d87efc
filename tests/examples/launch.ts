/**
 * Starts an example with the exact command of its header, including permissions.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root, runtime, runtimePath } from "../support/runtime.ts";
import { Child } from "../support/spawn.ts";

/** A running example. */
export interface Launched {
  /** Its process. */
  readonly child: Child;
  /** The first line of its output: the URL or another address. */
  readonly place: string;
  /** The port of that URL. */
  readonly port: number;
}

/** The command of an example's header for this runtime, up to its own arguments. */
function commandOf(path: string): string[] {
  const header = readFileSync(join(root, path), "utf8");
  const line = header.split("\n").find((line) =>
    line.startsWith(` *     ${runtime} `) && line.includes(` ${path}`)
  );
  if (line === undefined) throw new Error(`Cannot find the command for ${runtime} in ${path}`);
  const [, ...args] = line.slice(" *     ".length).split(" ");
  // Types are checked by `deno task check`.
  const flags = runtime === "deno" ? ["run", "--no-check", ...args.slice(1)] : args;
  return [runtimePath(runtime), ...flags.slice(0, flags.indexOf(path) + 1)];
}

/** Runs `body` with an example, then ends the example with Ctrl-C. Its exit code must be 0. */
export async function withExample(
  name: string,
  args: readonly string[],
  body: (launched: Launched) => Promise<void>,
): Promise<void> {
  const child = new Child([...commandOf(`examples/${name}.ts`), ...args], { cwd: root });
  try {
    const [place] = await child.waitFor(/(?:https?:|unix:).*(?=\n)/);
    const port = Number(/:(\d+)/.exec(place)?.[1] ?? 0);
    await body({ child, place, port });
    const code = await child.stop("SIGINT");
    if (code !== 0) throw new Error(`${name} ended with code ${code}:\n${child.output}`);
  } finally {
    await child.stop("SIGKILL");
  }
}
