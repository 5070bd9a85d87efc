/**
 * Writes the results as Markdown: one table with everything, and one with ratios for the README.
 *
 * @module
 */

import type { Sample } from "./judge.ts";
import { OVERVIEW_LEGEND, overviewTable } from "./overview.ts";
import {
  type Environment,
  medianSample,
  type Outcome,
  outcomeOf,
  type Results,
  samplesOf,
  shareOfFloor,
} from "./results.ts";
import { runtimeTitle, type Subject, subjectsOf } from "./subjects.ts";
import { figure, markdownTable } from "./table.ts";
import { lowerIsBetter, type Workload } from "./workloads.ts";

export { figure, markdownTable };

/** If the load generator used more than this share of its core, it limited the throughput. */
const SATURATED = 0.95;
/** If server or generator waited longer than this share for a core, another process was running. */
const DISTURBED = 0.05;

/** `≥ 16` or `≤ 0.85`. */
export function targetText(workload: Workload, target: number): string {
  return `${lowerIsBetter(workload.criterion) ? "≤" : "≥"} ${target}`;
}

function serverText(subject: Subject): string {
  const format = subject.format === "hybi" || subject.format === "raw" ? "" : `, ${subject.format}`;
  return `${subject.name} on ${runtimeTitle(subject.runtime)}${format}`;
}

function measuredCells(workload: Workload, sample: Sample | undefined): string[] {
  if (sample === undefined) return ["failed", "", "", "", "", ""];
  if (workload.mode === "idle") {
    return ["", "", "", "", "", `${figure(sample.bytesPerConnection)} B`];
  }
  const marks = (sample.clientLoad >= SATURATED ? "*" : "") +
    (sample.disturbance >= DISTURBED ? "~" : "");
  const memory = `${figure(sample.memory / 2 ** 20)} MiB`;
  return [
    figure(sample.throughput) + marks,
    figure(sample.p50),
    figure(sample.p99),
    figure(sample.cpu),
    Number.isFinite(sample.deflated) ? `${figure(sample.deflated)} B` : "",
    memory,
  ];
}

function outcomeCells(outcome: Outcome | undefined, share: number): string[] {
  if (outcome === undefined) return ["", "", "", "", ""];
  const { workload, contest, target, verdict } = outcome;
  const shown = Number.isFinite(share) ? `${Math.round(share * 100)} %` : "";
  const judgement = target === undefined
    ? ""
    : `${figure(outcome.ratio)} ${targetText(workload, target)}: ${verdict}`;
  return [
    shown,
    serverText(contest.peer),
    figure(outcome.throughput),
    figure(outcome.cpu),
    workload.mode === "idle" && target === undefined ? figure(outcome.ratio) : judgement,
  ];
}

const HEADER = [
  "<workload",
  "<server",
  "per second",
  "p50 µs",
  "p99 µs",
  "CPU µs each",
  "deflated",
  "memory",
  "of floor",
  "<against",
  "throughput ÷",
  "÷ CPU",
  "<target",
];

/** A row for each server, and one more row for each further peer of our server. */
function workloadRows(results: Results, workload: Workload): string[][] {
  const rows: string[][] = [];
  const medianOf = (subject: Subject) => medianSample(samplesOf(results, workload, subject));
  for (const subject of subjectsOf(workload.contests)) {
    if (samplesOf(results, workload, subject).length === 0) continue;
    const sample = medianOf(subject);
    const contests = workload.contests.filter((contest) => contest.ours.id === subject.id);
    const comparisons = contests.map((contest) => {
      const floor = contest.floor === undefined ? undefined : medianOf(contest.floor);
      const share = shareOfFloor(sample, floor, workload.criterion);
      return outcomeCells(outcomeOf(results, workload, contest), share);
    });
    rows.push([
      workload.title,
      serverText(subject),
      ...measuredCells(workload, sample),
      ...(comparisons.shift() ?? []),
    ]);
    for (const more of comparisons) {
      rows.push([workload.title, serverText(subject), "", "", "", "", "", "", ...more]);
    }
  }
  return rows;
}

/** The source of the figures, as a list. */
export function environmentText(environment: Environment): string {
  return [
    `- ${environment.date.slice(0, 10)}, \`${environment.command}\``,
    `- ${environment.cpu}, ${environment.system}; server and load on a core each`,
    `- ${environment.versions.join(", ")}`,
  ].join("\n");
}

/** How often everything was measured, as a list. */
export function repetitionsText({ repetitions, seconds }: Environment): string {
  return repetitions === 1
    ? `- one run of ${seconds} s each`
    : `- medians of ${repetitions} runs of ${seconds} s each, interleaved`;
}

const LEGEND = `\
- *Echo* is connections × messages in flight × size. draft76 has no binary messages and echoes text.
- *Per second* counts messages, deliveries of a broadcast, or handshakes. *CPU* is the server's CPU time
  for each of them; in the rows of clients, that of the client. The load of the rows of streams is our
  client on Node.
- *Deflated* is the compressed size of a reply: a server with a smaller one does more work.
- *Of floor* compares our server with the raw TCP echo of the same runtime.
- *Throughput ÷* is ours divided by the peer's, *÷ CPU* the peer's divided by ours. Above 1, ours is
  better.
- *Target*: handshakes compare CPU time and idle connections memory, ours divided by the peer's. Below
  1, ours is better.
- \`*\`: the load generator was at its limit. \`~\`: something else used the cores.`;

/** The whole report, with the table of everything. */
export function fullReport(results: Results, workloads: readonly Workload[]): string {
  const rows = workloads.flatMap((workload) => workloadRows(results, workload));
  const failures = results.runs.filter((run) => run.failure !== undefined).map((run) =>
    `- ${run.workload}, ${run.subject}, repetition ${run.repetition + 1}: ${run.failure}`
  );
  return [
    "# Benchmark",
    overviewTable(results, workloads),
    OVERVIEW_LEGEND,
    `${environmentText(results.environment)}\n${repetitionsText(results.environment)}`,
    markdownTable(HEADER, rows),
    LEGEND,
    ...(failures.length > 0 ? ["## Failures", failures.join("\n")] : []),
  ].join("\n\n") + "\n";
}

const START = "<!-- bench:start -->";
const END = "<!-- bench:end -->";

/** Replaces the text between the two markers of a document. */
export function replaceSection(document: string, section: string): string {
  const start = document.indexOf(START);
  const end = document.indexOf(END);
  if (start < 0 || end < start) {
    throw new RangeError(
      `Cannot insert the benchmark: ${START} and ${END} not found in this order`,
    );
  }
  return `${document.slice(0, start + START.length)}\n\n${section}\n\n${document.slice(end)}`;
}

/** The section of the README: chart, ratios, and the source of the figures. */
export function readmeSection(results: Results, workloads: readonly Workload[]): string {
  return [
    "![How much faster and smaller than each peer](tests/bench/results/chart.svg)",
    overviewTable(results, workloads),
    `${OVERVIEW_LEGEND}\nSee [all figures](tests/bench/results/latest.md).`,
    `${environmentText(results.environment)}\n${repetitionsText(results.environment)}`,
  ].join("\n\n");
}
