/**
 * What an application counts as it goes: additions to plain fields, and nothing else.
 *
 * @module
 */
import type { RefusalReason } from "../errors.ts";
import type { WebSocketVersion } from "../handshake/versions.ts";
import { Traffic } from "../connection/traffic.ts";

/** How many there are, and how many there have been. */
export interface Count {
  /** At present. */
  open: number;
  /** Since the start, with those at present. */
  total: number;
}

/** What names a route: its pattern. */
export type RouteName = string | RegExp;

/** The counters of an application. */
export class Counters {
  /** What has passed through its connections. */
  readonly traffic: Traffic = new Traffic();
  /** Plain HTTP requests that were answered. */
  requests = 0;
  /** Handshakes that came to nothing. */
  readonly refused: Record<RefusalReason, number> = {
    request: 0,
    timeout: 0,
    gone: 0,
    host: 0,
    limit: 0,
    stopping: 0,
    tls: 0,
    path: 0,
    method: 0,
    version: 0,
    handshake: 0,
    origin: 0,
    handler: 0,
    error: 0,
  };
  /** Ended connections by close code. */
  readonly closed: Map<number, number> = new Map();
  /** Opened connections by route and version. */
  readonly routes: Map<RouteName, Map<WebSocketVersion, Count>> = new Map();

  /** A handshake was accepted. */
  open(pattern: RouteName, version: WebSocketVersion): void {
    const count = this.#count(pattern, version);
    count.open++;
    count.total++;
  }

  /** A connection that was open is over. */
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
