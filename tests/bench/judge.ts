/**
 * From repeated measurements to a verdict.
 *
 * @module
 */

import { type Criterion, lowerIsBetter } from "./workloads.ts";

/** What one run of the load generator measured. */
export interface Sample {
  /** Messages, deliveries or handshakes a second. */
  readonly throughput: number;
  /** Round trips, in microseconds; for a broadcast, the time until the last receiver has it. */
  readonly p50: number;
  /** As {@linkcode p50}, for the slowest in a hundred. */
  readonly p99: number;
  /** CPU time of the server for each message, in microseconds. */
  readonly cpu: number;
  /** Memory of the server for each idle connection, in bytes. */
  readonly bytesPerConnection: number;
  /** Resident memory of the server at the end, in bytes. */
  readonly memory: number;
  /** Share of its core that the load generator used; near 1 it was the bottleneck. */
  readonly clientLoad: number;
  /** Share of the time in which server or generator waited for a core that others were using. */
  readonly disturbance: number;
}

/** What can be compared of a sample. */
export type Figure = "throughput" | "cpu" | "bytesPerConnection";

/** Whether the target is reached; `within noise` if the repetitions do not agree about it. */
export type Verdict = "met" | "missed" | "within noise";

/**
 * The middle of some numbers, the mean of the two middle ones if their count is even; `NaN` of none.
 */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** The value below which a share of the others lies, interpolated; `NaN` of none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const position = (sorted.length - 1) * share;
  const below = sorted[Math.floor(position)] ?? NaN;
  const above = sorted[Math.ceil(position)] ?? NaN;
  return below + (above - below) * (position - Math.floor(position));
}

/** The figure that a criterion looks at. */
export function figureOf(criterion: Criterion): Figure {
  return criterion === "memory" ? "bytesPerConnection" : criterion;
}

/**
 * Ours divided by theirs, repetition by repetition, because only what ran side by side can be
 * compared. A repetition in which one of them failed gives no ratio.
 */
export function ratios(
  ours: readonly (Sample | undefined)[],
  theirs: readonly (Sample | undefined)[],
  figure: Figure,
): number[] {
  const result: number[] = [];
  for (let repetition = 0; repetition < ours.length; repetition++) {
    const our = ours[repetition]?.[figure];
    const their = theirs[repetition]?.[figure];
    if (our !== undefined && their !== undefined && their > 0) result.push(our / their);
  }
  return result;
}

/** Between which ratios the truth can be taken to lie. */
function confidence(ratios: readonly number[]): [low: number, high: number] {
  if (ratios.length >= 5) return [quantile(ratios, 0.25), quantile(ratios, 0.75)];
  const doubt = 0.05;
  return [Math.min(...ratios) * (1 - doubt), Math.max(...ratios) * (1 + doubt)];
}

/**
 * Judges ratios of ours to theirs. With five repetitions or more, the middle half of them must be
 * on one side of the target; with fewer, all of them by 5 %.
 */
export function judge(ratios: readonly number[], target: number, criterion: Criterion): Verdict {
  const [low, high] = confidence(ratios);
  if (lowerIsBetter(criterion)) {
    return high <= target ? "met" : low > target ? "missed" : "within noise";
  }
  return low >= target ? "met" : high < target ? "missed" : "within noise";
}
