/**
 * Starts an example as its header says, under any runtime.
 *
 * @module
 */
import type { Runtime } from "./runtime.ts";
import { type Child, spawnScript } from "./spawn.ts";

/** A running example. */
export interface Example {
  /** Its process; `stop("SIGINT")` is Ctrl-C. */
  readonly child: Child;
  /** The URL that it has printed. */
  readonly url: URL;
}

/**
 * Resolves once the example has printed its URL. The test stops `child`.
 *
 * @param permission The permissions on Deno. Default: `"--allow-net"`.
 */
export async function startExample(
  runtime: Runtime,
  path: string,
  { permission = "--allow-net" }: { readonly permission?: string },
  ...args: readonly string[]
): Promise<Example> {
  const child = spawnScript(path, args, { permission, runtime });
  try {
    const [url] = await child.waitFor(/https?:\/\/[^\s/]+:\d+[^\s]*(?=\s)/);
    return { child, url: new URL(url) };
  } catch (error) {
    await child.stop("SIGKILL");
    throw error;
  }
}
