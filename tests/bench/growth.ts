/**
 * What the scaling benchmark varies, and when a cost grows faster than its work.
 *
 * @module
 */

import type { Load } from "./load.ts";

/** A row of loads that differ in one number. */
export interface Series {
  /** What is varied, as it stands above the table. */
  readonly title: string;
  readonly values: readonly number[];
  /** The load for a value. */
  load(value: number): Pick<Load, "mode" | "connections" | "inFlight" | "size">;
  /** How much work a message is, in any unit. */
  work(value: number): number;
}

/** A message costs about as much as so many bytes of payload, whatever its size. */
const WORTH_OF_A_MESSAGE = 8 * 1024;

/** A cost may grow so much more than its work and its floor: caches end, and runs vary. */
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

/** For each value, the cost for its work divided by the least at a smaller value; 1 at first. */
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
 * The values at which a message costs more for its work than at the best smaller value, by more
 * than the tolerance, and not because the floor, the runtime and the kernel, does the same. Costs
 * are those of the series' values, in order; `NaN` is passed over.
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
