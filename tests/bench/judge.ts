/**
 * Decides contests from repeated measurements.
 *
 * @module
 */

import { type Criterion, lowerIsBetter } from "./workloads.ts";

/** What one run of the load generator measured. */
export interface Sample {
  /** Messages, deliveries or handshakes per second. */
  readonly throughput: number;
  /** Median round trip in microseconds. For a broadcast, the time until the last receiver has it. */
  readonly p50: number;
  /** Like `p50`, but the 99th percentile. */
  readonly p99: number;
  /** CPU time of the server for each message, in microseconds. */
  readonly cpu: number;
  /** Memory of the server for each idle connection, in bytes. */
  readonly bytesPerConnection: number;
  /** The compressed size of a reply, in bytes; `NaN` if replies are not compressed. */
  readonly deflated: number;
  /** Resident memory of the server at the end, in bytes. */
  readonly memory: number;
  /** Share of its core that the load generator used. Near 1, the generator was the bottleneck. */
  readonly clientLoad: number;
  /** Share of time that the server or generator waited for a core used by other processes. */
  readonly disturbance: number;
}

/** The figures of a sample that can be compared. */
export type Figure = "throughput" | "cpu" | "bytesPerConnection";

/** Whether the target is met; `within noise` if the repetitions disagree. */
export type Verdict = "met" | "missed" | "within noise";

/**
 * The median of some numbers. For an even count, the mean of the two middle ones. `NaN` if empty.
 */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** The interpolated quantile: the value below which a given share of the numbers lies. `NaN` if empty. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const position = (sorted.length - 1) * share;
  const below = sorted[Math.floor(position)] ?? NaN;
  const above = sorted[Math.ceil(position)] ?? NaN;
  return below + (above - below) * (position - Math.floor(position));
}

/** The figure that a criterion compares. */
export function figureOf(criterion: Criterion): Figure {
  return criterion === "memory" ? "bytesPerConnection" : criterion;
}

/**
 * Our figure divided by the peer's, for each repetition, because only runs next to each other can be
 * compared. A repetition in which one server failed gives no ratio.
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

/** The range in which the true ratio probably lies. */
function confidence(ratios: readonly number[]): [low: number, high: number] {
  if (ratios.length >= 5) return [quantile(ratios, 0.25), quantile(ratios, 0.75)];
  const doubt = 0.05;
  return [Math.min(...ratios) * (1 - doubt), Math.max(...ratios) * (1 + doubt)];
}

/**
 * Judges the ratios of our figures to the peer's. With five repetitions or more, the middle half must
 * be on one side of the target. With fewer, all must be on one side by at least 5 %.
 */
export function judge(ratios: readonly number[], target: number, criterion: Criterion): Verdict {
  const [low, high] = confidence(ratios);
  if (lowerIsBetter(criterion)) {
    return high <= target ? "met" : low > target ? "missed" : "within noise";
  }
  return low >= target ? "met" : high < target ? "missed" : "within noise";
}
