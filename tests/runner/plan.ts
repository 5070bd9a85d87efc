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
import { type Suite, suiteOf, SUITES, type Tier } from "./suites.ts";

/** Files that one process runs. */
export interface Job {
  readonly runtime: Runtime;
  readonly files: readonly string[];
  /** A name for what the files have in common, for the report. */
  readonly label: string;
  /** Whether this process mostly waits. Then it runs beside processes that use the CPU. */
  readonly waits: boolean;
  /** Its place in the order in which jobs start. */
  readonly rank: number;
}

/**
 * The most files of a process, by tier. Starting a process and loading the sources takes one to two
 * seconds of CPU time, so most suites share processes. With all files of a tier in one process for each
 * runtime, the last process would run alone, and leave the other cores idle.
 */
const MOST_FILES: Readonly<Record<Tier, number>> = { unit: 120, system: 22, e2e: 12 };

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
  const ranked = [...files].sort((a, b) => rankOf(a) - rankOf(b));
  const jobs = runtimes.flatMap((runtime) => {
    const own = ranked.filter((file) => runtimesFor(suiteOf(file), runtimes).includes(runtime));
    return [...Map.groupBy(own, groupOf).values()].flatMap((group) => batches(runtime, group));
  });
  return jobs.sort((a, b) => a.rank - b.rank);
}

/** The index of a file's suite in the table. */
function rankOf(file: string): number {
  return SUITES.indexOf(suiteOf(file));
}

/** The group of a file. Only files of one group share a process. */
function groupOf(file: string): string {
  const { path, tier, waits, alone } = suiteOf(file);
  return alone ? path : [tier, waits].join();
}

function runtimesFor({ once }: Suite, runtimes: readonly Runtime[]): readonly Runtime[] {
  if (once === undefined) return runtimes;
  return runtimes.includes(once) ? [once] : runtimes.slice(0, 1);
}

/** Deals the files of a group out to as few batches as possible. */
function batches(runtime: Runtime, group: readonly string[]): Job[] {
  const { tier, waits = false } = suiteOf(group[0] ?? "");
  const count = Math.ceil(group.length / MOST_FILES[tier]);
  return Array.from({ length: count }, (_, part) => {
    // Files of one suite are neighbours, and those of the slowest suites come first.
    const files = group.filter((_, index) => index % count === part);
    const [first = "", last = ""] = [files[0], files.at(-1)];
    const label = files.length === 1 ? first : `${files.length} files, ${first} … ${last.slice(6)}`;
    return { runtime, files, label, waits, rank: rankOf(first) + part / count };
  });
}
