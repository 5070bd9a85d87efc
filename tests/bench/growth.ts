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
  load(
    value: number,
  ): Pick<Load, "mode" | "connections" | "inFlight" | "size" | "fragments" | "fields">;
  /** Returns more arguments of our server for a value. Default: none. */
  flags?(value: number): readonly string[];
  /** The formats that have it. Default: both. */
  readonly formats?: readonly ("hybi" | "draft76")[];
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
    values: [1, 16, 256, 4096, 65_536, 1_048_576, 16_777_216, 67_108_864],
    // Above 1 MiB, four messages at a time would take longer than a run.
    load: (size) => ({ mode: "echo", connections: size > 2 ** 20 ? 1 : 4, inFlight: 1, size }),
    work: (size) => WORTH_OF_A_MESSAGE + size,
  },
  {
    title: "connections",
    values: [1, 10, 100, 1000, 10_000, 19_000],
    load: (connections) => ({ mode: "echo", connections, inFlight: 1, size: 32 }),
    work: () => 1,
  },
  {
    title: "messages sent before a reply is read",
    values: [1, 10, 100, 1000, 10_000, 100_000],
    load: (inFlight) => ({ mode: "burst", connections: 1, inFlight, size: 32 }),
    work: () => 1,
  },
  {
    title: "subscribers of a topic",
    values: [1, 10, 100, 1000, 10_000],
    load: (connections) => ({ mode: "fanout", connections, inFlight: 1, size: 64 }),
    // A publication takes as long as about four deliveries.
    work: (connections) => 1 + 4 / connections,
  },
  {
    title: "topics with a subscriber, besides the published one",
    values: [1, 100, 10_000, 1_000_000],
    load: () => ({ mode: "fanout", connections: 10, inFlight: 1, size: 64 }),
    flags: (topics) => ["--topics", String(topics)],
    work: () => 1,
  },
  {
    title: "fragments of a message of 64 KiB",
    values: [1, 10, 100, 1000, 10_000],
    load: (fragments) => ({ mode: "echo", connections: 4, inFlight: 1, size: 65_536, fragments }),
    formats: ["hybi"],
    // The payload costs as much as about 200 fragments.
    work: (fragments) => 200 + fragments,
  },
  {
    title: "header fields of a handshake",
    values: [1, 10, 100, 1000, 10_000],
    load: (fields) => ({ mode: "handshake", connections: 8, inFlight: 1, size: 32, fields }),
    flags: () => ["--large-heads"],
    // The handshake itself costs as much as about 100 fields.
    work: (fields) => 100 + fields,
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
