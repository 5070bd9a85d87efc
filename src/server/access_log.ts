/**
 * The access log: one entry for each handshake, refusal, plain HTTP request and close (Tornado's
 * `log_function`).
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
 * The fields of all entries. Times are milliseconds, sizes bytes.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import type { AccessEntry, AccessInfo } from "@waterspout/websocket";
 *
 * function where({ remoteAddress, path = "-" }: AccessInfo): string {
 *   return `${remoteAddress.hostname} ${path}`;
 * }
 * const log = (entry: AccessEntry) => console.log(entry.kind, where(entry));
 * assert(log.length === 1);
 * ```
 */
export interface AccessInfo {
  /**
   * The time by the setting `clock`. With the default clock, `performance.timeOrigin + time` is the
   * time since 1970.
   */
  readonly time: number;
  /** The address of the client. Behind a trusted proxy, the address that the proxy reports. */
  readonly remoteAddress: Address;
  /** The method of the request; `undefined` if no complete request arrived. */
  readonly method: string | undefined;
  /**
   * The path as the client sent it, percent-encoded. The query is left out, since it may contain
   * secrets. `undefined` if no complete request arrived.
   */
  readonly path: string | undefined;
}

/**
 * A handshake was accepted.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import type { HandshakeEntry } from "@waterspout/websocket";
 *
 * function isSlow({ duration }: HandshakeEntry): boolean {
 *   return duration > 1000;
 * }
 * assert(isSlow.length === 1);
 * ```
 */
export interface HandshakeEntry extends AccessInfo {
  /** The kind of entry. */
  readonly kind: "handshake";
  /** The status of the response. */
  readonly status: 101;
  /** The protocol version. */
  readonly version: WebSocketVersion;
  /** The subprotocol in use; `undefined` if there is none. */
  readonly subprotocol: string | undefined;
  /**
   * The time to the end of the response: from accept, after TLS, or from the first byte of the request if
   * it is not the first one of its connection.
   */
  readonly duration: number;
}

/**
 * A handshake was refused or failed. It may have failed in TLS, or before the request was complete.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import type { RefusalEntry } from "@waterspout/websocket";
 *
 * function isAttack({ reason }: RefusalEntry): boolean {
 *   return reason === "request" || reason === "limit";
 * }
 * assert(isAttack.length === 1);
 * ```
 */
export interface RefusalEntry extends AccessInfo {
  /** The kind of entry. */
  readonly kind: "refusal";
  /** The reason. */
  readonly reason: RefusalReason;
  /** The status of the response; `undefined` if there was none. */
  readonly status: number | undefined;
  /** The version of the request; `undefined` if it is not known. */
  readonly version: WebSocketVersion | undefined;
  /** The time from accept. */
  readonly duration: number;
}

/**
 * A plain HTTP request was answered, or its client closed the connection.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import type { RequestEntry } from "@waterspout/websocket";
 *
 * function isFailure({ status, complete }: RequestEntry): boolean {
 *   return !complete || (status ?? 500) >= 500;
 * }
 * assert(isFailure.length === 1);
 * ```
 */
export interface RequestEntry extends AccessInfo {
  /** The kind of entry. */
  readonly kind: "request";
  /** The status of the response; `undefined` if the client closed the connection before it. */
  readonly status: number | undefined;
  /** Whether the complete response was written. */
  readonly complete: boolean;
  /** Bytes received, with the head. */
  readonly bytesIn: number;
  /** Bytes sent, with the head. */
  readonly bytesOut: number;
  /**
   * The time to the last byte written: from accept, or from the first byte of the request if it is not
   * the first one of its connection.
   */
  readonly duration: number;
}

/**
 * A WebSocket connection was closed.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import type { CloseEntry } from "@waterspout/websocket";
 *
 * function isLost({ by }: CloseEntry): boolean {
 *   return by === "network" || by === "timeout";
 * }
 * assert(isLost.length === 1);
 * ```
 */
export interface CloseEntry extends AccessInfo {
  /** The kind of entry. */
  readonly kind: "close";
  /** The protocol version. */
  readonly version: WebSocketVersion;
  /** Who or what closed it. */
  readonly by: EndedBy;
  /** The close code; see `ConnectionEnd`. */
  readonly code: number;
  /** The close reason. It may be text of the client. */
  readonly reason: string;
  /** The time from the end of the handshake. */
  readonly duration: number;
  /** Messages received. */
  readonly messagesIn: number;
  /** Messages sent. */
  readonly messagesOut: number;
  /** Bytes received, with the handshake. */
  readonly bytesIn: number;
  /** Bytes sent, with the handshake. */
  readonly bytesOut: number;
}

/**
 * The argument of the setting `accessLog`.
 *
 * @example One line per entry, as web servers write it
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

/** The traffic of one connection. It is added to that of the application. */
export class ConnectionTraffic implements Traffic {
  /** When the connection was accepted, or a later request began, in the clock's milliseconds. */
  startedAt: number;
  /** When it was opened. */
  openedAt = 0;
  readonly #total: Traffic;
  #messagesIn = 0;
  #messagesOut = 0;
  #bytesIn = 0;
  #bytesOut = 0;

  /** @param total The traffic of the application. @param now The time. */
  constructor(total: Traffic, now: number) {
    this.#total = total;
    this.startedAt = now;
  }

  /** Starts to count for another request, of which `bytesIn` bytes have arrived. */
  restart(now: number, bytesIn: number): void {
    this.startedAt = now;
    this.#bytesIn = bytesIn;
    this.#bytesOut = 0;
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

/** The part of a connection that the log uses. */
export interface Accessed {
  readonly remoteAddress: Address;
  readonly head: { readonly method: string; readonly path: string } | null;
  readonly match: object | null;
  readonly version: WebSocketVersion;
  readonly subprotocol: string | undefined;
  readonly writer: { readonly environment: { readonly traffic: Traffic } };
}

/** A connection that was refused before its request. */
export interface EarlyRefusal {
  /** The reason. */
  readonly reason: RefusalReason;
  /** The status of the response, if there was one. */
  readonly status?: number;
  /** The time since the accept, in milliseconds. Default: 0. */
  readonly duration?: number;
}

/** The end of a plain HTTP request. */
export interface RequestEnd {
  /** The status of the response, if there was one. */
  readonly status: number | undefined;
  /** Whether the complete response was written. */
  readonly complete: boolean;
  /** How many bytes of later requests have arrived. */
  readonly unread: number;
}

/** Makes the entries. The callback runs in a microtask, so it never interrupts a connection. */
export class AccessLog {
  readonly #callback: (entry: AccessEntry) => unknown;
  readonly #clock: Clock;
  readonly #failed: (error: unknown) => void;

  /**
   * @param callback The setting `accessLog`.
   * @param clock The source of time.
   * @param failed Called with what the callback throws or rejects.
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

  /** Called when a connection is accepted. @returns Its counters. */
  accept(transport: Transport, total: Traffic): ConnectionTraffic {
    // Some runtimes forget the address when the client is gone.
    void transport.remoteAddress;
    return new ConnectionTraffic(total, this.#clock.now());
  }

  /** Called when a connection is refused before its request. */
  early(remoteAddress: Address, { reason, status, duration = 0 }: EarlyRefusal): void {
    const time = this.#clock.now();
    const info = { time, remoteAddress, method: undefined, path: undefined };
    this.#write({ kind: "refusal", ...info, reason, status, version: undefined, duration });
  }

  /** Called when the first bytes of another request on a connection have arrived. */
  begin(connection: Accessed, bytesIn: number): void {
    const { traffic } = this.#look(connection);
    traffic.restart(this.#clock.now(), bytesIn);
  }

  /** Called when a handshake is accepted. */
  handshake(connection: Accessed): void {
    const { version, subprotocol } = connection;
    const { info, traffic } = this.#look(connection);
    traffic.openedAt = info.time;
    const duration = info.time - traffic.startedAt;
    this.#write({ kind: "handshake", ...info, status: 101, version, subprotocol, duration });
  }

  /** Called when a handshake is refused or fails. */
  refusal(connection: Accessed, reason: RefusalReason, status: number | undefined): void {
    const { info, traffic } = this.#look(connection);
    const version = connection.match === null ? undefined : connection.version;
    const duration = info.time - traffic.startedAt;
    this.#write({ kind: "refusal", ...info, reason, status, version, duration });
  }

  /** Called at the end of a plain HTTP request. */
  request(connection: Accessed, { status, complete, unread }: RequestEnd): void {
    const { info, traffic } = this.#look(connection);
    const { bytesOut, startedAt } = traffic;
    const bytesIn = traffic.bytesIn - unread;
    const duration = info.time - startedAt;
    this.#write({ kind: "request", ...info, status, complete, bytesIn, bytesOut, duration });
  }

  /** Called when a WebSocket connection is closed. */
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
    // Made in `accept`.
    return { info, traffic: writer.environment.traffic as ConnectionTraffic };
  }

  #write(entry: AccessEntry): void {
    queueMicrotask(() => guard(() => this.#callback(entry), this.#failed));
  }
}
