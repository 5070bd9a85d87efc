/**
 * How a task of `deno.json` ends: exit code 2, with one line, for a mistake of whoever called it.
 *
 * @module
 */
import process from "node:process";
import { parseArgs, type ParseArgsConfig } from "node:util";

/** A mistake of the caller: a wrong option, a missing file, a program that is not installed. */
export class UsageError extends Error {
  override name = "UsageError";
}

/** Runs a task and ends the process with its exit code; after a {@linkcode UsageError} with 2. */
export async function runTask(task: () => Promise<number> | number): Promise<never> {
  try {
    process.exit(await task());
  } catch (error) {
    exitForUsage(error);
  }
}

/** The value of `read`, before a task begins; after a {@linkcode UsageError} the process ends. */
export function orExit<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    exitForUsage(error);
  }
}

function exitForUsage(error: unknown): never {
  if (!(error instanceof UsageError)) throw error;
  console.error(error.message);
  process.exit(2);
}

/** What a task was called with. */
type Parsed<T extends NonNullable<ParseArgsConfig["options"]>> = ReturnType<
  typeof parseArgs<{ args: string[]; options: T; allowPositionals: true }>
>;

/**
 * Parses a task's arguments.
 *
 * @throws {UsageError} If an option is unknown or has a wrong value; the message lists the options.
 */
export function parseTaskArgs<const T extends NonNullable<ParseArgsConfig["options"]>>(
  args: readonly string[],
  options: T,
): Parsed<T> {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    const known = Object.keys(options).map((name) => `--${name}`).join(", ");
    const [problem = ""] = (error instanceof Error ? error.message : String(error)).split(". ");
    throw new UsageError(`${problem}; the options are ${known || "none"}`);
  }
}

/**
 * Checks that a task was called without arguments.
 *
 * @throws {UsageError} If there is one.
 */
export function expectNoArgs(task: string, args: readonly string[]): void {
  const [first] = args;
  if (first !== undefined) {
    throw new UsageError(`Cannot run task ${task} with ${first}: it takes no arguments`);
  }
}

/**
 * A number that a task was given.
 *
 * @throws {UsageError} If it is not an integer from `least` on.
 */
export function parseInteger(what: string, text: string, least = 0): number {
  const number = Number(text);
  if (text.trim() !== "" && Number.isSafeInteger(number) && number >= least) return number;
  throw new UsageError(`${what} must be an integer of at least ${least}, got ${text}`);
}
