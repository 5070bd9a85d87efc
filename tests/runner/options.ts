/**
 * The command line of the test runner.
 *
 * @module
 */
import { availableParallelism } from "node:os";
import { existsSync } from "node:fs";
import { join, relative, resolve, sep } from "node:path";
import { randomSeed } from "../support/random.ts";
import { root, type Runtime, runtimes } from "../support/runtime.ts";
import { parseInteger, parseTaskArgs, UsageError } from "../support/usage.ts";
import { type Tier, TIERS } from "./suites.ts";

/** What `--help` prints. */
export const HELP = `\
deno task test [OPTION …] [FILE or FOLDER …]

  --runtime NAME    only on deno, bun or node; may be repeated
  --tier NAME       only the suites of a tier: ${TIERS.join(", ")}
  --no-skip         a suite that cannot run, for lack of a program, is a failure
  --may-skip PATH   the same, except for a suite of this path; may be repeated
  --no-install      install no Debian packages
  --seed N          the seed of all random values; default: a new one
  --jobs N          how many processes compute at a time, beside as many that mostly wait;
                    default: one more than there are cores, since all of them wait at times
  --timeout SECONDS how long a process may print nothing; default: 300
  --slowest N       how many of the slowest files are named at the end; default: 10
  --verbose         all output, also of tests that pass
  --deno, --bun, --node PATH   another executable of a runtime`;

/** The parsed command line. */
export interface Options {
  readonly runtimes: readonly Runtime[];
  /** Files and folders, relative to the repository, with `/`. */
  readonly paths: readonly string[];
  readonly tier: Tier | undefined;
  /** The suites that may be skipped; or all of them. */
  readonly maySkip: readonly string[] | "all";
  readonly install: boolean;
  readonly seed: number;
  readonly jobs: number;
  /** In milliseconds. */
  readonly timeout: number;
  /** How many of the slowest files are named at the end. */
  readonly slowest: number;
  readonly verbose: boolean;
  readonly help: boolean;
  readonly executables: Readonly<Partial<Record<Runtime, string>>>;
}

const DEFINITIONS = {
  "runtime": { type: "string", multiple: true },
  "tier": { type: "string" },
  "no-skip": { type: "boolean" },
  "may-skip": { type: "string", multiple: true },
  "no-install": { type: "boolean" },
  "seed": { type: "string" },
  "jobs": { type: "string" },
  "timeout": { type: "string" },
  "slowest": { type: "string" },
  "verbose": { type: "boolean" },
  "help": { type: "boolean" },
  "deno": { type: "string" },
  "bun": { type: "string" },
  "node": { type: "string" },
} as const;

/**
 * Parses the command line.
 *
 * @throws {UsageError} If an option, runtime or path does not exist.
 */
export function parseOptions(args: readonly string[]): Options {
  const { values, positionals } = parseTaskArgs(args, DEFINITIONS);
  const named = (values.runtime ?? []).flatMap((names) => names.split(","))
    .map((name) => oneOf("runtime", runtimes, name));
  const maySkip = values["may-skip"]?.map(pathInRepository);
  const integer = (
    option: "seed" | "jobs" | "timeout" | "slowest",
    least: number,
    otherwise: number,
  ) =>
    values[option] === undefined
      ? otherwise
      : parseInteger(`Option --${option}`, values[option], least);
  return {
    runtimes: runtimes.filter((runtime) => named.length === 0 || named.includes(runtime)),
    paths: positionals.map(pathInRepository),
    tier: values.tier === undefined ? undefined : oneOf("tier", TIERS, values.tier),
    maySkip: maySkip ?? (values["no-skip"] ? [] : "all"),
    install: !values["no-install"],
    seed: integer("seed", 0, randomSeed()),
    jobs: integer("jobs", 1, availableParallelism() + 1),
    timeout: integer("timeout", 1, 300) * 1000,
    slowest: integer("slowest", 0, 10),
    verbose: values.verbose ?? false,
    help: values.help ?? false,
    executables: Object.fromEntries(runtimes.flatMap((runtime) => {
      const path = values[runtime];
      return path === undefined ? [] : [[runtime, path]];
    })),
  };
}

function oneOf<T extends string>(what: string, known: readonly T[], name: string): T {
  const found = known.find((other) => other === name);
  if (found !== undefined) return found;
  throw new UsageError(`Cannot test: no ${what} is called ${name}, only ${known.join(", ")}`);
}

/** Converts a path to the form of the table of suites. */
function pathInRepository(path: string): string {
  const inside = relative(root, resolve(root, path));
  if (inside.startsWith("..") || !existsSync(join(root, inside))) {
    throw new UsageError(`Cannot test ${path}: no such file or folder in ${root}`);
  }
  return inside.split(sep).join("/");
}
