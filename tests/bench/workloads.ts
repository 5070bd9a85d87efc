/**
 * The workloads, and the targets of our server against its peers.
 *
 * @module
 */

import {
  ASYNC_CONTESTS,
  BORROWED_CONTESTS,
  CLIENT_CONTESTS,
  type Contest,
  CONTESTS,
  DEFLATE_CONTESTS,
  MIXED_CONTESTS,
  STREAM_CONTESTS,
  TAKEOVER_MEMORY_CONTESTS,
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
  /** The line of the overview; `undefined` if it is in none. */
  readonly line: string | undefined;
  /** The mode of the load generator. `client` and `streams` use `clients/talk.ts`. */
  readonly mode: "echo" | "reply" | "fanout" | "handshake" | "idle" | "client" | "streams";
  readonly connections: number;
  /** Messages in flight on each connection. */
  readonly inFlight: number;
  /** Bytes of a message. */
  readonly size: number;
  /** Whether messages are binary if the format has binary messages. */
  readonly binary: boolean;
  readonly tls: boolean;
  /** Whether messages are compressed, and whether they build on those before. */
  readonly deflate: "none" | "deflate" | "takeover";
  readonly criterion: Criterion;
  readonly targets: Targets | undefined;
  readonly contests: readonly Contest[];
  /** Whether a quick run has it. */
  readonly isQuick: boolean;
}

interface Shape {
  readonly line?: string;
  readonly size?: number;
  readonly inFlight?: number;
  readonly binary?: boolean;
  readonly tls?: boolean;
  readonly deflate?: Workload["deflate"];
  readonly isQuick?: boolean;
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
    line: shape.line,
    mode,
    connections,
    inFlight: shape.inFlight ?? 1,
    size: shape.size ?? 32,
    binary: shape.binary ?? false,
    tls: shape.tls ?? false,
    deflate: shape.deflate ?? "none",
    criterion: shape.criterion ?? "throughput",
    targets: shape.targets,
    contests: shape.contests ?? CONTESTS,
    isQuick: shape.isQuick ?? shape.targets !== undefined,
  };
}

const PIPELINED = {
  line: "32 B, 32 in flight",
  inFlight: 32,
  targets: { bun: 1.1, deno: 15, node: 20, draft76: 20 },
};
const ONE_BY_ONE = {
  line: "32 B, one by one",
  targets: { bun: 0.98, deno: 0.97, node: 1.25, draft76: 1.2 },
};
const LARGE = { line: "16 KiB and 1 MiB", binary: true };
const BROADCAST = {
  line: "broadcasts",
  size: 64,
  targets: { bun: 0.97, deno: 0.97, node: 1.2, draft76: 1.1 },
};
const OVER_TLS = {
  line: "TLS",
  tls: true,
  targets: { bun: 0.97, deno: 1.1, node: 1.15 },
  contests: TLS_CONTESTS,
};
/** On Deno, the target is at most 1.1 times the time of our own server on Node. */
const DEFLATED = {
  line: "compression",
  inFlight: 4,
  size: 1024,
  targets: { bun: 1.0, deno: 0.91, node: 2.5 },
  contests: DEFLATE_CONTESTS,
};
/** The CPU time of the client, since the server may be slower than the client. */
const CLIENT = {
  line: "client (CPU)",
  criterion: "cpu",
  targets: { bun: 1.0, deno: 1.0, node: 0.83 },
  contests: CLIENT_CONTESTS,
} as const;

/** All workloads, in the order of the table. The reply to `reply` is another text than the message. */
export const WORKLOADS: readonly Workload[] = [
  workload("echo-64x1", "echo 64 × 1 × 32 B text", "echo", 64, ONE_BY_ONE),
  workload("reply-64x1", "reply 64 × 1 × 32 B text", "reply", 64, {
    ...ONE_BY_ONE,
    isQuick: false,
  }),
  workload("echo-64x32", "echo 64 × 32 × 32 B text", "echo", 64, { ...PIPELINED, isQuick: false }),
  workload("reply-64x32", "reply 64 × 32 × 32 B text", "reply", 64, PIPELINED),
  workload("async-64x32", "asynchronous reply 64 × 32 × 32 B text", "reply", 64, {
    inFlight: 32,
    contests: ASYNC_CONTESTS,
  }),
  workload("echo-16k", "echo 16 × 1 × 16 KiB binary", "echo", 16, {
    ...LARGE,
    size: 16 * 1024,
    targets: { bun: 1.1, deno: 1.0, node: 2.5, draft76: 20 },
  }),
  workload("borrowed-16k", "echo 16 × 1 × 16 KiB binary, borrowed", "echo", 16, {
    line: "16 KiB, borrowed (opt-in)",
    binary: true,
    size: 16 * 1024,
    targets: { bun: 1.3, deno: 1.5, node: 4 },
    contests: BORROWED_CONTESTS,
    isQuick: false,
  }),
  workload("echo-1m", "echo 4 × 1 × 1 MiB binary", "echo", 4, {
    ...LARGE,
    size: 1024 * 1024,
    targets: { bun: 1.1, deno: 1.1, node: 1.8, draft76: 25 },
  }),
  workload("broadcast-1k", "broadcast 64 B to 1,000", "fanout", 1000, BROADCAST),
  workload("broadcast-10k", "broadcast 64 B to 10,000", "fanout", 10_000, {
    ...BROADCAST,
    isQuick: false,
  }),
  workload("tls-64x1", "echo over TLS 64 × 1 × 32 B text", "echo", 64, {
    ...OVER_TLS,
    isQuick: false,
  }),
  workload("tls-1k", "echo over TLS 16 × 4 × 1 KiB text", "echo", 16, {
    ...OVER_TLS,
    inFlight: 4,
    size: 1024,
  }),
  workload("deflate-1k", "compressed 16 × 4 × 1 KiB JSON", "echo", 16, {
    ...DEFLATED,
    deflate: "deflate",
    isQuick: false,
  }),
  workload("takeover-1k", "the same with takeover", "echo", 16, {
    ...DEFLATED,
    deflate: "takeover",
  }),
  workload("mixed-1k", "broadcast 64 B to 1,000, half draft76", "fanout", 1000, {
    size: 64,
    contests: MIXED_CONTESTS,
  }),
  workload("mixed-10k", "broadcast 64 B to 10,000, half draft76", "fanout", 10_000, {
    size: 64,
    contests: MIXED_CONTESTS,
  }),
  workload("streams-64x1", "HTTP/2 streams 64 × 1 × 32 B text", "streams", 64, {
    tls: true,
    criterion: "cpu",
    contests: STREAM_CONTESTS,
  }),
  workload("client-64x1", "client 64 × 1 × 32 B text", "client", 64, { ...CLIENT, isQuick: false }),
  workload("client-64x32", "client 64 × 32 × 32 B text", "client", 64, { ...CLIENT, inFlight: 32 }),
  workload("handshake", "handshake", "handshake", 32, {
    line: "handshake (CPU)",
    criterion: "cpu",
    targets: { bun: 1.05, deno: 0.95, node: 0.5, draft76: 0.65 },
  }),
  workload("idle", "10,000 idle connections", "idle", 10_000, {
    line: "memory",
    criterion: "memory",
    targets: { bun: 1.0, deno: 0.55, node: 0.7, draft76: 0.4 },
  }),
  workload("takeover-memory", "1,000 connections with takeover", "idle", 1000, {
    line: "memory",
    inFlight: 64,
    size: 1024,
    deflate: "takeover",
    criterion: "memory",
    targets: { bun: 1.0, node: 0.9 },
    contests: TAKEOVER_MEMORY_CONTESTS,
    isQuick: false,
  }),
];

/** The workloads of a quick run: only contests with a target, and fewer idle connections. */
export function quickWorkloads(): Workload[] {
  return WORKLOADS.filter(({ isQuick }) => isQuick).map((workload) => ({
    ...workload,
    contests: workload.contests.filter(({ column }) => column !== undefined),
    ...(workload.mode === "idle" ? { connections: 5000, title: "5,000 idle connections" } : {}),
  }));
}

/** Whether a lower figure is better. */
export function lowerIsBetter(criterion: Criterion): boolean {
  return criterion !== "throughput";
}
