/**
 * The limits: what the smallest program reaches in each contest that has a target.
 *
 * @module
 */
import { figureOf, judge, median, ratios, type Verdict } from "./judge.ts";
import { environmentText, repetitionsText, targetText } from "./report.ts";
import { type Results, samplesOf } from "./results.ts";
import { type Contest, runtimeTitle, smallest, type Subject } from "./subjects.ts";
import { figure, markdownTable } from "./table.ts";
import type { Workload } from "./workloads.ts";

const LEGEND = `\
Each figure is divided by that of the peer: ours, that of the smallest program that does the same work on
the same runtime ([server](../smallest/server.ts), [client](../smallest/client.ts)), and that of a plain
TCP echo. The smallest programs check nothing, and have no limits, timers or handlers. If they miss a
target as well, no server in JavaScript can be expected to meet it here.`;

/** The subjects of the contests that have a target, and the smallest programs, once each. */
export function limitSubjects({ targets }: Workload, contests: readonly Contest[]): Subject[] {
  const judged = contests.filter(({ column }) => column !== undefined && targets?.[column]);
  const all = judged.flatMap(({ ours, peer, floor }) => [floor, peer, smallest(ours), ours]);
  const subjects = new Map(all.flatMap((one) => one === undefined ? [] : [[one.id, one] as const]));
  return [...subjects.values()];
}

/** A row; `undefined` if the contest has no target, or was not measured. */
function rowOf(results: Results, workload: Workload, contest: Contest): string[] | undefined {
  const target = contest.column && workload.targets?.[contest.column];
  if (target === undefined) return undefined;
  const { criterion } = workload;
  const theirs = samplesOf(results, workload, contest.peer);
  const ratiosOf = (subject: Subject | undefined) =>
    subject === undefined
      ? []
      : ratios(samplesOf(results, workload, subject), theirs, figureOf(criterion));
  const cell = (all: readonly number[]): string => {
    if (all.length === 0) return "";
    return `${figure(median(all))}${MARKS[judge(all, target, criterion)]}`;
  };
  const ours = ratiosOf(contest.ours);
  if (ours.length === 0) return undefined;
  return [
    workload.title,
    `${runtimeTitle(contest.ours.runtime)}${contest.ours.format === "draft76" ? ", draft76" : ""}`,
    targetText(workload, target),
    cell(ours),
    cell(ratiosOf(smallest(contest.ours))),
    cell(ratiosOf(contest.floor)),
  ];
}

const MARKS: Readonly<Record<Verdict, string>> = { met: " ✓", missed: " ✗", "within noise": " ≈" };

/** The report. */
export function limitsReport(results: Results, workloads: readonly Workload[]): string {
  const rows = workloads.flatMap((workload) =>
    workload.contests.flatMap((contest) => {
      const row = rowOf(results, workload, contest);
      return row === undefined ? [] : [row];
    })
  );
  const titles = ["<workload", "<runtime", "target", "ours", "smallest", "raw TCP"];
  const { environment } = results;
  return [
    "# What can be reached",
    LEGEND,
    markdownTable(titles, rows),
    `${environmentText(environment)}\n${repetitionsText(environment)}`,
  ].join("\n\n") + "\n";
}
