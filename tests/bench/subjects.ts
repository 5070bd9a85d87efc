/**
 * The measured servers and the contests between them.
 *
 * @module
 */

/** A runtime that servers run on. */
export type RuntimeName = "bun" | "deno" | "node";

/** How the load generator frames messages; `raw` means without a protocol. */
export type Format = "hybi" | "draft76" | "mixed" | "raw";

/** One server, measured in one format. */
export interface Subject {
  /** Unique, and short enough for `--only`. */
  readonly id: string;
  /** The name in the table. */
  readonly name: string;
  readonly runtime: RuntimeName;
  /** The server's file, relative to this folder. */
  readonly file: string;
  readonly format: Format;
  /** More arguments. Default: none. */
  readonly flags?: readonly string[];
}

/** The column of targets for a contest. */
export type TargetColumn = "bun" | "deno" | "node" | "draft76";

/** Our server against the server that a user would choose instead, and against the runtime's floor. */
export interface Contest {
  /** The name in the summary and in the chart. */
  readonly title: string;
  readonly ours: Subject;
  readonly peer: Subject;
  /** The raw TCP echo of our runtime; `undefined` if it does not do the same work. */
  readonly floor: Subject | undefined;
  /** The targets of this contest; none if it is only for information. */
  readonly column: TargetColumn | undefined;
}

const OURS = "servers/waterspout.ts";

/** Our server on a runtime. */
export function waterspout(runtime: RuntimeName, format: Format): Subject {
  const suffix = format === "hybi" ? "" : `-${format}`;
  return { id: `ours-${runtime}${suffix}`, name: "Waterspout", runtime, file: OURS, format };
}

/** Our server with one more argument. */
function ownWith(runtime: RuntimeName, flag: "borrow" | "http2"): Subject {
  const name = flag === "borrow" ? "Waterspout, borrowed" : "Waterspout, HTTP/2";
  return {
    ...waterspout(runtime, "hybi"),
    id: `ours-${runtime}-${flag}`,
    name,
    flags: [`--${flag}`],
  };
}

type ClientKind = "ours" | "ws" | "native" | "smallest";

/** The name of the smallest programs. */
const SMALLEST = "smallest program";

/** A client. */
function clientOf(runtime: RuntimeName, kind: ClientKind): Subject {
  const name =
    { ours: "websocketConnect", ws: "ws", native: "WebSocket", smallest: SMALLEST }[kind];
  const id = `client-${kind}-${runtime}`;
  return { id, name, runtime, file: "clients/talk.ts", format: "hybi", flags: [kind] };
}

/** The smallest program that does the work of our server or client. */
export function smallest(ours: Subject): Subject {
  if (ours.file !== OURS) return clientOf(ours.runtime, "smallest");
  const id = ours.id.replace("ours", "smallest");
  return { ...ours, id, name: SMALLEST, file: "smallest/server.ts" };
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

/** The display name of a runtime. */
export function runtimeTitle(runtime: RuntimeName): string {
  return { bun: "Bun", deno: "Deno", node: "Node" }[runtime];
}

/** The contests of workloads with one format. */
export const CONTESTS: readonly Contest[] = [
  contest("bun", BUN_SERVE, "bun"),
  contest("deno", DENO_SERVE, "deno"),
  contest("node", WS, "node"),
  contest("node", faye("hybi"), undefined),
  contest("bun", faye("draft76"), "draft76"),
  contest("deno", faye("draft76"), "draft76"),
  contest("node", faye("draft76"), "draft76"),
];

/** The contests of workloads over TLS. */
export const TLS_CONTESTS: readonly Contest[] = CONTESTS.slice(0, 3);

/** The contests in which our handler borrows its messages. */
export const BORROWED_CONTESTS: readonly Contest[] = TLS_CONTESTS.map((contest) => ({
  ...contest,
  ours: ownWith(contest.ours.runtime, "borrow"),
}));

/** A server whose handlers are asynchronous. */
function asynchronous(server: Subject): Subject {
  const { id, name } = server;
  return { ...server, id: `${id}-async`, name: `${name}, async`, flags: ["--async"] };
}

/** The contests in which the handlers of both are asynchronous. */
export const ASYNC_CONTESTS: readonly Contest[] = TLS_CONTESTS.map((contest) => ({
  ...contest,
  ours: asynchronous(contest.ours),
  peer: asynchronous(contest.peer),
  column: undefined,
}));

/** The contests with compression, which `Deno.upgradeWebSocket` does not have. */
export const DEFLATE_CONTESTS: readonly Contest[] = [
  { ...contest("bun", BUN_SERVE, "bun"), floor: undefined },
  {
    ...contest("deno", waterspout("node", "hybi"), "deno"),
    title: "Deno: Waterspout on Node",
    floor: undefined,
  },
  { ...contest("node", WS, "node"), floor: undefined },
];

/** The contests with compression that have a peer on the same runtime. */
export const TAKEOVER_MEMORY_CONTESTS: readonly Contest[] = DEFLATE_CONTESTS.filter(({ peer }) =>
  peer.name !== "Waterspout"
);

function clientContest(runtime: RuntimeName, kind: "ws" | "native"): Contest {
  const [ours, peer] = [clientOf(runtime, "ours"), clientOf(runtime, kind)];
  const title = `${runtimeTitle(runtime)}: ${peer.name}`;
  return { title, ours, peer, floor: undefined, column: runtime };
}

/** The contests between clients. */
export const CLIENT_CONTESTS: readonly Contest[] = [
  clientContest("bun", "native"),
  clientContest("deno", "native"),
  clientContest("node", "native"),
  clientContest("node", "ws"),
];

/** All runtimes. */
export const RUNTIMES: readonly RuntimeName[] = ["bun", "deno", "node"];

/** Our server over HTTP/2 against itself over HTTP/1.1. No peer serves WebSockets over HTTP/2. */
export const STREAM_CONTESTS: readonly Contest[] = RUNTIMES.map((runtime) => ({
  ...contest(runtime, waterspout(runtime, "hybi"), undefined),
  ours: ownWith(runtime, "http2"),
  floor: undefined,
}));

/** The contests of workloads in which half of the connections speak draft76. */
export const MIXED_CONTESTS: readonly Contest[] = [
  contest("bun", faye("mixed"), undefined),
  contest("deno", faye("mixed"), undefined),
  contest("node", faye("mixed"), undefined),
];

/** Every server of some contests, once each. Floors come first; servers that are compared are adjacent. */
export function subjectsOf(contests: readonly Contest[]): Subject[] {
  const subjects = new Map<string, Subject>();
  for (const { floor } of contests) if (floor !== undefined) subjects.set(floor.id, floor);
  for (const { ours, peer } of contests) {
    subjects.set(peer.id, peer);
    subjects.set(ours.id, ours);
  }
  return [...subjects.values()];
}
