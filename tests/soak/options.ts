/**
 * The command line of the soak test.
 *
 * @module
 */
import { randomSeed } from "../support/random.ts";
import { type Runtime, runtimes } from "../support/runtime.ts";
import { parseInteger, parseTaskArgs, UsageError } from "../support/usage.ts";

/** The parsed command line. */
export interface Options {
  /** The time for all runtimes together. */
  readonly seconds: number;
  readonly connections: number;
  readonly idle: number;
  readonly runtimes: readonly Runtime[];
  readonly seed: number;
}

/**
 * Parses `[SECONDS] [CONNECTIONS] [IDLE] [RUNTIME …] [--seed N]`.
 *
 * @throws {UsageError} If an argument is not a number, a runtime or an option.
 */
export function parseOptions(args: readonly string[]): Options {
  const { values, positionals } = parseTaskArgs(args, { seed: { type: "string" } });
  const [seconds = "600", connections = "5000", idle = "20000", ...names] = positionals;
  return {
    seconds: parseInteger("SECONDS", seconds, 1),
    connections: parseInteger("CONNECTIONS", connections, 1),
    idle: parseInteger("IDLE", idle),
    runtimes: names.length > 0 ? names.map(runtimeOf) : runtimes,
    seed: values.seed === undefined ? randomSeed() : parseInteger("Option --seed", values.seed),
  };
}

function runtimeOf(name: string): Runtime {
  const found = runtimes.find((runtime) => runtime === name);
  if (found !== undefined) return found;
  throw new UsageError(`Cannot soak ${name}: no runtime is called so, only ${runtimes.join(", ")}`);
}
