/**
 * The operator's view of an application.
 *
 * @module
 */
import type { BrokerStatus } from "../pubsub/brokers/broker.ts";
import type { WebSocketVersion } from "../handshake/versions.ts";
import type { RelayCounts } from "../pubsub/relay.ts";
import type { Topics } from "../pubsub/topics.ts";
import type { Count, Counters, RouteName } from "./counters.ts";
import type { RefusalReason } from "../errors.ts";
import type { Traffic } from "../connection/traffic.ts";

/** The connections of one version on one route. */
export interface ConnectionStats {
  /** The route's pattern, as text. */
  readonly route: string;
  /** The version that they speak. */
  readonly version: WebSocketVersion;
  /** Those that are open. */
  readonly open: number;
  /** Those that have been opened since the start. */
  readonly total: number;
}

/** What messages a broker has carried; see {@linkcode RelayCounts}. */
export interface BrokerStats extends Readonly<RelayCounts> {
  /** What it is and where. */
  readonly name: string;
  /** Whether messages reach other processes at present. */
  readonly status: BrokerStatus;
}

/**
 * What an application has done since it was made; see `Application.stats`.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { Application, WebSocketHandler } from "@waterspout/websocket";
 * import { connect } from "@waterspout/websocket/testing";
 *
 * class Sink extends WebSocketHandler {
 *   onMessage(): void {}
 * }
 *
 * const app = new Application([["/sink", Sink]]);
 * await connect(app, "/sink", { version: "draft76" });
 * const { byVersion, byRoute, refused } = app.stats();
 * assertEquals(byVersion.draft76, { open: 1, total: 1 });
 * assertEquals(byRoute["/sink"], { open: 1, total: 1 });
 * assertEquals(refused.origin, 0);
 * ```
 */
export interface Stats {
  /** Sockets that are there, with those whose handshake is not over and plain HTTP. */
  readonly sockets: number;
  /** Open connections, and all that have been opened. */
  readonly connections: Readonly<Count>;
  /** The same by version. */
  readonly byVersion: Readonly<Record<WebSocketVersion, Readonly<Count>>>;
  /** The same by route, its pattern as text. */
  readonly byRoute: Readonly<Record<string, Readonly<Count>>>;
  /** The same by route and version. */
  readonly byRouteAndVersion: readonly ConnectionStats[];
  /** Messages, each once for each connection, and bytes on the wire. */
  readonly traffic: Readonly<Traffic>;
  /** Plain HTTP requests that were answered. */
  readonly requests: number;
  /** Handshakes that came to nothing, by reason. */
  readonly refused: Readonly<Record<RefusalReason, number>>;
  /**
   * Ended connections by the code of the first closing frame, theirs or ours: 1005 if it has none,
   * as in draft76, and 1006 if the connection ended without one, as in draft75 (RFC 6455 §7.1.5).
   */
  readonly closed: Readonly<Record<number, number>>;
  /** Topics that have subscribers. */
  readonly topics: number;
  /** Subscriptions, over all topics. */
  readonly subscriptions: number;
  /** The broker; `undefined` if the setting `broker` is. */
  readonly broker: BrokerStats | undefined;
}

/** Every version, so that one that nobody speaks is shown as 0. */
const VERSIONS: readonly WebSocketVersion[] = [
  "draft75",
  "draft76",
  "hybi-07",
  "hybi-08",
  "rfc6455",
];

/** Takes the counters at this moment. */
export function takeSnapshot(counters: Counters, topics: Topics, sockets: number): Stats {
  const rows = [...counters.routes].flatMap(([pattern, versions]) =>
    [...versions].map(([version, count]) => ({ route: nameOf(pattern), version, ...count }))
  );
  const zeros = Object.fromEntries(VERSIONS.map((version) => [version, { open: 0, total: 0 }]));
  const byVersion = zeros as Record<WebSocketVersion, Count>;
  const byRoute: Record<string, Count> = {};
  const connections: Count = { open: 0, total: 0 };
  for (const row of rows) {
    add(connections, row);
    add(byVersion[row.version], row);
    add(byRoute[row.route] ??= { open: 0, total: 0 }, row);
  }
  const { relay } = topics;
  return {
    sockets,
    connections,
    byVersion,
    byRoute,
    byRouteAndVersion: rows,
    traffic: { ...counters.traffic },
    requests: counters.requests,
    refused: { ...counters.refused },
    closed: Object.fromEntries(counters.closed),
    topics: topics.size,
    subscriptions: topics.subscriptions,
    broker: relay === null
      ? undefined
      : { name: relay.name, status: relay.currentStatus, ...relay.counts },
  };
}

function nameOf(pattern: RouteName): string {
  return typeof pattern === "string" ? pattern : String(pattern);
}

function add(sum: Count, { open, total }: Count): void {
  sum.open += open;
  sum.total += total;
}
