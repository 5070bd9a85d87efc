/**
 * Installs the development dependencies of package.json that are missing or have another version.
 * `deno task` needs them before its first run in a new clone. `deno task install NEED …` also installs
 * programs listed in `tests/runner/needs.ts`.
 *
 * @module
 */
import { delimiter, dirname } from "node:path";
import process from "node:process";
import { provide } from "../runner/packages.ts";
import { type NeedName, NEEDS } from "../runner/needs.ts";
import { root } from "./runtime.ts";
import { runTask, UsageError } from "./usage.ts";

/** Where npm puts the executables of packages. */
export const binaries = `${root}/node_modules/.bin`;

/**
 * Runs `npm install` unless every development dependency is installed in the right version.
 *
 * @throws {UsageError} If there is no npm.
 */
export async function install(): Promise<void> {
  const missing = missingPackages();
  if (missing.length === 0) return;
  console.log(`npm install (needed: ${missing.join(", ")})`);
  await npm("install", "--no-fund", "--no-audit");
  const still = missingPackages();
  if (still.length > 0) throw new Error(`npm install did not bring ${still.join(", ")}`);
}

/** Runs npm. Shows its output if it fails. */
async function npm(...args: string[]): Promise<void> {
  const command = new Deno.Command(Deno.build.os === "windows" ? "npm.cmd" : "npm", {
    args,
    cwd: root,
    // npm must not run on the Node that it is about to replace.
    env: { PATH: searchPath().join(delimiter) },
  });
  const { code, stdout, stderr } = await command.output().catch((cause) => {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
    throw new UsageError("Cannot run npm: not in PATH; install it, it comes with Node.js");
  });
  if (code === 0) return;
  throw new Error(`npm ${args.join(" ")} failed with code ${code}\n${text(stdout)}${text(stderr)}`);
}

/** The development dependencies that are missing or have another version. */
function missingPackages(): string[] {
  const { devDependencies } = readJson(`${root}/package.json`) as {
    devDependencies: Record<string, string>;
  };
  return Object.entries(devDependencies).filter(([name, wanted]) => {
    const version = installedVersion(name);
    // Versions are exact ("1.2.3", or "npm:name@1.2.3" for an alias); a "file:" package is a link.
    return wanted.startsWith("file:")
      ? version === undefined
      : wanted.split("@").at(-1) !== version;
  }).map(([name]) => name);
}

function installedVersion(name: string): string | undefined {
  try {
    return (readJson(`${root}/node_modules/${name}/package.json`) as { version: string }).version;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

function readJson(path: string): unknown {
  return JSON.parse(Deno.readTextFileSync(path));
}

/** The folders of PATH, without `node_modules/.bin`. */
function searchPath(): string[] {
  return (process.env.PATH ?? "").split(delimiter).filter((folder) => folder !== binaries);
}

/**
 * The environment for runtimes and tools. PATH begins with the packages' executables and this Deno.
 * Node caches the JavaScript it compiles from TypeScript, because compiling is most of its start time.
 */
export function environment(): Record<string, string> {
  return {
    PATH: [binaries, dirname(Deno.execPath()), ...searchPath()].join(delimiter),
    NODE_COMPILE_CACHE: `${root}/node_modules/.cache/node`,
  };
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** Checks that the programs that a task needs are installed. Fails and lists the missing ones. */
function provideAll(names: readonly string[]): number {
  const known = Object.keys(NEEDS) as NeedName[];
  const needs = names.map((name) => {
    const need = known.find((other) => other === name);
    if (need !== undefined) return need;
    throw new UsageError(`Cannot install ${name}: not one of ${known.join(", ")}`);
  });
  const missing = provide(needs, { install: true });
  for (const [name, reason] of missing) console.log(`Cannot install ${name}: ${reason}`);
  return missing.size > 0 ? 1 : 0;
}

if (import.meta.main) {
  await runTask(async () => {
    await install();
    return provideAll(Deno.args);
  });
}
