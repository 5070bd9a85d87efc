/**
 * The statistics of an application.
 *
 * @module
 */
import type { BrokerStatus } from "../pubsub/brokers/broker.ts";
import type { WebSocketVersion } from "../handshake/versions.ts";
import type { RelayCounts } from "../pubsub/relay.ts";
import type { Topics } from "../pubsub/topics.ts";
import type { Count, Counters, RouteName } from "./counters.ts";
import type { HistogramStats } from "./histogram.ts";
import type { RefusalReason } from "../errors.ts";
import type { Traffic } from "../connection/traffic.ts";

/**
 * The connections of one version on one route.
 *
 * @example
 * ```ts
 * import { Application, type ConnectionStats } from "@waterspout/websocket";
 *
 * const rows: readonly ConnectionStats[] = new Application([]).stats().byRouteAndVersion;
 * for (const { route, version, open } of rows) console.log(`${route} ${version}: ${open}`);
 * ```
 */
export interface ConnectionStats {
  /** The route's pattern, as text. */
  readonly route: string;
  /** The version. */
  readonly version: WebSocketVersion;
  /** Open connections. */
  readonly open: number;
  /** All connections since the start, including open ones. */
  readonly total: number;
}

/**
 * The broker and its counters; see {@linkcode RelayCounts}.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import { Application, type BrokerStats } from "@waterspout/websocket";
 * import { broadcastChannelBroker } from "@waterspout/websocket/brokers/broadcast_channel";
 *
 * const broker = broadcastChannelBroker("statistics");
 * const stats: BrokerStats | undefined = new Application([], { broker }).stats().broker;
 * assert(stats?.name === 'BroadcastChannel "statistics"' && stats.status === "up");
 * await broker.close();
 * ```
 */
export interface BrokerStats extends Readonly<RelayCounts> {
  /** The name and the address of the broker: `"Redis at 10.0.0.7:6379"`. */
  readonly name: string;
  /** Whether messages reach other processes. */
  readonly status: BrokerStatus;
}

/**
 * The statistics of an application since it was made; see `Application.stats`.
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
  /** Open sockets, including handshakes and plain HTTP. */
  readonly sockets: number;
  /** Open connections, and all connections since the start. */
  readonly connections: Readonly<Count>;
  /** Connections by version. */
  readonly byVersion: Readonly<Record<WebSocketVersion, Readonly<Count>>>;
  /** Connections by route, with its pattern as text. */
  readonly byRoute: Readonly<Record<string, Readonly<Count>>>;
  /** Connections by route and version. */
  readonly byRouteAndVersion: readonly ConnectionStats[];
  /** Messages and bytes. A published message counts once for each receiver. */
  readonly traffic: Readonly<Traffic>;
  /** Round trips of the pings that clients have answered. */
  readonly latency: HistogramStats;
  /** Plain HTTP requests that were answered. */
  readonly requests: number;
  /** How many times `messageRate` or `byteRate` has stopped reading from a client. */
  readonly throttled: number;
  /** Refused and failed handshakes by reason. */
  readonly refused: Readonly<Record<RefusalReason, number>>;
  /**
   * Closed connections by the code of the first close frame, sent or received: 1005 if the frame
   * has no code, as in draft76, 1006 if there was no frame, as in draft75 (RFC 6455 §7.1.5).
   */
  readonly closed: Readonly<Record<number, number>>;
  /** Topics with subscribers. */
  readonly topics: number;
  /** Subscriptions of all topics. */
  readonly subscriptions: number;
  /** Who is present through connections of this process. An id counts once for each topic. */
  readonly present: number;
  /** The broker; `undefined` without the setting `broker`. */
  readonly broker: BrokerStats | undefined;
}

/** All versions, so that unused ones are shown as 0. */
const VERSIONS: readonly WebSocketVersion[] = [
  "draft75",
  "draft76",
  "hybi-07",
  "hybi-08",
  "rfc6455",
];

/** Copies the counters. */
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
    latency: counters.latency.snapshot(),
    connections,
    byVersion,
    byRoute,
    byRouteAndVersion: rows,
    traffic: { ...counters.traffic },
    requests: counters.requests,
    throttled: counters.throttled,
    refused: { ...counters.refused },
    closed: Object.fromEntries(counters.closed),
    topics: topics.size,
    subscriptions: topics.subscriptions,
    present: topics.presence?.size ?? 0,
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
