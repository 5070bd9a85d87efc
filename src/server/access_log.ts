/**
 * One entry for whatever a client does that an operator may want in a log: Tornado's
 * `log_function`.
 *
 * @module
 */
import type { ConnectionEnd, EndedBy } from "../connection/connection_end.ts";
import type { Traffic } from "../connection/traffic.ts";
import { guard } from "../guard.ts";
import type { WebSocketVersion } from "../handshake/versions.ts";
import type { RefusalReason } from "../errors.ts";
import type { Clock } from "../timing/clock.ts";
import type { Address, Transport } from "../transport/transport.ts";

/**
 * What all entries have. Times are milliseconds, sizes bytes.
 *
 * @example
 * ```ts
 * import type { AccessEntry, AccessInfo } from "@waterspout/websocket";
 *
 * function where({ remoteAddress, path = "-" }: AccessInfo): string {
 *   return `${remoteAddress.hostname} ${path}`;
 * }
 * const log = (entry: AccessEntry) => console.log(entry.kind, where(entry));
 * console.assert(log.length === 1);
 * ```
 */
export interface AccessInfo {
  /**
   * When it happened, by the setting `clock`. With the default clock,
   * `performance.timeOrigin + time` is the time of day in milliseconds since 1970.
   */
  readonly time: number;
  /** The client's address; behind a trusted proxy, the one that the proxy names. */
  readonly remoteAddress: Address;
  /** The request's method; `undefined` if no whole request has come. */
  readonly method: string | undefined;
  /**
   * The path, percent-encoded, as the client has sent it and without the query, which may have
   * secrets; `undefined` if no whole request has come.
   */
  readonly path: string | undefined;
}

/** A handshake was accepted. */
export interface HandshakeEntry extends AccessInfo {
  /** What happened. */
  readonly kind: "handshake";
  /** The status of the answer. */
  readonly status: 101;
  /** The version that is spoken. */
  readonly version: WebSocketVersion;
  /** The subprotocol that was chosen. */
  readonly subprotocol: string | undefined;
  /** From the accept, behind TLS, to the 101, or to draft76's proof behind it. */
  readonly duration: number;
}

/** A handshake, or a connection at its accept or in its TLS handshake, came to nothing. */
export interface RefusalEntry extends AccessInfo {
  /** What happened. */
  readonly kind: "refusal";
  /** Why. */
  readonly reason: RefusalReason;
  /** The status of the answer; `undefined` if there was none. */
  readonly status: number | undefined;
  /** The version that was asked for; `undefined` if the request did not come so far. */
  readonly version: WebSocketVersion | undefined;
  /** From the accept. */
  readonly duration: number;
}

/** A plain HTTP request is over. */
export interface RequestEntry extends AccessInfo {
  /** What happened. */
  readonly kind: "request";
  /** The status of the answer; `undefined` if the client had gone before there was one. */
  readonly status: number | undefined;
  /** Whether the whole answer was written. */
  readonly complete: boolean;
  /** Bytes received, the head included. */
  readonly bytesIn: number;
  /** Bytes sent, the head included. */
  readonly bytesOut: number;
  /** From the accept to the last byte that was written. */
  readonly duration: number;
}

/** An open connection has ended. */
export interface CloseEntry extends AccessInfo {
  /** What happened. */
  readonly kind: "close";
  /** The version that was spoken. */
  readonly version: WebSocketVersion;
  /** Who ended it, or what. */
  readonly by: EndedBy;
  /** The close code; see `ConnectionEnd`. */
  readonly code: number;
  /** The reason that goes with it, which the client may have sent. */
  readonly reason: string;
  /** From the end of the handshake. */
  readonly duration: number;
  /** Messages received. */
  readonly messagesIn: number;
  /** Messages sent. */
  readonly messagesOut: number;
  /** Bytes received, the handshake included. */
  readonly bytesIn: number;
  /** Bytes sent, the handshake included. */
  readonly bytesOut: number;
}

/**
 * What the setting `accessLog` gets.
 *
 * @example A line for each, as web servers write them
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { type AccessEntry, Application, WebSocketHandler } from "@waterspout/websocket";
 * import { connect } from "@waterspout/websocket/testing";
 *
 * function line(entry: AccessEntry): string {
 *   const { kind, remoteAddress, method = "-", path = "-" } = entry;
 *   const result = entry.kind === "close" ? entry.code : entry.status ?? "-";
 *   return `${remoteAddress.hostname} ${method} ${path} ${kind} ${result}`;
 * }
 *
 * class Sink extends WebSocketHandler {
 *   onMessage(): void {}
 * }
 *
 * const lines: string[] = [];
 * const app = new Application([["/sink", Sink]], {
 *   accessLog: (entry) => void lines.push(line(entry)),
 * });
 * const client = await connect(app, "/sink?token=secret");
 * client.close(1000);
 * await client.closed;
 * await connect(app, "/elsewhere").catch(() => {});
 * assertEquals(lines, [
 *   "127.0.0.1 GET /sink handshake 101",
 *   "127.0.0.1 GET /sink close 1000",
 *   "127.0.0.1 GET /elsewhere refusal 404",
 * ]);
 * ```
 */
export type AccessEntry = HandshakeEntry | RefusalEntry | RequestEntry | CloseEntry;

/** What passes through one connection, counted for the application as well. */
export class ConnectionTraffic implements Traffic {
  /** When the connection was accepted, in the clock's milliseconds. */
  readonly acceptedAt: number;
  /** When it was opened. */
  openedAt = 0;
  readonly #total: Traffic;
  #messagesIn = 0;
  #messagesOut = 0;
  #bytesIn = 0;
  #bytesOut = 0;

  /** @param total The application's. @param now The time. */
  constructor(total: Traffic, now: number) {
    this.#total = total;
    this.acceptedAt = now;
  }

  /** See {@linkcode Traffic.messagesIn}. */
  get messagesIn(): number {
    return this.#messagesIn;
  }
  set messagesIn(count: number) {
    this.#total.messagesIn += count - this.#messagesIn;
    this.#messagesIn = count;
  }

  /** See {@linkcode Traffic.messagesOut}. */
  get messagesOut(): number {
    return this.#messagesOut;
  }
  set messagesOut(count: number) {
    this.#total.messagesOut += count - this.#messagesOut;
    this.#messagesOut = count;
  }

  /** See {@linkcode Traffic.bytesIn}. */
  get bytesIn(): number {
    return this.#bytesIn;
  }
  set bytesIn(size: number) {
    this.#total.bytesIn += size - this.#bytesIn;
    this.#bytesIn = size;
  }

  /** See {@linkcode Traffic.bytesOut}. */
  get bytesOut(): number {
    return this.#bytesOut;
  }
  set bytesOut(size: number) {
    this.#total.bytesOut += size - this.#bytesOut;
    this.#bytesOut = size;
  }
}

/** The part of a connection that is written down. */
export interface Accessed {
  readonly remoteAddress: Address;
  readonly head: { readonly method: string; readonly path: string } | null;
  readonly match: object | null;
  readonly version: WebSocketVersion;
  readonly subprotocol: string | undefined;
  readonly writer: { readonly environment: { readonly traffic: Traffic } };
}

/** A connection that is refused before it could send a request. */
export interface EarlyRefusal {
  /** Why. */
  readonly reason: RefusalReason;
  /** The status of the answer, if there is one. */
  readonly status?: number;
  /** The time since the accept, in milliseconds. Default: 0. */
  readonly duration?: number;
}

/** Makes the entries. Each is given in a microtask, so that the callback is in nobody's middle. */
export class AccessLog {
  readonly #callback: (entry: AccessEntry) => unknown;
  readonly #clock: Clock;
  readonly #failed: (error: unknown) => void;

  /**
   * @param callback The setting `accessLog`.
   * @param clock The source of time.
   * @param failed Told of what the callback throws or rejects.
   */
  constructor(
    callback: (entry: AccessEntry) => unknown,
    clock: Clock,
    failed: (error: unknown) => void,
  ) {
    this.#callback = callback;
    this.#clock = clock;
    this.#failed = failed;
  }

  /** A connection was accepted. @returns What counts for it. */
  accept(transport: Transport, total: Traffic): ConnectionTraffic {
    // Some runtimes do not know it any more once the client has gone.
    void transport.remoteAddress;
    return new ConnectionTraffic(total, this.#clock.now());
  }

  /** A connection came to nothing before it could send a request. */
  early(remoteAddress: Address, { reason, status, duration = 0 }: EarlyRefusal): void {
    const time = this.#clock.now();
    const info = { time, remoteAddress, method: undefined, path: undefined };
    this.#write({ kind: "refusal", ...info, reason, status, version: undefined, duration });
  }

  /** A handshake was accepted. */
  handshake(connection: Accessed): void {
    const { version, subprotocol } = connection;
    const { info, traffic } = this.#look(connection);
    traffic.openedAt = info.time;
    const duration = info.time - traffic.acceptedAt;
    this.#write({ kind: "handshake", ...info, status: 101, version, subprotocol, duration });
  }

  /** A handshake came to nothing. */
  refusal(connection: Accessed, reason: RefusalReason, status: number | undefined): void {
    const { info, traffic } = this.#look(connection);
    const version = connection.match === null ? undefined : connection.version;
    const duration = info.time - traffic.acceptedAt;
    this.#write({ kind: "refusal", ...info, reason, status, version, duration });
  }

  /** A plain HTTP request is over. */
  request(connection: Accessed, status: number | undefined, complete: boolean): void {
    const { info, traffic } = this.#look(connection);
    const { bytesIn, bytesOut, acceptedAt } = traffic;
    const duration = info.time - acceptedAt;
    this.#write({ kind: "request", ...info, status, complete, bytesIn, bytesOut, duration });
  }

  /** An open connection has ended. */
  close(connection: Accessed, { by, code, reason }: ConnectionEnd): void {
    const { info, traffic } = this.#look(connection);
    const { messagesIn, messagesOut, bytesIn, bytesOut, openedAt } = traffic;
    const counts = { messagesIn, messagesOut, bytesIn, bytesOut };
    const { version } = connection;
    const duration = info.time - openedAt;
    this.#write({ kind: "close", ...info, version, by, code, reason, duration, ...counts });
  }

  #look({ remoteAddress, head, writer }: Accessed): {
    readonly info: AccessInfo;
    readonly traffic: ConnectionTraffic;
  } {
    const time = this.#clock.now();
    const info = { time, remoteAddress, method: head?.method, path: head?.path };
    // `accept` has made it.
    return { info, traffic: writer.environment.traffic as ConnectionTraffic };
  }

  #write(entry: AccessEntry): void {
    queueMicrotask(() => guard(() => this.#callback(entry), this.#failed));
  }
}
