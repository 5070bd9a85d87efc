/**
 * What the connections of an application share: its settings and routes, the timer, the topics, and
 * the connections themselves.
 *
 * @module
 */
import { Addresses, turnAway } from "./connection_limits.ts";
import { attempt } from "../guard.ts";
import type { Application } from "./application.ts";
import { Connection } from "./server_connection.ts";
import { HeadReader } from "../handshake/head_reader.ts";
import { LimitedLog } from "./log.ts";
import type { Listed } from "./indexed_set.ts";
import type { Routes } from "./routes.ts";
import type { Settings } from "./settings.ts";
import { type Stats, takeStats } from "../metrics/snapshot.ts";
import { Tally } from "../metrics/counters.ts";
import { Relay } from "../pubsub/relay.ts";
import { Topics } from "../pubsub/topics.ts";
import type { Transport } from "../transport/transport.ts";
import { Wheel } from "../timing/timing_wheel.ts";

/** A connection, or one that was turned away, as its server sees it. */
export interface Owned extends Listed {
  /** Ends in good order. */
  shutdown(code: number, reason: string): void;
  /** Ends at once, and waits for nobody. */
  cut(): void;
}

/** Who accepts connections, and is told when one is over: a server. */
export interface Owner {
  /** Whether new handshakes are refused. */
  readonly stopping: boolean;
  /** The socket is gone, and its handler has nothing left to do. */
  forget(owned: Owned): void;
}

/** The inside of an {@linkcode Application}. */
export class Core {
  /** The outside. */
  readonly application: Application;
  /** The settings, complete. */
  readonly settings: Settings;
  /** The routes, compiled. */
  readonly routes: Routes;
  /** The timer of all connections. */
  readonly wheel: Wheel;
  /** What is counted. */
  readonly tally: Tally = new Tally();
  /** Writes to the setting `log` what clients can cause at will: one line per kind and interval. */
  readonly limitedLog: LimitedLog;
  /** Who subscribes to what. */
  readonly topics: Topics = new Topics();
  /** How many connections have a socket. */
  #sockets = 0;
  readonly #addresses: Addresses;
  /** Nearly every head comes in one piece, so that one reader serves all. */
  #headReader: HeadReader | null = null;

  /** @param application The outside. @param settings Its settings. @param routes Its routes. */
  constructor(application: Application, settings: Settings, routes: Routes) {
    this.application = application;
    this.settings = settings;
    this.routes = routes;
    this.wheel = new Wheel(settings.clock);
    this.limitedLog = new LimitedLog((message, error) => this.log(message, error), settings.clock);
    this.#addresses = new Addresses(settings);
    const { broker } = settings;
    if (broker !== undefined) this.topics.relay = new Relay(broker, this.topics, settings);
  }

  /** Takes a connection in, or turns it away where there are too many. */
  take(transport: Transport, owner?: Owner): Owned {
    const { maxConnections, maxConnectionsPerAddress } = this.settings;
    if (owner?.stopping) {
      this.tally.refused.stopping++;
      return turnAway(transport, this.wheel, owner, "the server is shutting down");
    }
    if (maxConnections > 0 && this.#sockets >= maxConnections) {
      this.tally.refused.limit++;
      return turnAway(transport, this.wheel, owner, "too many connections (maxConnections)");
    }
    const connection = new Connection(this, transport, owner);
    if (maxConnectionsPerAddress > 0 && !this.#addresses.add(connection)) {
      this.wheel.remove(connection);
      this.tally.refused.limit++;
      const reason = "too many connections (maxConnectionsPerAddress)";
      return turnAway(transport, this.wheel, owner, reason);
    }
    transport.events = connection;
    this.#sockets++;
    return connection;
  }

  /** Whether a connection may stay, now that a trusted proxy has told whose it is. */
  readmit(connection: Connection): boolean {
    return this.#addresses.add(connection);
  }

  /** A reader of request heads; to be given back, unless it has failed. */
  takeHeadReader(): HeadReader {
    const reader = this.#headReader ?? new HeadReader(this.settings);
    this.#headReader = null;
    return reader;
  }

  /** Gives a reader back whose head is complete. */
  giveHeadReader(reader: HeadReader): void {
    this.#headReader = reader;
  }

  /** A connection's socket is gone. */
  forget(connection: Connection): void {
    this.#sockets--;
    this.#addresses.delete(connection);
    // Whoever owns the listener may have closed it.
    if (connection.owner === undefined && this.#sockets === 0) this.wheel.rest();
  }

  /** Tells the setting `log`, which may fail itself. */
  log(message: string, error?: unknown): void {
    attempt(
      (): unknown => this.settings.log(message, error),
      (another) => console.error("Uncaught exception in the setting log:", another),
    );
  }

  /** See `Application.stats`. */
  stats(): Stats {
    return takeStats(this.tally, this.topics, this.#sockets);
  }
}
