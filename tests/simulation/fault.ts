/**
 * Faults that are put into the code on purpose, and how the simulation finds them.
 *
 * @module
 */
import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "../runner/process.ts";
import { root, runtimePath } from "../support/runtime.ts";
import { UsageError } from "../support/usage.ts";

/** One fault. Its file in `faults/` has its name. */
export interface Fault {
  /** The source to change. */
  readonly file: string;
  /** The text to replace. The source must have it exactly once. */
  readonly find: string;
  /** The replacement. */
  readonly replace: string;
}

/** How a fault was found. */
export interface Finding {
  /** The seed, and the broken invariant; `undefined` if nothing was found. */
  readonly found: string | undefined;
  /** How long it took, in seconds of the CPU. */
  readonly seconds: number;
}

const COPIED = ["src", "tests", "mod.ts", "package.json", "deno.json"];
const FAULTS = join(root, "tests/simulation/faults");

/** The names of all faults. */
export function faultNames(): string[] {
  return readdirSync(FAULTS).map((file) => file.replace(/\.ts$/, "")).sort();
}

/** Loads a fault. @throws {UsageError} If there is none of this name. */
export async function loadFault(name: string): Promise<Fault> {
  if (!faultNames().includes(name)) throw new UsageError(`there is no fault ${name}`);
  const { fault } = await import(`./faults/${name}.ts`) as { fault: Fault };
  return fault;
}

/** The source with the fault. @throws {Error} If the source has changed. */
export function apply({ file, find, replace }: Fault): string {
  const source = readFileSync(join(root, file), "utf8");
  const parts = source.split(find);
  if (parts.length !== 2) {
    throw new Error(`Cannot put the fault into ${file}: it has ${parts.length - 1} times ${find}`);
  }
  return parts.join(replace);
}

/** How many times longer than its CPU time a search may take on a busy machine. */
const BUSY = 20;

/**
 * Simulates with a fault, in a copy of the repository, on Bun.
 *
 * @param seconds How long, at most, in seconds of the CPU.
 */
export async function search(fault: Fault, seconds: number, seed: number): Promise<Finding> {
  const folder = mkdtempSync(join(tmpdir(), "waterspout-fault-"));
  try {
    for (const name of COPIED) cpSync(join(root, name), join(folder, name), { recursive: true });
    symlinkSync(join(root, "node_modules"), join(folder, "node_modules"), "junction");
    writeFileSync(join(folder, fault.file), apply(fault));
    const args = [`${seconds}`, `${seed}`, "--no-shrink", "--cpu"];
    const { output } = await run([runtimePath("bun"), "tests/simulation/main.ts", ...args], {
      cwd: folder,
      env: {},
      timeout: (BUSY * seconds + 60) * 1000,
    });
    const [found] = /^Seed \d+: .*$/m.exec(output) ?? [];
    const [, used = `${seconds}`] = /; after (\d+\.\d) s, the last one fails/.exec(output) ?? [];
    return { found, seconds: Number(used) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
