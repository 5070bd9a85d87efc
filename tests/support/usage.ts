/**
 * Handles wrong usage of a task of `deno.json`: one line of output and exit code 2.
 *
 * @module
 */
import process from "node:process";
import { parseArgs, type ParseArgsConfig } from "node:util";

/** Wrong usage: a wrong option, a missing file, or a program that is not installed. */
export class UsageError extends Error {
  override name = "UsageError";
}

/** Runs a task and exits with its exit code, or with 2 after a {@linkcode UsageError}. */
export async function runTask(task: () => Promise<number> | number): Promise<never> {
  try {
    process.exit(await task());
  } catch (error) {
    exitForUsage(error);
  }
}

/** Returns the value of `read`. Ends the process if it throws a {@linkcode UsageError}. */
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

/** The parsed arguments of a task. */
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
 * Parses a numeric argument of a task.
 *
 * @throws {UsageError} If it is not an integer of at least `least`.
 */
export function parseInteger(what: string, text: string, least = 0): number {
  const number = Number(text);
  if (text.trim() !== "" && Number.isSafeInteger(number) && number >= least) return number;
  throw new UsageError(`${what} must be an integer of at least ${least}, got ${text}`);
}
