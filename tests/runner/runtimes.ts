/**
 * The three runtimes as the runner needs them: whether they start, and how they run a batch.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { type Runtime, runtimePath } from "../support/runtime.ts";
import { UsageError } from "../support/usage.ts";

/** How long a hanging test may hold its process up, in milliseconds, where the runtime can tell. */
const TEST_TIMEOUT = 120_000;

/** What runs a batch; Bun takes a path for a pattern of names without the "./". */
const BATCH = "./tests/runner/batch.ts";

/** Node runs TypeScript directly from this version on. */
const OLDEST_NODE = [22, 18] as const;

/**
 * Where a runtime's executable is, tried by asking it for its version.
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
  /** Whether the tests that pass are printed. Deno spends a third less on a test if not. */
  readonly verbose: boolean;
}

/** The command that runs a batch and writes its JUnit report. */
export function batchCommand(
  runtime: Runtime,
  path: string,
  { report, verbose }: Reports,
): string[] {
  switch (runtime) {
    case "deno":
      return [
        path,
        "test",
        "--allow-all",
        "--no-check",
        `--reporter=${verbose ? "pretty" : "dot"}`,
        `--junit-path=${report}`,
        BATCH,
      ];
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
      return [
        path,
        "--test",
        // Its name in Node 22, which later ones know too.
        "--experimental-test-isolation=none",
        `--test-timeout=${TEST_TIMEOUT}`,
        "--test-reporter=spec",
        "--test-reporter-destination=stdout",
        "--test-reporter=junit",
        `--test-reporter-destination=${report}`,
        BATCH,
      ];
  }
}
