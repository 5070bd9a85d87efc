/**
 * Divides the test files among processes.
 *
 * @module
 */
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { root, type Runtime } from "../support/runtime.ts";
import { UsageError } from "../support/usage.ts";
import type { Options } from "./options.ts";
import { type Suite, suiteOf, SUITES } from "./suites.ts";

/** Files that one process runs. */
export interface Job {
  readonly runtime: Runtime;
  readonly files: readonly string[];
  /** A name for what the files have in common, for the report. */
  readonly label: string;
  /** Whether this process mostly waits. Then it runs beside processes that use the CPU. */
  readonly waits: boolean;
}

/**
 * The most files in a process. Loading the sources takes about three seconds of CPU time, so all files of
 * the tier `unit` share one process for each runtime. The three processes run in parallel.
 */
const BATCH = 300;

/**
 * The test files that were asked for, sorted.
 *
 * @throws {UsageError} If a path has no test files.
 */
export function findFiles({ paths, tier }: Pick<Options, "paths" | "tier">): string[] {
  const found = (paths.length > 0 ? paths : ["tests"]).flatMap((path) => {
    const files = filesIn(path);
    if (files.length > 0) return files;
    throw new UsageError(`Cannot test ${path}: expected a *.test.ts, or a folder with some`);
  });
  const files = [...new Set(found)].sort()
    .filter((file) => tier === undefined || suiteOf(file).tier === tier);
  if (files.length > 0) return files;
  throw new UsageError(`Cannot test ${paths.join(" ")}: nothing there is of the tier ${tier}`);
}

function filesIn(path: string): string[] {
  if (statSync(join(root, path)).isFile()) return path.endsWith(".test.ts") ? [path] : [];
  return readdirSync(join(root, path), { withFileTypes: true }).flatMap((entry) => {
    const inner = `${path}/${entry.name}`;
    if (entry.isDirectory()) return entry.name === "node_modules" ? [] : filesIn(inner);
    return entry.name.endsWith(".test.ts") ? [inner] : [];
  });
}

/** The processes for some files, in the order in which they start. */
export function plan(files: readonly string[], runtimes: readonly Runtime[]): Job[] {
  const ranked = [...files].sort((a, b) => rank(suiteOf(a)) - rank(suiteOf(b)));
  const groups = Map.groupBy(ranked, groupOf);
  return [...groups.values()].flatMap((group) => {
    const [first = ""] = group;
    const { once, waits = false } = suiteOf(first);
    return runtimesFor(once, runtimes).flatMap((runtime) => batches(runtime, group, waits));
  });
}

/** The index of a suite in the table. */
function rank(suite: Suite): number {
  return SUITES.indexOf(suite);
}

/** The group of a file. Only files of one group share a process, so a slow program delays only its suite. */
function groupOf(file: string): string {
  const { path, tier, once, waits } = suiteOf(file);
  return tier === "e2e" ? path : [tier, once, waits].join();
}

function runtimesFor(once: Runtime | undefined, runtimes: readonly Runtime[]): readonly Runtime[] {
  if (once === undefined) return runtimes;
  return runtimes.includes(once) ? [once] : runtimes.slice(0, 1);
}

/** Splits files into batches of nearly equal size. */
function batches(runtime: Runtime, files: readonly string[], waits: boolean): Job[] {
  const count = Math.ceil(files.length / BATCH);
  return Array.from({ length: count }, (_, index) => {
    const own = files.slice(
      Math.floor(index * files.length / count),
      Math.floor((index + 1) * files.length / count),
    );
    const label = own.length === 1 ? own[0] ?? "" : `${own[0]} … ${own.at(-1)?.slice(6)}`;
    return { runtime, files: own, label, waits };
  });
}
