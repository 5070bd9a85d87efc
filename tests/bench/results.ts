/**
 * The measurements of a whole benchmark, and the decided contests.
 *
 * @module
 */

import { figureOf, judge, median, ratios, type Sample, type Verdict } from "./judge.ts";
import type { Contest, Subject } from "./subjects.ts";
import type { Criterion, Workload } from "./workloads.ts";

/** Where and how the figures were measured. */
export interface Environment {
  /** ISO 8601. */
  readonly date: string;
  readonly command: string;
  readonly cpu: string;
  readonly system: string;
  readonly repetitions: number;
  /** Measured seconds of each run. */
  readonly seconds: number;
  /** `Bun 1.4.5`, `ws 8.23.0`, … */
  readonly versions: readonly string[];
}

/** One run of the load generator: what it measured, or why it failed. */
export interface Run {
  readonly workload: string;
  readonly subject: string;
  readonly repetition: number;
  readonly sample: Sample | undefined;
  readonly failure: string | undefined;
}

/** All measurements, in the format of `results/tmp/latest.json`. */
export interface Results {
  readonly environment: Environment;
  readonly runs: readonly Run[];
}

/** The decided contest of a workload. Ratios are medians over the repetitions. */
export interface Outcome {
  readonly workload: Workload;
  readonly contest: Contest;
  /** Our messages per second divided by the peer's. */
  readonly throughput: number;
  /** The peer's CPU time for a message divided by ours. */
  readonly cpu: number;
  /** Our figure divided by the peer's, for the workload's criterion. */
  readonly ratio: number;
  readonly target: number | undefined;
  readonly verdict: Verdict | undefined;
}

/** The samples of a subject by repetition; `undefined` where it failed. */
export function samplesOf(
  results: Results,
  workload: Workload,
  subject: Subject,
): (Sample | undefined)[] {
  const samples: (Sample | undefined)[] = [];
  for (const run of results.runs) {
    if (run.workload !== workload.id || run.subject !== subject.id) continue;
    samples[run.repetition] = run.sample;
  }
  return Array.from(samples);
}

/** The median of each figure; `undefined` without samples. */
export function medianSample(samples: readonly (Sample | undefined)[]): Sample | undefined {
  const measured = samples.filter((sample) => sample !== undefined);
  if (measured.length === 0) return undefined;
  const middle = (figure: keyof Sample) => median(measured.map((sample) => sample[figure]));
  return {
    throughput: middle("throughput"),
    p50: middle("p50"),
    p99: middle("p99"),
    cpu: middle("cpu"),
    bytesPerConnection: middle("bytesPerConnection"),
    deflated: middle("deflated"),
    memory: middle("memory"),
    clientLoad: middle("clientLoad"),
    disturbance: middle("disturbance"),
  };
}

/** Decides a contest; `undefined` if no repetition has both servers. */
export function outcomeOf(
  results: Results,
  workload: Workload,
  contest: Contest,
): Outcome | undefined {
  const ours = samplesOf(results, workload, contest.ours);
  const theirs = samplesOf(results, workload, contest.peer);
  const judged = ratios(ours, theirs, figureOf(workload.criterion));
  if (judged.length === 0) return undefined;
  const target = contest.column && workload.targets?.[contest.column];
  return {
    workload,
    contest,
    throughput: median(ratios(ours, theirs, "throughput")),
    cpu: median(ratios(theirs, ours, "cpu")),
    ratio: median(judged),
    target,
    verdict: target === undefined ? undefined : judge(judged, target, workload.criterion),
  };
}

/** Our figure compared with the raw TCP echo of the runtime: 1 is as good, 0.5 is half as good. */
export function shareOfFloor(
  ours: Sample | undefined,
  floor: Sample | undefined,
  criterion: Criterion,
): number {
  const figure = figureOf(criterion);
  const our = ours?.[figure] ?? NaN;
  const bare = floor?.[figure] ?? NaN;
  return criterion === "throughput" ? our / bare : bare / our;
}
