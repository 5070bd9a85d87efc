/**
 * The results of jobs.
 *
 * @module
 */
import { type FileTime, readEvents, type Time } from "./batch_events.ts";
import { parseJUnit, type TestResult } from "./junit.ts";
import type { Job } from "./plan.ts";
import type { Ended } from "./process.ts";

/** The result of a job. */
export interface Result {
  readonly job: Job;
  readonly passed: number;
  /** The failures, as `FILE: NAME`. */
  readonly failures: readonly string[];
  readonly times: readonly FileTime[];
  readonly total: Time;
  readonly output: string;
}

/** The JUnit report and the log of a job; empty if the job wrote none. */
export interface Traces {
  readonly report: string;
  readonly log: string;
}

/**
 * Decides whether a job passed. A process that exits in the middle of its tests has exit code 0 on
 * every runtime. Therefore, a file that is missing from the report has failed, and so has a test that
 * did not run.
 */
export function judge(job: Job, ended: Ended, { report, log }: Traces): Result {
  const { times, total, running } = readEvents(log);
  const results = report === "" ? [] : parseJUnit(report);
  const failures = report === ""
    ? [`${running ?? job.label}: the process ${ended.problem ?? "ended"}, and left no report`]
    : failuresIn(job, results);
  if (ended.problem !== undefined && failures.length === 0) {
    failures.push(`${job.label}: the process ${ended.problem}`);
  }
  const passed = results.filter(({ outcome }) => outcome === "passed").length;
  return { job, passed, failures, times, total, output: ended.output };
}

function failuresIn(job: Job, results: readonly TestResult[]): string[] {
  const failures = results.filter(({ outcome }) => outcome !== "passed")
    .map(({ file, name, outcome }) =>
      `${file}: ${name}${outcome === "skipped" ? " (did not run)" : ""}`
    );
  const seen = new Set(results.map(({ file }) => file));
  const unseen = job.files.filter((file) => !seen.has(file));
  return [...failures, ...unseen.map((file) => `${file}: ran no test`)];
}
