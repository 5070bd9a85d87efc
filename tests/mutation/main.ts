/**
 * Mutation testing: puts one mistake at a time into the sources, and runs the tests of the same folder.
 * Prints each mistake that no test finds. `deno task mutate [OPTION …] [PATH …]`.
 *
 * @module
 */
import { availableParallelism } from "node:os";
import process from "node:process";
import { killAll } from "../runner/process.ts";
import { randomSeed } from "../support/random.ts";
import { root } from "../support/runtime.ts";
import { parseInteger, parseTaskArgs, runTask } from "../support/usage.ts";
import { relative, resolve, sep } from "node:path";
import type { Mutant } from "./mutants.ts";
import { checkPaths, drawMutants, findSources, findTests, FOLDERS, relevantTests } from "./plan.ts";
import { type Measured, Sandbox, type Verdict } from "./sandbox.ts";
import { Summary } from "./summary.ts";

const HELP = `\
deno task mutate [OPTION …] [FILE or FOLDER of src/ …]

  --tests PATH      more tests than those of the same folder; may be repeated
  --count N         how many mutants of each folder (default: 60)
  --seed N          which mutants (default: a new seed)
  --jobs N          how many run at a time
  --timeout SECONDS the least time limit of a test (default: 15)
  --verbose         also the mutants that were killed`;

/** Time limit of a test with a mistake, as a multiple of the slowest test without one. */
const PATIENCE = 3;

/** How long a test without a mistake may take, in milliseconds. */
const LIMIT = 120_000;

interface Options {
  readonly paths: readonly string[];
  /** Additional tests besides those of the same folder. */
  readonly tests: readonly string[];
  readonly count: number;
  readonly seed: number;
  readonly jobs: number;
  /** In milliseconds. */
  readonly timeout: number;
  readonly verbose: boolean;
  readonly help: boolean;
}

function parseOptions(args: readonly string[]): Options {
  const { values, positionals } = parseTaskArgs(args, {
    tests: { type: "string", multiple: true },
    count: { type: "string" },
    seed: { type: "string" },
    jobs: { type: "string" },
    timeout: { type: "string" },
    verbose: { type: "boolean" },
    help: { type: "boolean" },
  });
  const integer = (name: "count" | "seed" | "jobs" | "timeout", least: number, or: number) =>
    values[name] === undefined ? or : parseInteger(`Option --${name}`, values[name], least);
  const paths = positionals.map((path) => relative(root, resolve(root, path)).split(sep).join("/"));
  checkPaths(paths);
  return {
    paths,
    tests: (values.tests ?? []).map(pathInRepository),
    count: integer("count", 1, 60),
    seed: integer("seed", 0, randomSeed()),
    jobs: integer("jobs", 1, availableParallelism()),
    timeout: integer("timeout", 1, 15) * 1000,
    verbose: values.verbose ?? false,
    help: values.help ?? false,
  };
}

function pathInRepository(path: string): string {
  return relative(root, resolve(root, path)).split(sep).join("/");
}

/** Judges the mutants of a folder, several at a time. */
async function judgeAll(
  mutants: readonly Mutant[],
  tests: readonly string[],
  { options, report }: {
    readonly options: Options;
    readonly report: (mutant: Mutant, verdict: Verdict) => void;
  },
): Promise<void> {
  const queue = [...mutants];
  const work = async (sandbox: Sandbox, { longest, costs }: Measured) => {
    const timeout = Math.max(options.timeout, longest * PATIENCE);
    for (let mutant = queue.shift(); mutant !== undefined; mutant = queue.shift()) {
      const relevant = relevantTests(mutant.file, tests, costs);
      const verdict = relevant.length === 0
        ? "survived"
        : await sandbox.judge(mutant, relevant, timeout);
      report(mutant, verdict);
    }
  };
  const jobs = Math.min(options.jobs, queue.length);
  const sandboxes = Array.from({ length: jobs }, () => new Sandbox());
  try {
    const measured = await sandboxes[0]?.measure(tests, LIMIT);
    if (measured === undefined) return;
    await Promise.all(sandboxes.map((sandbox) => work(sandbox, measured)));
  } finally {
    for (const sandbox of sandboxes) sandbox.remove();
  }
}

/** Mutates the sources of a folder. Returns the results. */
async function mutateFolder(folder: string, options: Options): Promise<Summary | undefined> {
  const sources = findSources(folder, options.paths);
  if (sources.length === 0) return undefined;
  const mutants = drawMutants(sources, options);
  const summary = new Summary(`src/${folder}`);
  const report = (mutant: Mutant, verdict: Verdict) => {
    summary.add(mutant, verdict);
    if (options.verbose) console.log(`${verdict}: ${mutant.file}:${mutant.line} ${mutant.after}`);
  };
  const tests = findTests([`tests/${folder}`, ...options.tests]);
  await judgeAll(mutants, tests, { options, report });
  console.log(summary.text());
  return summary;
}

await runTask(async () => {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) {
    console.log(HELP);
    return 0;
  }
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      killAll();
      process.exit(1);
    });
  }
  console.log(`Seed ${options.seed}`);
  let isGood = true;
  for (const folder of FOLDERS) {
    const summary = await mutateFolder(folder, options);
    isGood = isGood && (summary?.isGood() ?? true);
  }
  return isGood ? 0 : 1;
});
