/**
 * The three runtimes: where they are, and how they run a batch.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { root, type Runtime, runtimePath } from "../support/runtime.ts";
import { UsageError } from "../support/usage.ts";
import { BUN_PURGE_VARIABLE } from "./batch_events.ts";

/** Time limit for one test, in milliseconds. It only ends tests that hang. */
const TEST_TIMEOUT = 240_000;

/** The file that runs a batch on Bun. Without the "./", Bun takes the path as a name pattern. */
const BATCH = "./tests/runner/batch.ts";
/** The file that runs a batch on Deno and Node. */
const LIGHT_BATCH = "./tests/runner/light_batch.ts";

/** The first version of Node that runs TypeScript directly. */
const OLDEST_NODE = [22, 18] as const;

/**
 * Finds a runtime's executable, and tries it by asking for its version.
 *
 * @throws {UsageError} If it does not start, or is too old.
 */
export function checkRuntime(runtime: Runtime, executable: string | undefined): string {
  const path = executable ?? locate(runtime);
  const { status, stdout, error } = spawnSync(path, ["--version"], { encoding: "utf8" });
  if (status !== 0) {
    throw new UsageError(
      `Cannot test on ${runtime}: ${path} does not start (${
        error?.message ?? `code ${status}`
      }); ` +
        "run npm rebuild, or choose with --runtime",
    );
  }
  const [, major = "0", minor = "0"] = /(\d+)\.(\d+)/.exec(stdout) ?? [];
  const isOld = Number(major) < OLDEST_NODE[0] ||
    (Number(major) === OLDEST_NODE[0] && Number(minor) < OLDEST_NODE[1]);
  if (runtime === "node" && isOld) {
    throw new UsageError(
      `Cannot test on Node ${stdout.trim()} (${path}): needs ${OLDEST_NODE.join(".")} or newer`,
    );
  }
  return path;
}

function locate(runtime: Runtime): string {
  try {
    return runtimePath(runtime);
  } catch {
    throw new UsageError(
      `Cannot test on ${runtime}: it is not installed; run npm install, or choose with --runtime`,
    );
  }
}

/** How a batch reports. */
export interface Reports {
  /** Where the JUnit report goes. */
  readonly report: string;
  /** Whether to print tests that pass. Bun prints them always. */
  readonly verbose: boolean;
}

/** The command that runs a batch and writes its JUnit report. */
export function batchCommand(
  runtime: Runtime,
  path: string,
  { report, verbose }: Reports,
): string[] {
  const light = [LIGHT_BATCH, report, `${TEST_TIMEOUT}`, ...(verbose ? ["--verbose"] : [])];
  switch (runtime) {
    case "deno":
      return [path, "run", "--allow-all", "--no-check", ...light];
    case "bun":
      return [
        path,
        "test",
        `--timeout=${TEST_TIMEOUT}`,
        "--reporter=junit",
        `--reporter-outfile=${report}`,
        BATCH,
      ];
    case "node":
      return [path, ...light];
  }
}

/** Where Node keeps the sources that it has compiled. */
const COMPILED = join(root, "node_modules/.cache/node");

/**
 * The environment variables of a batch, and of the programs that its tests start.
 *
 * Node keeps compiled sources: loading all of `src/` takes half the CPU time then. Tests allocate and
 * free large arrays all the time. On Bun, a third of the CPU time was spent on returning their memory
 * to the system, and on getting it again.
 */
export function batchEnvironment(runtime: Runtime): Readonly<Record<string, string>> {
  return {
    NODE_COMPILE_CACHE: COMPILED,
    ...(runtime === "bun" ? { [BUN_PURGE_VARIABLE]: "-1" } : {}),
  };
}
