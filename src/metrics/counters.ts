/**
 * The counters of an application.
 *
 * @module
 */
import type { RefusalReason } from "../errors.ts";
import type { WebSocketVersion } from "../handshake/versions.ts";
import { Histogram } from "./histogram.ts";
import { Traffic } from "../connection/traffic.ts";

/**
 * A number of connections.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import { Application, type Count } from "@waterspout/websocket";
 *
 * const { open, total }: Count = new Application([]).stats().connections;
 * assert(open === 0 && total === 0);
 * ```
 */
export interface Count {
  /** Open connections. */
  open: number;
  /** All connections since the start, including open ones. */
  total: number;
}

/** The pattern of a route. */
export type RouteName = string | RegExp;

/** The counters of an application. */
export class Counters {
  /** Messages and bytes. */
  readonly traffic: Traffic = new Traffic();
  /** Round trips of pings. */
  readonly latency: Histogram = new Histogram();
  /** Plain HTTP requests that were answered. */
  requests = 0;
  /** Refused and failed handshakes by reason. */
  readonly refused: Record<RefusalReason, number> = {
    request: 0,
    timeout: 0,
    gone: 0,
    host: 0,
    limit: 0,
    rate: 0,
    stopping: 0,
    proxy: 0,
    tls: 0,
    path: 0,
    method: 0,
    version: 0,
    handshake: 0,
    origin: 0,
    handler: 0,
    error: 0,
  };
  /** How many times `messageRate` or `byteRate` has stopped reading from a client. */
  throttled = 0;
  /** Ended connections by close code. */
  readonly closed: Map<number, number> = new Map();
  /** Opened connections by route and version. */
  readonly routes: Map<RouteName, Map<WebSocketVersion, Count>> = new Map();

  /** Counts an accepted handshake. */
  open(pattern: RouteName, version: WebSocketVersion): void {
    const count = this.#count(pattern, version);
    count.open++;
    count.total++;
  }

  /** Counts the end of a connection. */
  close(pattern: RouteName, version: WebSocketVersion, code: number): void {
    this.#count(pattern, version).open--;
    this.closed.set(code, (this.closed.get(code) ?? 0) + 1);
  }

  #count(pattern: RouteName, version: WebSocketVersion): Count {
    let versions = this.routes.get(pattern);
    if (versions === undefined) this.routes.set(pattern, versions = new Map());
    let count = versions.get(version);
    if (count === undefined) versions.set(version, count = { open: 0, total: 0 });
    return count;
  }
}
