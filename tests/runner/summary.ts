/**
 * What the runner prints.
 *
 * @module
 */
import type { Result } from "./results.ts";
import type { Skip } from "./skips.ts";

/** A job's line: `ok     bun  tests/conformance: 555 (1.9 s, 1.2 s of CPU)`. */
export function jobLine({ job, passed, failures, total }: Result): string {
  const mark = failures.length > 0 ? "FAILED" : "ok    ";
  const count = failures.length > 0 ? `${passed} passed, ${failures.length} failed` : `${passed}`;
  const time = `${total.seconds.toFixed(1)} s, ${total.cpu.toFixed(1)} s of CPU`;
  return `${mark} ${job.runtime.padEnd(4)} ${job.label}: ${count} (${time})`;
}

/** What the last lines show besides the results. */
export interface SummaryOptions {
  readonly skips: readonly Skip[];
  readonly seed: number;
  readonly seconds: number;
  /** How many of the slowest files to list. */
  readonly slowest: number;
}

/** The last lines: the slowest files, the failures, the skipped suites, and the totals. */
export function summary(
  results: readonly Result[],
  { skips, seed, seconds, slowest }: SummaryOptions,
): { readonly text: string; readonly failed: boolean } {
  const failures = results.flatMap(({ job, failures }) =>
    failures.map((name) => `${job.runtime}: ${name}`)
  );
  failures.push(
    ...skips.filter(({ allowed }) => !allowed).map((skip) => `skip: ${skipLine(skip)}`),
  );
  const passed = results.reduce((sum, result) => sum + result.passed, 0);
  const counts = [`${passed} passed`, `${failures.length} failed`];
  if (skips.length > 0) counts.push(`${skips.length} skipped`);
  const files = new Set(results.flatMap(({ job }) => job.files)).size;
  const cpu = results.reduce((sum, { total }) => sum + total.cpu, 0);
  const time = `${seconds.toFixed(0)} s, with ${cpu.toFixed(0)} s of CPU`;
  const text = [
    ...section("The slowest files, in seconds (and of CPU time)", slowestFiles(results, slowest)),
    ...section("Failed", failures),
    ...section("Skipped", skips.map(skipLine)),
    "",
    `${files} files in ${time}; --seed ${seed} repeats what is random`,
    counts.join(", "),
  ].join("\n");
  return { text, failed: failures.length > 0 };
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ["", `${title}:`, ...lines.map((line) => `  ${line}`)];
}

function skipLine({ suite, reason, command }: Skip): string {
  return `${suite}: ${reason}${command === undefined ? "" : ` (${command})`}`;
}

function slowestFiles(results: readonly Result[], count: number): string[] {
  const all = results.flatMap(({ job, times }) =>
    times.map((time) => ({ ...time, runtime: job.runtime }))
  );
  return all.sort((a, b) => b.seconds - a.seconds).slice(0, count)
    .map(({ file, runtime, seconds, cpu }) =>
      `${seconds.toFixed(1).padStart(6)} (${cpu.toFixed(1)})  ${runtime.padEnd(4)}  ${file}`
    );
}
