/**
 * What an application counts as it goes: additions to plain fields, and nothing else.
 *
 * @module
 */
import { HttpError, ProtocolError } from "../errors.ts";
import type { WebSocketVersion } from "../handshake/versions.ts";
import type { Pattern } from "../server/routes.ts";
import { Traffic } from "../connection/traffic.ts";

/** How many there are, and how many there have been. */
export interface Count {
  /** At present. */
  open: number;
  /** Since the start, with those at present. */
  total: number;
}

/**
 * Why a handshake came to nothing:
 *
 * - `request`: the request is malformed or too large;
 * - `timeout`: it, or `prepare()`, took longer than `handshakeTimeout`;
 * - `gone`: the connection ended before, by the client or by the handler;
 * - `host`: `allowedHosts` does not list what was asked for;
 * - `limit`: `maxConnections` or `maxConnectionsPerAddress`;
 * - `stopping`: the server is shutting down;
 * - `tls`: the TLS handshake failed, or took longer than `handshakeTimeout`;
 * - `path`: no route matches;
 * - `method`: it is no GET;
 * - `version`: none that is spoken (here, or without TLS);
 * - `handshake`: a rule of its version is broken;
 * - `origin`: the page's origin may not connect;
 * - `handler`: the handler's `prepare()` refused it;
 * - `error`: the application threw something else than an `HttpError`.
 */
export type RefusalReason =
  | "request"
  | "timeout"
  | "gone"
  | "host"
  | "limit"
  | "stopping"
  | "tls"
  | "path"
  | "method"
  | "version"
  | "handshake"
  | "origin"
  | "handler"
  | "error";

/**
 * How far a handshake has come: its request is read, its version's rules are checked, its origin is
 * checked, its handler decides.
 */
export type RefusalStage = "request" | "handshake" | "origin" | "handler";

/** Reasons that a status tells, whatever the stage. */
const BY_STATUS: Readonly<Record<number, RefusalReason>> = {
  404: "path",
  405: "method",
  408: "timeout",
  421: "host",
  426: "version",
};

/** The reason for the refusal that an error is answered with. */
export function refusalReason(error: unknown, stage: RefusalStage): RefusalReason {
  if (error instanceof ProtocolError) return "handshake";
  if (!(error instanceof HttpError)) return "error";
  if (stage === "origin" || stage === "handler") return stage;
  if (error.status === 503) return "limit";
  if (error.status === 403) return "version";
  return BY_STATUS[error.status] ?? stage;
}

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
  readonly routes: Map<Pattern, Map<WebSocketVersion, Count>> = new Map();

  /** A handshake was accepted. */
  open(pattern: Pattern, version: WebSocketVersion): void {
    const count = this.#count(pattern, version);
    count.open++;
    count.total++;
  }

  /** A connection that was open is over. */
  close(pattern: Pattern, version: WebSocketVersion, code: number): void {
    this.#count(pattern, version).open--;
    this.closed.set(code, (this.closed.get(code) ?? 0) + 1);
  }

  #count(pattern: Pattern, version: WebSocketVersion): Count {
    let versions = this.routes.get(pattern);
    if (versions === undefined) this.routes.set(pattern, versions = new Map());
    let count = versions.get(version);
    if (count === undefined) versions.set(version, count = { open: 0, total: 0 });
    return count;
  }
}
