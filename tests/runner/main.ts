/**
 * Runs the test suites on Deno, Bun and Node:
 *
 * ```sh
 * deno task test                                   # everything, on all three
 * deno task test --runtime bun tests/protocol      # some files or folders, on one
 * deno task test --help                            # all options
 * ```
 *
 * The output of a process is shown only if something failed in it. The exit code is 1 if a test failed
 * or did not end, or if a file ran no tests. It is 2 if the command line is wrong.
 *
 * @module
 */
import process from "node:process";
import { environment, install } from "../support/install.ts";
import { runTask } from "../support/usage.ts";
import { HELP, parseOptions } from "./options.ts";

await runTask(async () => {
  const options = parseOptions(Deno.args);
  if (options.help) {
    console.log(HELP);
    return 0;
  }
  await install();
  Object.assign(process.env, environment());
  // Imported after the installation, because it needs packages. Not a literal: Deno would resolve a
  // literal at start.
  const { runTests } = await import(
    new URL("run.ts", import.meta.url).href
  ) as typeof import("./run.ts");
  return await runTests(options);
});
