/**
 * The series of the scaling benchmark, and the test whether a cost grows faster than its work.
 *
 * @module
 */

import type { Load } from "./load.ts";

/** A series of loads that differ in one number. */
export interface Series {
  /** The varied number, as the title of the table. */
  readonly title: string;
  readonly values: readonly number[];
  /** Returns the load for a value. */
  load(value: number): Pick<Load, "mode" | "connections" | "inFlight" | "size">;
  /** Returns the work for one message, in any unit. */
  work(value: number): number;
}

/** The fixed cost of a message, in bytes of payload that cost as much. */
const WORTH_OF_A_MESSAGE = 8 * 1024;

/** How much more than its work and its floor a cost may grow: caches are limited, and runs vary. */
export const TOLERANCE = 2.5;

/** All series of the scaling benchmark. */
export const SERIES: readonly Series[] = [
  {
    title: "size of a message in bytes",
    values: [1, 16, 256, 4096, 65_536, 1_048_576, 16_777_216],
    load: (size) => ({ mode: "echo", connections: 4, inFlight: 1, size }),
    work: (size) => WORTH_OF_A_MESSAGE + size,
  },
  {
    title: "connections",
    values: [1, 10, 100, 1000, 10_000],
    load: (connections) => ({ mode: "echo", connections, inFlight: 1, size: 32 }),
    work: () => 1,
  },
  {
    title: "messages sent before a reply is read",
    values: [1, 10, 100, 1000, 10_000, 100_000],
    load: (inFlight) => ({ mode: "burst", connections: 1, inFlight, size: 32 }),
    work: () => 1,
  },
];

/** For each value, its cost per work divided by the lowest cost per work before it; 1 for the first. */
function growths(series: Series, costs: readonly number[]): number[] {
  let least = Infinity;
  return series.values.map((value, index) => {
    const cost = (costs[index] ?? NaN) / series.work(value);
    const growth = least === Infinity ? 1 : cost / least;
    if (cost < least) least = cost;
    return growth;
  });
}

/**
 * Finds the values at which the cost per work grows by more than the tolerance, compared with the best
 * smaller value. Values at which the floor (runtime and kernel) grows too do not count. Costs are in
 * the order of the series' values; `NaN` is ignored.
 */
export function growingTooFast(
  series: Series,
  costs: readonly number[],
  floor: readonly number[],
): number[] {
  const ours = growths(series, costs);
  const bare = growths(series, floor);
  return series.values.filter((_, index) =>
    (ours[index] ?? NaN) > TOLERANCE * Math.max(1, bare[index] || 1)
  );
}
