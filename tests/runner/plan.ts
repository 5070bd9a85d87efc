/**
 * What runs where: the test files, put together into the processes that run them.
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
  /** What the files have in common, for people. */
  readonly label: string;
}

/** The most files of unit tests in a process: a process costs half a second, but fills no core alone. */
const BATCH = 24;

/**
 * The test files that were asked for, sorted.
 *
 * @throws {UsageError} If a path leads to none.
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
  const bySuite = Map.groupBy(files, suiteOf);
  const ranked = [...bySuite].sort(([a], [b]) => rank(a) - rank(b));
  const named = ranked.filter(([suite]) => !isOrdinary(suite))
    .flatMap(([suite, own]) => jobsOfSuite(suite, own, runtimes));
  const ordinary = ranked.filter(([suite]) => isOrdinary(suite)).flatMap(([, own]) => own).sort();
  return [...named, ...runtimes.flatMap((runtime) => batches(runtime, ordinary))];
}

/** Where a suite stands in the table; behind all of it if it has no row. */
function rank(suite: Suite): number {
  const index = SUITES.indexOf(suite);
  return index === -1 ? SUITES.length : index;
}

/** Whether a suite's files may share a process with those of others. */
function isOrdinary({ tier, once, alone }: Suite): boolean {
  return tier === "unit" && once === undefined && !alone;
}

function jobsOfSuite(suite: Suite, files: readonly string[], runtimes: readonly Runtime[]): Job[] {
  const { once, alone, path } = suite;
  const [first] = runtimes;
  const own = once === undefined
    ? runtimes
    : [runtimes.includes(once) ? once : first].filter((runtime) => runtime !== undefined);
  return own.flatMap((runtime) =>
    alone
      ? files.map((file) => ({ runtime, files: [file], label: file }))
      : [{ runtime, files, label: path }]
  );
}

/** Evenly filled batches. */
function batches(runtime: Runtime, files: readonly string[]): Job[] {
  const count = Math.ceil(files.length / BATCH);
  return Array.from({ length: count }, (_, index) => {
    const own = files.slice(
      Math.floor(index * files.length / count),
      Math.floor((index + 1) * files.length / count),
    );
    const label = own.length === 1 ? own[0] ?? "" : `${own[0]} … ${own.at(-1)?.slice(6)}`;
    return { runtime, files: own, label };
  });
}
