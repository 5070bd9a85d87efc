/**
 * The state that all connections of an application share: settings, routes, timers, topics, counters.
 *
 * @module
 */
import { AccessLog, type EarlyRefusal } from "./access_log.ts";
import { Addresses, reject, writeRefusal } from "./connection_limits.ts";
import { Refusal, type RefusalReason } from "../errors.ts";
import { guard } from "../guard.ts";
import type { Application } from "./application.ts";
import type { Attachment } from "./attachment.ts";
import { checkShutdownOptions, ConnectionGroup, type ShutdownOptions } from "./connection_group.ts";
import { ServerConnection } from "./server_connection.ts";
import type { HeadReader } from "../handshake/head_reader.ts";
import type { RequestHead } from "../handshake/request_head.ts";
import { requestReader } from "../handshake/request_line.ts";
import { SharedHeads } from "../handshake/shared_heads.ts";
import { HandshakeRates } from "./handshake_rates.ts";
import { LimitedLog, logLastResort } from "./log.ts";
import type { Indexed } from "./indexed_set.ts";
import type { Routes } from "./routes.ts";
import { ERROR, HANDSHAKE, publishEarlyRefusal } from "./diagnostics.ts";
import { callIn } from "./hook_context.ts";
import type { HandlerLimits } from "./handler_limits.ts";
import type { Settings } from "./settings.ts";
import { type Stats, takeSnapshot } from "../metrics/snapshot.ts";
import { DateField } from "../http/date_field.ts";
import { Counters } from "../metrics/counters.ts";
import { makeHistories } from "../pubsub/make_histories.ts";
import { Presence } from "../pubsub/presence.ts";
import { Relay } from "../pubsub/relay.ts";
import { MessageMemory } from "../protocol/message_memory.ts";
import { Topics } from "../pubsub/topics.ts";
import type { Address, Transport } from "../transport/transport.ts";
import { PendingHeader, type ProxyHeaderEnd } from "./proxy_headers.ts";
import {
  PendingHandshake,
  type TlsHandshakeEnd,
  type TlsHandshakeOptions,
} from "./tls_handshakes.ts";
import { TrustedProxies } from "./trusted_proxy.ts";
import type { ConnectionEnvironment } from "../connection/connection_options.ts";
import { TimingWheel } from "../timing/timing_wheel.ts";
import { timersOf } from "../timing/clock_timers.ts";
import type { Turns } from "../timing/turns.ts";

/** Whose error is logged. */
type Reporter = Pick<ServerConnection, "handler" | "hookContext">;

/** The part of a connection that its server uses. */
export interface Owned extends Indexed {
  /** Starts to close the connection. */
  shutdown(code: number, reason: string): void;
  /** Closes the connection at once. */
  terminate(): void;
}

/** The part of a server that its connections use. */
export interface Owner {
  /** Whether the server is shutting down. */
  readonly stopping: boolean;
  /** Called when the socket is closed and the handler is done. */
  forget(owned: Owned): void;
}

/** The known facts about a connection that another server has accepted. */
export interface Arrival {
  /** The rest of `handshakeTimeout` after TLS, in milliseconds. */
  readonly timeLeft?: number | undefined;
  /** The bytes that were read already: the request head, and the bytes after it. */
  readonly received?: Uint8Array;
  /** See `WebSocketHandler.rawRequest`. */
  readonly rawRequest?: unknown;
  /** Begins the connection after its group has added it. Default: reads a request head. */
  readonly begin?: (connection: ServerConnection) => void;
  /** Writes a refusal. Default: as HTTP/1.1. */
  readonly writeRefusal?: Rejection["write"];
}

/** How to reject a connection. */
export interface Rejection {
  /** The reason. */
  readonly refusal: Refusal;
  /** Writes the refusal. Default: as HTTP/1.1. */
  readonly write?: ((transport: Transport, refusal: Refusal) => void) | undefined;
}

/** What the connections of an application share, with the limits of one handler. */
export interface ServerEnvironment extends ConnectionEnvironment {
  /** The limits in force. */
  readonly limits: HandlerLimits;
}

/** The private part of an {@linkcode Application}. */
export class Context {
  /** The application. */
  readonly application: Application;
  /** The settings. */
  readonly settings: Settings;
  /** The compiled routes. */
  readonly routes: Routes;
  /** The timers of all connections. */
  readonly wheel: TimingWheel;
  /** Turns of the event loop, shared by all connections of a clock. */
  readonly turns: Turns;
  /** The objects that connections of both roles share. */
  readonly environment: ServerEnvironment;
  /** The counters. */
  readonly counters: Counters = new Counters();
  /** Logs what clients can cause, at most one line per kind and interval. */
  readonly limitedLog: LimitedLog;
  /** The value of the field `Date`. */
  readonly date: DateField;
  /** The access log; `null` without the setting `accessLog`. */
  readonly accessLog: AccessLog | null;
  /** The topics and their subscribers. */
  readonly topics: Topics;
  /** The memory of borrowed messages. */
  readonly messageMemory: MessageMemory;
  /** Request heads that connections share. */
  readonly heads: SharedHeads = new SharedHeads();
  /** The listeners and attachments of the application, and the connections given to it. */
  readonly groups: Set<ConnectionGroup> = new Set();
  /** The connections of `Application.accept` and `Application.handleUpgrade`. */
  readonly given: ConnectionGroup;
  /** The attachments by their server. */
  readonly attachments: WeakMap<object, Attachment> = new WeakMap();
  /** Whether the application was shut down. */
  stopped = false;
  /** The proxies of the setting `trustProxy`. */
  readonly trusted: TrustedProxies;
  /** The number of sockets. */
  #sockets = 0;
  /** Counts handshakes by address; `null` without the setting `handshakeRate`. */
  readonly handshakeRates: HandshakeRates | null;
  readonly #addresses: Addresses;
  /** See {@linkcode hold}. */
  readonly #held: Set<object> = new Set();
  /** A reader to reuse. One is enough, because nearly every head arrives in one chunk. */
  #headReader: HeadReader<RequestHead> | null = null;

  /** @param application The application. @param settings Its settings. @param routes Its routes. */
  constructor(application: Application, settings: Settings, routes: Routes) {
    this.application = application;
    this.settings = settings;
    this.routes = routes;
    this.wheel = new TimingWheel(settings.clock);
    this.turns = timersOf(settings.clock).turns;
    this.date = new DateField(settings.clock);
    this.environment = {
      limits: settings,
      traffic: this.counters.traffic,
      turns: this.turns,
      wheel: this.wheel,
    };
    this.messageMemory = new MessageMemory(settings.poisonBorrowed);
    this.topics = new Topics(this.environment);
    this.limitedLog = new LimitedLog((message, error) => this.log(message, error), settings.clock);
    const { accessLog, clock } = settings;
    const failed = (error: unknown) => this.log("Uncaught exception in accessLog:", error);
    this.accessLog = accessLog === undefined ? null : new AccessLog(accessLog, clock, failed);
    this.trusted = new TrustedProxies(settings.trustProxy);
    this.#addresses = new Addresses(settings, this.trusted);
    const { handshakeRate } = settings;
    this.handshakeRates = handshakeRate === undefined
      ? null
      : new HandshakeRates(handshakeRate, clock, this.trusted);
    this.given = new ConnectionGroup(this);
    const { broker, history } = settings;
    if (broker !== undefined) this.topics.relay = new Relay(broker, this.topics, this);
    if (history !== undefined) {
      const log = (message: string, error?: unknown) => this.log(message, error);
      this.topics.histories = makeHistories(this.topics, { history, broker }, {
        ...this.environment,
        clock,
        log,
      });
    }
    this.topics.presence = new Presence(this, this.topics.relay);
  }

  /**
   * Serves a connection, or rejects it if there are too many.
   *
   * @param owner The group that it belongs to.
   */
  take(transport: Transport, owner: Owner, arrival: Arrival = {}): Owned {
    const refusal = this.#refusalOf(transport, owner);
    if (refusal !== undefined) {
      return this.reject(transport, owner, { refusal, write: arrival.writeRefusal });
    }
    const connection = new ServerConnection(this, transport, owner);
    this.#sockets++;
    connection.rawRequest = arrival.rawRequest;
    if (arrival.begin === undefined) connection.start(arrival.timeLeft);
    return connection;
  }

  /** Answers a connection without reading a request, counts it and closes it. */
  reject(
    transport: Transport,
    owner: Owner,
    { refusal, write = writeRefusal }: Rejection,
  ): Owned {
    const { reason, status } = refusal;
    this.#refusedEarly(transport.remoteAddress, { reason, status });
    write(transport, refusal);
    return reject(transport, this.wheel, owner);
  }

  /** Why a new connection is rejected; `undefined` if it is not. */
  #refusalOf(transport: Transport, owner: Owner): Refusal | undefined {
    if (owner.stopping) {
      return new Refusal(503, "the server is shutting down", { reason: "stopping" });
    }
    if (this.#sockets >= this.settings.maxConnections) {
      return new Refusal(503, "too many connections (maxConnections)", { reason: "limit" });
    }
    // The address is read only if it counts: that takes up to 1.4 µs on Bun.
    if (!this.#addresses.areLimited) return undefined;
    if (this.#addresses.add(transport, transport.remoteAddress)) return undefined;
    return new Refusal(503, "too many connections (maxConnectionsPerAddress)", { reason: "limit" });
  }

  /**
   * Starts a TLS handshake.
   *
   * @param peer The address of the client.
   * @param owner The server that accepted the TCP connection.
   * @returns `undefined` if there are too many connections, or the server is shutting down.
   */
  beginTls(
    peer: Address,
    owner: Owner,
    end: TlsHandshakeEnd & Pick<TlsHandshakeOptions, "timeLeft">,
  ): PendingHandshake | undefined {
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

  /**
   * Begins to read a PROXY header.
   *
   * @param peer The address of the proxy.
   * @param owner The server that accepted the TCP connection.
   * @returns `undefined` if the proxy is not trusted, there are too many connections, or the server is
   * shutting down.
   */
  beginProxyHeader(peer: Address, owner: Owner, end: ProxyHeaderEnd): PendingHeader | undefined {
    const { maxConnections, handshakeTimeout } = this.settings;
    if (owner.stopping) return void this.#refusedEarly(peer, { reason: "stopping" });
    const begunAt = this.wheel.now();
    const fail = (because: string): void => {
      this.#refusedEarly(peer, { reason: "proxy", duration: this.wheel.now() - begunAt });
      const from = peer.transport === "unix" ? "a unix socket" : peer.hostname;
      this.limitedLog.write("proxy", `Refused a connection from ${from}: ${because}`);
    };
    if (!this.trusted.has(peer)) {
      return void fail("proxyProtocol accepts only the proxies that trustProxy lists");
    }
    if (this.#sockets >= maxConnections) return void this.#refusedEarly(peer, { reason: "limit" });
    this.#sockets++;
    const release = () => void this.#sockets--;
    const { wheel } = this;
    return new PendingHeader({ ...end, wheel, handshakeTimeout, owner, fail, release });
  }

  /** Counts and logs a connection that was refused before its request. */
  #refusedEarly(peer: Address, refusal: EarlyRefusal): void {
    this.counters.refused[refusal.reason]++;
    this.accessLog?.early(peer, refusal);
    if (HANDSHAKE.isObserved) publishEarlyRefusal(peer, refusal.reason, refusal.status);
  }

  /** Counts and logs a handshake that was refused or failed. */
  refused(connection: ServerConnection, reason: RefusalReason, status?: number): void {
    this.counters.refused[reason]++;
    this.accessLog?.refusal(connection, reason, status);
    if (HANDSHAKE.isObserved) HANDSHAKE.publish(connection, status, reason);
  }

  /** Checks the limit again, when a trusted proxy has reported the address of the client. */
  readmit(connection: ServerConnection): boolean {
    return this.#addresses.add(connection.transport, connection.remoteAddress);
  }

  /** Returns the environment of a connection. The access log counts the bytes of each. */
  environmentOf(transport: Transport): ServerEnvironment {
    const { environment, accessLog } = this;
    if (accessLog === null) return environment;
    return { ...environment, traffic: accessLog.accept(transport, environment.traffic) };
  }

  /** Returns a reader of request heads. Give it back when it is done, unless it failed. */
  takeHeadReader(): HeadReader<RequestHead> {
    const reader = this.#headReader ?? requestReader(this.settings);
    this.#headReader = null;
    return reader;
  }

  /** Takes back a reader whose head is complete. */
  giveHeadReader(reader: HeadReader<RequestHead>): void {
    this.#headReader = reader;
  }

  /**
   * Counts an HTTP/2 session without streams as a connection.
   *
   * @param key The session.
   * @param owner Its server, if it may be refused. Default: it is counted even beyond the limits.
   * @returns False if there are too many connections. Then it is not counted.
   */
  hold(key: object, peer: Address, owner?: Owner): boolean {
    const isRefused = owner !== undefined &&
      (owner.stopping || this.#sockets >= this.settings.maxConnections);
    if (isRefused || (!this.#addresses.add(key, peer) && owner !== undefined)) {
      this.#refusedEarly(peer, { reason: owner.stopping ? "stopping" : "limit" });
      return false;
    }
    this.#held.add(key);
    this.#sockets++;
    return true;
  }

  /** Stops counting a session of {@linkcode hold}. */
  release(key: object): void {
    if (!this.#held.delete(key)) return;
    this.#sockets--;
    this.#addresses.delete(key);
  }

  /** Called when the socket of a connection is closed. */
  forget(connection: ServerConnection): void {
    this.#sockets--;
    this.#addresses.delete(connection.transport);
    // Without a listener, nothing else reports that the last connection is closed.
    if (connection.owner === this.given.owner && this.#sockets === 0) this.wheel.rest();
  }

  /** See `Application.shutdown`. */
  async shutdown(options: ShutdownOptions): Promise<void> {
    checkShutdownOptions(options);
    this.stopped = true;
    await Promise.all([...this.groups].map((group) => group.shutdown(options)));
    this.topics.histories?.store.close();
  }

  /** @throws {TypeError} If the application was shut down. */
  checkRunning(action: string): void {
    if (this.stopped) throw new TypeError(`Cannot ${action}: the application was shut down`);
  }

  /** Calls the setting `log`, which may throw. */
  log(message: string, error?: unknown): void {
    guard(
      (): unknown => this.settings.log(message, error),
      (another) => logLastResort("Uncaught exception in the setting log:", another),
    );
  }

  /** Logs an error of the application, with the handler's `logException` if there is a handler. */
  report({ handler, hookContext }: Reporter, error: unknown): void {
    if (ERROR.isObserved) ERROR.publish(handler, error);
    if (handler === null) return this.log("Uncaught exception:", error);
    guard(
      (): unknown => callIn(hookContext, () => handler.logException(error)),
      (another) => this.log("Uncaught exception in logException:", another),
    );
  }

  /** See `Application.stats`. */
  stats(): Stats {
    return takeSnapshot(this.counters, this.topics, this.#sockets);
  }
}
