/**
 * The workloads, and the targets of our server against its peers.
 *
 * @module
 */

import {
  type Contest,
  CONTESTS,
  MIXED_CONTESTS,
  type TargetColumn,
  TLS_CONTESTS,
} from "./subjects.ts";

/** What decides a contest: more messages per second, or less CPU time or memory for each. */
export type Criterion = "throughput" | "cpu" | "memory";

/**
 * The target for our figure divided by the peer's: the minimum for throughput, the maximum for CPU time
 * and memory.
 */
export type Targets = Readonly<Partial<Record<TargetColumn, number>>>;

/** One kind of load. */
export interface Workload {
  /** Unique, and short enough for `--only`. */
  readonly id: string;
  /** The name in the table. */
  readonly title: string;
  /** The mode of the load generator. */
  readonly mode: "echo" | "reply" | "fanout" | "handshake" | "idle";
  readonly connections: number;
  /** Messages in flight on each connection. */
  readonly inFlight: number;
  /** Bytes of a message. */
  readonly size: number;
  /** Whether messages are binary if the format has binary messages. */
  readonly binary: boolean;
  readonly tls: boolean;
  readonly criterion: Criterion;
  readonly targets: Targets | undefined;
  readonly contests: readonly Contest[];
}

interface Shape {
  readonly size?: number;
  readonly inFlight?: number;
  readonly binary?: boolean;
  readonly tls?: boolean;
  readonly criterion?: Criterion;
  readonly targets?: Targets;
  readonly contests?: readonly Contest[];
}

function workload(
  id: string,
  title: string,
  mode: Workload["mode"],
  connections: number,
  shape: Shape,
): Workload {
  return {
    id,
    title,
    mode,
    connections,
    inFlight: shape.inFlight ?? 1,
    size: shape.size ?? 32,
    binary: shape.binary ?? false,
    tls: shape.tls ?? false,
    criterion: shape.criterion ?? "throughput",
    targets: shape.targets,
    contests: shape.contests ?? CONTESTS,
  };
}

const PIPELINED = { bun: 1.1, deno: 15, node: 20, draft76: 20 };
const ONE_BY_ONE = { bun: 0.98, deno: 0.97, node: 1.25, draft76: 1.2 };
const BROADCAST = { bun: 0.97, deno: 0.97, node: 1.2, draft76: 1.1 };

const OVER_TLS = { bun: 0.97, deno: 1.1, node: 1.15 };

/** All workloads, in the order of the table. The reply to `reply` is another text than the message. */
export const WORKLOADS: readonly Workload[] = [
  workload("echo-64x1", "echo 64 × 1 × 32 B text", "echo", 64, { targets: ONE_BY_ONE }),
  workload("reply-64x1", "reply 64 × 1 × 32 B text", "reply", 64, { targets: ONE_BY_ONE }),
  workload("echo-64x32", "echo 64 × 32 × 32 B text", "echo", 64, {
    inFlight: 32,
    targets: PIPELINED,
  }),
  workload("reply-64x32", "reply 64 × 32 × 32 B text", "reply", 64, {
    inFlight: 32,
    targets: PIPELINED,
  }),
  workload("echo-16k", "echo 16 × 1 × 16 KiB binary", "echo", 16, {
    size: 16 * 1024,
    binary: true,
    targets: { bun: 1.1, deno: 1.0, node: 2.5, draft76: 20 },
  }),
  workload("echo-1m", "echo 4 × 1 × 1 MiB binary", "echo", 4, {
    size: 1024 * 1024,
    binary: true,
    targets: { bun: 1.1, deno: 1.1, node: 1.8, draft76: 25 },
  }),
  workload("broadcast-1k", "broadcast 64 B to 1,000", "fanout", 1000, {
    size: 64,
    targets: BROADCAST,
  }),
  workload("broadcast-10k", "broadcast 64 B to 10,000", "fanout", 10_000, {
    size: 64,
    targets: BROADCAST,
  }),
  workload("tls-64x1", "echo over TLS 64 × 1 × 32 B text", "echo", 64, {
    tls: true,
    targets: OVER_TLS,
    contests: TLS_CONTESTS,
  }),
  workload("tls-1k", "echo over TLS 16 × 4 × 1 KiB text", "echo", 16, {
    inFlight: 4,
    size: 1024,
    tls: true,
    targets: OVER_TLS,
    contests: TLS_CONTESTS,
  }),
  workload("mixed-1k", "broadcast 64 B to 1,000, half draft76", "fanout", 1000, {
    size: 64,
    contests: MIXED_CONTESTS,
  }),
  workload("mixed-10k", "broadcast 64 B to 10,000, half draft76", "fanout", 10_000, {
    size: 64,
    contests: MIXED_CONTESTS,
  }),
  workload("handshake", "handshake", "handshake", 32, {
    criterion: "cpu",
    targets: { bun: 1.05, deno: 0.95, node: 0.5, draft76: 0.65 },
  }),
  workload("idle", "10,000 idle connections", "idle", 10_000, {
    criterion: "memory",
    targets: { bun: 1.0, deno: 0.55, node: 0.7, draft76: 0.4 },
  }),
];

/** The workloads of a quick run: those with targets, except the longest. */
export function quickWorkloads(): Workload[] {
  return WORKLOADS.filter(({ id, targets }) => targets !== undefined && id !== "broadcast-10k");
}

/** Whether a lower figure is better. */
export function lowerIsBetter(criterion: Criterion): boolean {
  return criterion !== "throughput";
}
