/**
 * What the connections of an application share: its settings and routes, the timer, the topics, and
 * the connections themselves.
 *
 * @module
 */
import { AccessLog, type EarlyRefusal } from "./access_log.ts";
import { Addresses, reject } from "./connection_limits.ts";
import { Refusal, type RefusalReason } from "../errors.ts";
import { guard } from "../guard.ts";
import type { Application } from "./application.ts";
import { ServerConnection } from "./server_connection.ts";
import type { HeadReader } from "../handshake/head_reader.ts";
import type { RequestHead } from "../handshake/request_head.ts";
import { requestReader } from "../handshake/request_line.ts";
import { SharedHeads } from "../handshake/shared_heads.ts";
import { LimitedLog, logLastResort } from "./log.ts";
import type { Indexed } from "./indexed_set.ts";
import type { Routes } from "./routes.ts";
import type { Settings } from "./settings.ts";
import { type Stats, takeSnapshot } from "../metrics/snapshot.ts";
import { Counters } from "../metrics/counters.ts";
import { Relay } from "../pubsub/relay.ts";
import { Topics } from "../pubsub/topics.ts";
import type { Address, Transport } from "../transport/transport.ts";
import { PendingHandshake, type TlsHandshakeEnd } from "./tls_handshakes.ts";
import type { ConnectionEnvironment } from "../connection/connection_options.ts";
import type { Traffic } from "../connection/traffic.ts";
import { TimingWheel } from "../timing/timing_wheel.ts";
import { type Turns, turnsOf } from "../timing/turns.ts";

/** A connection, or one that was turned away, as its server sees it. */
export interface Owned extends Indexed {
  /** Ends in good order. */
  shutdown(code: number, reason: string): void;
  /** Ends at once, and waits for nobody. */
  terminate(): void;
}

/** Who accepts connections, and is told when one is over: a server. */
export interface Owner {
  /** Whether new handshakes are refused. */
  readonly stopping: boolean;
  /** The socket is gone, and its handler has nothing left to do. */
  forget(owned: Owned): void;
}

/** The inside of an {@linkcode Application}. */
export class Context {
  /** The outside. */
  readonly application: Application;
  /** The settings, complete. */
  readonly settings: Settings;
  /** The routes, compiled. */
  readonly routes: Routes;
  /** The timer of all connections. */
  readonly wheel: TimingWheel;
  /** Turns of the event loop, shared by all connections of a clock. */
  readonly turns: Turns;
  /** What all connections share. */
  readonly environment: ConnectionEnvironment;
  /** What is counted. */
  readonly counters: Counters = new Counters();
  /** Writes to the setting `log` what clients can cause at will: one line per kind and interval. */
  readonly limitedLog: LimitedLog;
  /** What the setting `accessLog` is told by; `null` unless set. */
  readonly accessLog: AccessLog | null;
  /** Who subscribes to what. */
  readonly topics: Topics = new Topics();
  /** Heads of requests that are alike. */
  readonly heads: SharedHeads = new SharedHeads();
  /** How many connections have a socket. */
  #sockets = 0;
  readonly #addresses: Addresses;
  /** Nearly every head comes in one piece, so that one reader serves all. */
  #headReader: HeadReader<RequestHead> | null = null;

  /** @param application The outside. @param settings Its settings. @param routes Its routes. */
  constructor(application: Application, settings: Settings, routes: Routes) {
    this.application = application;
    this.settings = settings;
    this.routes = routes;
    this.wheel = new TimingWheel(settings.clock);
    this.turns = turnsOf(settings.clock);
    this.environment = {
      limits: settings,
      traffic: this.counters.traffic,
      turns: this.turns,
      wheel: this.wheel,
    };
    this.limitedLog = new LimitedLog((message, error) => this.log(message, error), settings.clock);
    const { accessLog, clock } = settings;
    const failed = (error: unknown) => this.log("Uncaught exception in accessLog:", error);
    this.accessLog = accessLog === undefined ? null : new AccessLog(accessLog, clock, failed);
    this.#addresses = new Addresses(settings);
    const { broker } = settings;
    if (broker !== undefined) this.topics.relay = new Relay(broker, this.topics, this);
  }

  /**
   * Takes a connection in, or turns it away where there are too many.
   *
   * @param owner The server that has accepted it, if one has.
   * @param timeLeft What TLS has left of `handshakeTimeout`, in milliseconds.
   */
  take(transport: Transport, owner?: Owner, timeLeft?: number): Owned {
    const refusal = this.#refusalOf(transport, owner);
    if (refusal !== undefined) {
      const { reason, status } = refusal;
      this.#refusedEarly(transport.remoteAddress, { reason, status });
      return reject(transport, this.wheel, owner, refusal);
    }
    const connection = new ServerConnection(this, transport, owner);
    connection.start(timeLeft);
    this.#sockets++;
    return connection;
  }

  /** Why a new connection is not let in; `undefined` if it is. */
  #refusalOf(transport: Transport, owner: Owner | undefined): Refusal | undefined {
    if (owner?.stopping) {
      return new Refusal(503, "the server is shutting down", { reason: "stopping" });
    }
    if (this.#sockets >= this.settings.maxConnections) {
      return new Refusal(503, "too many connections (maxConnections)", { reason: "limit" });
    }
    if (this.#addresses.add(transport, transport.remoteAddress)) return undefined;
    return new Refusal(503, "too many connections (maxConnectionsPerAddress)", { reason: "limit" });
  }

  /**
   * Lets a TLS handshake begin.
   *
   * @param peer The other end.
   * @param owner The server that has accepted the TCP connection.
   * @returns `undefined` where there are too many connections, or the server is shutting down.
   */
  beginTls(peer: Address, owner: Owner, end: TlsHandshakeEnd): PendingHandshake | undefined {
    const { maxConnections, handshakeTimeout } = this.settings;
    if (owner.stopping) return void this.#refusedEarly(peer, { reason: "stopping" });
    if (this.#sockets >= maxConnections) return void this.#refusedEarly(peer, { reason: "limit" });
    const begunAt = this.wheel.now();
    const pending = new PendingHandshake({
      ...end,
      wheel: this.wheel,
      timeout: handshakeTimeout,
      owner,
      fail: (error) => {
        this.#refusedEarly(peer, { reason: "tls", duration: this.wheel.now() - begunAt });
        end.fail(error);
      },
      release: (pending) => {
        this.#sockets--;
        this.#addresses.delete(pending);
      },
    });
    if (!this.#addresses.add(pending, peer)) {
      this.wheel.remove(pending);
      return void this.#refusedEarly(peer, { reason: "limit" });
    }
    this.#sockets++;
    return pending;
  }

  /** A connection came to nothing before it could send a request. */
  #refusedEarly(peer: Address, refusal: EarlyRefusal): void {
    this.counters.refused[refusal.reason]++;
    this.accessLog?.early(peer, refusal);
  }

  /** A handshake came to nothing. */
  refused(connection: ServerConnection, reason: RefusalReason, status?: number): void {
    this.counters.refused[reason]++;
    this.accessLog?.refusal(connection, reason, status);
  }

  /** Whether a connection may stay, now that a trusted proxy has told whose it is. */
  readmit(connection: ServerConnection): boolean {
    return this.#addresses.add(connection.transport, connection.remoteAddress);
  }

  /** What a connection shares with others, where its own traffic may be counted apart. */
  environmentWith(traffic: Traffic): ConnectionEnvironment {
    const { environment } = this;
    return traffic === environment.traffic ? environment : { ...environment, traffic };
  }

  /** A reader of request heads; to be given back, unless it has failed. */
  takeHeadReader(): HeadReader<RequestHead> {
    const reader = this.#headReader ?? requestReader(this.settings);
    this.#headReader = null;
    return reader;
  }

  /** Gives a reader back whose head is complete. */
  giveHeadReader(reader: HeadReader<RequestHead>): void {
    this.#headReader = reader;
  }

  /** A connection's socket is gone. */
  forget(connection: ServerConnection): void {
    this.#sockets--;
    this.#addresses.delete(connection.transport);
    // Whoever owns the listener may have closed it.
    if (connection.owner === undefined && this.#sockets === 0) this.wheel.rest();
  }

  /** Tells the setting `log`, which may fail itself. */
  log(message: string, error?: unknown): void {
    guard(
      (): unknown => this.settings.log(message, error),
      (another) => logLastResort("Uncaught exception in the setting log:", another),
    );
  }

  /** See `Application.stats`. */
  stats(): Stats {
    return takeSnapshot(this.counters, this.topics, this.#sockets);
  }
}
