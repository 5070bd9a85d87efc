/**
 * Which sources are mutated, and which tests must find it.
 *
 * @module
 */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join, posix } from "node:path";
import { findFiles } from "../runner/plan.ts";
import { root } from "../support/runtime.ts";
import { isIn } from "../runner/suites.ts";
import { UsageError } from "../support/usage.ts";
import { dice } from "../fuzz/mutate.ts";
import { EQUIVALENT, type Equivalent } from "./equivalent.ts";
import { canParse, findMutants, type Mutant } from "./mutants.ts";

/** The folders of src/; the tests of each are those of the same folder of tests/. */
export const FOLDERS = ["protocol", "handshake", "connection", "http", "server"] as const;

/**
 * What listens, accepts, is set up, or serves HTTP/2 or another server; most of their tests use sockets. The
 * rest of src/server follows a request.
 */
const LEFT_OUT_OF_SERVER = [
  "application",
  "attachment",
  "connection_group",
  "context",
  "http2_session",
  "log",
  "proxy_headers",
  "route_types",
  "server",
  "settings",
  "stream_connection",
  "stream_dispatch",
  "stream_exchange",
  "stream_responder",
  "tls_handshakes",
  "upgrade_dispatch",
  "upgrade_request",
];

/** What starts a process or measures sockets, so that its time tells nothing. */
const USES_SYSTEM = /child_process|node:(net|tls)\b|wire_client|spawn\.ts/;

/** Without code of ours. */
const GENERATED = /_wasm\.ts$/;

/** The sources of a folder of src/, as far as they are in `paths`, or all. */
export function findSources(folder: string, paths: readonly string[]): string[] {
  return readdirSync(join(root, "src", folder))
    .filter((name) => name.endsWith(".ts") && !GENERATED.test(name))
    .filter((name) => folder !== "server" || !LEFT_OUT_OF_SERVER.includes(basename(name, ".ts")))
    .map((name) => `src/${folder}/${name}`)
    .filter((file) => paths.length === 0 || paths.some((path) => isIn(path, file)))
    .sort();
}

/**
 * Checks that there are sources in each path.
 *
 * @throws {UsageError} If there are none.
 */
export function checkPaths(paths: readonly string[]): void {
  const all = FOLDERS.flatMap((folder) => findSources(folder, []));
  for (const path of paths) {
    if (all.some((file) => isIn(path, file))) continue;
    throw new UsageError(
      `Cannot mutate ${path}: not a source or folder among ` +
        FOLDERS.map((folder) => `src/${folder}`).join(", "),
    );
  }
}

/** Of some files and folders, the tests that run in memory and in a shared process. */
export function findTests(paths: readonly string[]): string[] {
  const missing = paths.find((path) => !existsSync(join(root, path)));
  if (missing !== undefined) throw new UsageError(`Cannot test ${missing}: no such file or folder`);
  return findFiles({ paths, tier: "unit" }).filter((file) =>
    !USES_SYSTEM.test(readFileSync(join(root, file), "utf8"))
  );
}

/**
 * The tests that can tell something about a source, since it is among their imports: first those
 * with its name, then the quickest.
 *
 * @param costs How much CPU time each test takes.
 */
export function relevantTests(
  source: string,
  tests: readonly string[],
  costs: ReadonlyMap<string, number>,
): string[] {
  const name = basename(source, ".ts");
  const cost = (test: string) => basename(test).startsWith(name) ? 0 : costs.get(test) ?? 0;
  return tests.filter((test) => reaches(test, source)).sort((a, b) => cost(a) - cost(b));
}

/** Whether a file imports another, directly or not. */
function reaches(from: string, to: string): boolean {
  const seen = new Set([from]);
  for (const file of seen) {
    for (const imported of importsOf(file)) seen.add(imported);
  }
  return seen.has(to);
}

const imports = new Map<string, readonly string[]>();

/** The files that a file imports. */
function importsOf(file: string): readonly string[] {
  const known = imports.get(file);
  if (known !== undefined) return known;
  const text = readFileSync(join(root, file), "utf8");
  const found = [...text.matchAll(/(?:from |import |import\()"(\.[^"]+\.ts)"/g)]
    .map(([, path = ""]) => posix.join(dirname(file), path))
    .filter((path) => statSync(join(root, path), { throwIfNoEntry: false }) !== undefined);
  imports.set(file, found);
  return found;
}

/**
 * As many mutants of some sources as are wanted, drawn by a seed; without those known as equivalent.
 * A seed draws the same when another is found to be equivalent.
 */
export function drawMutants(
  sources: readonly string[],
  { count, seed }: { readonly count: number; readonly seed: number },
): Mutant[] {
  const all = sources.flatMap((file) => findMutants(file, readFileSync(join(root, file), "utf8")));
  const roll = dice(seed);
  for (let i = all.length - 1; i > 0; i--) {
    const j = roll(i + 1);
    [all[i], all[j]] = [all[j] as Mutant, all[i] as Mutant];
  }
  const drawn: Mutant[] = [];
  for (const mutant of all) {
    if (drawn.length === count) break;
    if (!isEquivalent(mutant) && canParse(mutant)) drawn.push(mutant);
  }
  return drawn;
}

function isEquivalent(mutant: Mutant): boolean {
  return EQUIVALENT.some((known) => isSame(known, mutant));
}

/** Whether a mutant is one that is known; lines move. */
export function isSame(known: Equivalent, mutant: Mutant): boolean {
  return known.file === mutant.file && known.before === mutant.before &&
    known.after === mutant.after && (known.above ?? mutant.above) === mutant.above;
}
