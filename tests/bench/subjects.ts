/**
 * The measured servers, and which are compared.
 *
 * @module
 */

/** A runtime that servers run on. */
export type RuntimeName = "bun" | "deno" | "node";

/** How the load generator frames its messages; `raw` is no protocol at all. */
export type Format = "hybi" | "draft76" | "mixed" | "raw";

/** One server, spoken to in one format. */
export interface Subject {
  /** Unique, and short enough for `--only`. */
  readonly id: string;
  /** As it stands in the table. */
  readonly name: string;
  readonly runtime: RuntimeName;
  /** The server's file, relative to this folder. */
  readonly file: string;
  readonly format: Format;
}

/** Which column of targets a contest is judged by. */
export type TargetColumn = "bun" | "deno" | "node" | "draft76";

/** Our server against the one that a user would pick instead, and against the runtime's floor. */
export interface Contest {
  /** As it stands in the summary and in the chart. */
  readonly title: string;
  readonly ours: Subject;
  readonly peer: Subject;
  /** The raw TCP echo of our runtime. */
  readonly floor: Subject;
  /** The targets that hold; none for a contest that only informs. */
  readonly column: TargetColumn | undefined;
}

const OURS = "servers/waterspout.ts";

/** Our server on a runtime. */
export function waterspout(runtime: RuntimeName, format: Format): Subject {
  const suffix = format === "hybi" ? "" : `-${format}`;
  return { id: `ours-${runtime}${suffix}`, name: "Waterspout", runtime, file: OURS, format };
}

/** The raw TCP echo of a runtime. */
export function floor(runtime: RuntimeName): Subject {
  const file = `peers/raw_${runtime}.${runtime === "deno" ? "ts" : "js"}`;
  return { id: `raw-${runtime}`, name: "raw TCP", runtime, file, format: "raw" };
}

/** faye-websocket, the only peer that speaks draft76. */
export function faye(format: Format): Subject {
  const id = format === "hybi" ? "faye" : `faye-${format}`;
  return { id, name: "faye-websocket", runtime: "node", file: "peers/faye.js", format };
}

const BUN_SERVE: Subject = {
  id: "bun-serve",
  name: "Bun.serve",
  runtime: "bun",
  file: "peers/bun_serve.js",
  format: "hybi",
};

const DENO_SERVE: Subject = {
  id: "deno-serve",
  name: "Deno.upgradeWebSocket",
  runtime: "deno",
  file: "peers/deno_serve.ts",
  format: "hybi",
};

const WS: Subject = { id: "ws", name: "ws", runtime: "node", file: "peers/ws.js", format: "hybi" };

function contest(
  runtime: RuntimeName,
  peer: Subject,
  column: TargetColumn | undefined,
): Contest {
  const format = peer.format === "hybi" ? "" : `, ${peer.format}`;
  return {
    title: `${runtimeTitle(runtime)}${format}: ${peer.name}`,
    ours: waterspout(runtime, peer.format),
    peer,
    floor: floor(runtime),
    column,
  };
}

/** How a runtime writes its name. */
export function runtimeTitle(runtime: RuntimeName): string {
  return { bun: "Bun", deno: "Deno", node: "Node" }[runtime];
}

/** The contests of workloads that each speak one format. */
export const CONTESTS: readonly Contest[] = [
  contest("bun", BUN_SERVE, "bun"),
  contest("deno", DENO_SERVE, "deno"),
  contest("node", WS, "node"),
  contest("node", faye("hybi"), undefined),
  contest("bun", faye("draft76"), "draft76"),
  contest("deno", faye("draft76"), "draft76"),
  contest("node", faye("draft76"), "draft76"),
];

/** The contests of workloads in which half of the connections speak draft76. */
export const MIXED_CONTESTS: readonly Contest[] = [
  contest("bun", faye("mixed"), undefined),
  contest("deno", faye("mixed"), undefined),
  contest("node", faye("mixed"), undefined),
];

/** Every server that takes part in some contests, floors first, each once, rivals side by side. */
export function subjectsOf(contests: readonly Contest[]): Subject[] {
  const subjects = new Map<string, Subject>();
  for (const { floor } of contests) subjects.set(floor.id, floor);
  for (const { ours, peer } of contests) {
    subjects.set(peer.id, peer);
    subjects.set(ours.id, ours);
  }
  return [...subjects.values()];
}
