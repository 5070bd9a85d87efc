/**
 * Installs what is missing, runs the jobs, and reports.
 *
 * @module
 */
import { availableParallelism, tmpdir } from "node:os";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { SEED_VARIABLE } from "../support/random.ts";
import { FILES_VARIABLE, LOG_VARIABLE } from "./batch_events.ts";
import { Lanes } from "./lanes.ts";
import type { Options } from "./options.ts";
import { provide } from "./packages.ts";
import { findFiles, type Job, plan } from "./plan.ts";
import { killAll, run } from "./process.ts";
import { judge, type Result } from "./results.ts";
import { batchCommand, batchEnvironment, checkRuntime } from "./runtimes.ts";
import { findSkips } from "./skips.ts";
import { suiteOf } from "./suites.ts";
import { jobLine, summary } from "./summary.ts";

/** Runs the tests; returns the exit code. */
export async function runTests(options: Options): Promise<number> {
  const started = performance.now();
  const files = findFiles(options);
  const executables = new Map(
    options.runtimes.map((name) => [name, checkRuntime(name, options.executables[name])]),
  );
  console.log(
    `Seed ${options.seed}; ${options.jobs} processes that compute on ${availableParallelism()} cores`,
  );
  const results: Result[] = [];
  const lanes = new Lanes(options.jobs, async (job) => {
    const result = await runJob(job, executables.get(job.runtime) ?? job.runtime, options);
    results.push(result);
    if (result.failures.length > 0 && !options.verbose) console.log(result.output);
    console.log(jobLine(result));
  });
  const interrupt = () => {
    killAll();
    process.exit(130);
  };
  process.once("SIGINT", interrupt).once("SIGTERM", interrupt);
  const needsOf = (file: string) => suiteOf(file).needs ?? [];
  lanes.add(plan(files.filter((file) => needsOf(file).length === 0), options.runtimes));
  // Looking for programs, and installing them, takes seconds. The first tests run meanwhile.
  const missing = provide([...new Set(files.flatMap(needsOf))], { install: options.install });
  const skips = findSkips(files, missing, options.maySkip);
  const skipped = new Set(skips.map(({ suite }) => suite));
  const others = files.filter((file) =>
    needsOf(file).length > 0 && !skipped.has(suiteOf(file).path)
  );
  lanes.add(plan(others, options.runtimes));
  await lanes.idle();
  process.off("SIGINT", interrupt).off("SIGTERM", interrupt);
  const seconds = (performance.now() - started) / 1000;
  const { seed, slowest } = options;
  const { text, failed } = summary(results, { skips, seed, seconds, slowest });
  console.log(text);
  return failed ? 1 : 0;
}

async function runJob(
  job: Job,
  executable: string,
  { seed, timeout, verbose }: Options,
): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), "waterspout-test-"));
  const [report, log] = [join(folder, "junit.xml"), join(folder, "log")];
  try {
    const env = {
      ...batchEnvironment(job.runtime),
      [FILES_VARIABLE]: JSON.stringify(job.files),
      [LOG_VARIABLE]: log,
      [SEED_VARIABLE]: String(seed),
    };
    const ended = await run(batchCommand(job.runtime, executable, { report, verbose }), {
      env,
      timeout,
      renewed: true,
      ...(verbose ? { onOutput: (text: string) => process.stdout.write(text) } : {}),
    });
    return judge(job, ended, { report: readIfThere(report), log: readIfThere(log) });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw error;
  }
}
