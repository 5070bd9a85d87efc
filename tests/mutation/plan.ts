/**
 * Chooses the sources to mutate, and the tests that must find the mutants.
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
 * Sources that listen, accept, set up, or serve HTTP/2 or another server. Most of their tests use
 * sockets. The other sources of src/server handle a request.
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

/** Tests that start a process or measure sockets. Their time varies too much for a time limit. */
const USES_SYSTEM = /child_process|node:(net|tls)\b|wire_client|spawn\.ts/;

/** Sources without hand-written code. */
const GENERATED = /_wasm\.ts$/;

/** The sources of a folder of src/ that are in `paths`. Without paths, all of them. */
export function findSources(folder: string, paths: readonly string[]): string[] {
  return readdirSync(join(root, "src", folder))
    .filter((name) => name.endsWith(".ts") && !GENERATED.test(name))
    .filter((name) => folder !== "server" || !LEFT_OUT_OF_SERVER.includes(basename(name, ".ts")))
    .map((name) => `src/${folder}/${name}`)
    .filter((file) => paths.length === 0 || paths.some((path) => isIn(path, file)))
    .sort();
}

/**
 * Checks that each path contains sources.
 *
 * @throws {UsageError} If one contains none.
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

/** The tests in some files and folders that run in memory and in a shared process. */
export function findTests(paths: readonly string[]): string[] {
  const missing = paths.find((path) => !existsSync(join(root, path)));
  if (missing !== undefined) throw new UsageError(`Cannot test ${missing}: no such file or folder`);
  return findFiles({ paths, tier: "unit" }).filter((file) =>
    !USES_SYSTEM.test(readFileSync(join(root, file), "utf8"))
  );
}

/**
 * The tests that import a source, directly or not. Tests with the same name come first, then the
 * fastest.
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
 * Draws the wanted number of mutants of some sources from a seed, without known equivalent ones. When
 * another mutant becomes known as equivalent, the same seed still draws the same others.
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

/** Whether a mutant is a known one. Ignores line numbers, because lines move. */
export function isSame(known: Equivalent, mutant: Mutant): boolean {
  return known.file === mutant.file && known.before === mutant.before &&
    [known.after].flat().includes(mutant.after) && (known.above ?? mutant.above) === mutant.above;
}
