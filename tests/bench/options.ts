/**
 * The command line of the benchmark.
 *
 * @module
 */

import { UsageError } from "../support/usage.ts";
import type { RuntimeName } from "./subjects.ts";

/** The parsed command line. */
export interface Options {
  /** Whether to run only one short repetition. */
  readonly quick: boolean;
  readonly repetitions: number;
  /** Measured time of each run, in seconds. */
  readonly seconds: number;
  /** Runs only jobs whose `workload/subject` contains this text. */
  readonly only: string;
  /** Runs only our server on this runtime, and its peers. */
  readonly runtime: RuntimeName | undefined;
  /** Whether to update the section of the README. */
  readonly readme: boolean;
  /** Whether to measure the smallest programs too, and report the limits only. */
  readonly limits: boolean;
}

/** The text that `--help` and wrong options print. */
export const USAGE = `\
usage: deno task bench [options]
  --quick              one repetition of short runs, in less than three minutes
  --repetitions N      how often to run everything (default 5); the medians count
  --seconds S          measured time of each run (default 3)
  --only PATTERN       only runs whose WORKLOAD/SUBJECT contains this, e.g. echo-64x1/ours
  --runtime NAME       only bun, deno or node, with the peers of that runtime
  --limits             report what the smallest program reaches where there is a target
  --readme             also replace the benchmark's section in README.md`;

const RUNTIMES: readonly string[] = ["bun", "deno", "node"] satisfies RuntimeName[];

function isRuntime(name: string): name is RuntimeName {
  return RUNTIMES.includes(name);
}

function positive(option: string, value: string): number {
  const number = Number(value);
  if (number > 0) return number;
  throw new UsageError(`Cannot read ${option} ${value}: not a number above 0`);
}

/** Parses the command line. Throws a `UsageError` for unknown options and wrong values. */
export function parseOptions(args: readonly string[]): Options {
  const flags = new Set<string>();
  const values = new Map<string, string>();
  for (let i = 0; i < args.length; i++) {
    const name = args[i] ?? "";
    if (["--quick", "--readme", "--limits"].includes(name)) {
      flags.add(name);
    } else if (["--repetitions", "--seconds", "--only", "--runtime"].includes(name)) {
      values.set(name, args[++i] ?? "");
    } else {
      throw new UsageError(`Cannot read ${name}: not an option; --help lists them`);
    }
  }
  const quick = flags.has("--quick");
  const runtime = values.get("--runtime");
  if (runtime !== undefined && !isRuntime(runtime)) {
    throw new UsageError(`Cannot read --runtime ${runtime}: not one of ${RUNTIMES.join(", ")}`);
  }
  return {
    quick,
    repetitions: positive("--repetitions", values.get("--repetitions") ?? (quick ? "1" : "5")),
    seconds: positive("--seconds", values.get("--seconds") ?? (quick ? "0.3" : "3")),
    only: values.get("--only") ?? "",
    runtime,
    readme: flags.has("--readme"),
    limits: flags.has("--limits"),
  };
}
