/**
 * What the connections of an application share: its settings and routes, the timer, the topics, and
 * the connections themselves.
 *
 * @module
 */
import { Addresses, turnAway } from "./admission.ts";
import type { Application } from "./application.ts";
import { Connection } from "./connection.ts";
import type { Routes } from "./routes.ts";
import type { Settings } from "./settings.ts";
import { Relay } from "./topics/relay.ts";
import { Topics } from "./topics/topics.ts";
import type { Transport } from "./transport/transport.ts";
import { Wheel } from "./wheel.ts";

/** Who accepts connections, and is told when one is gone: a server. */
export interface Owner {
  /** Whether new handshakes are refused. */
  readonly stopping: boolean;
  /** A connection's socket is gone. */
  forget(connection: Connection): void;
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
  /** Who subscribes to what. */
  readonly topics: Topics = new Topics();
  readonly #connections: Set<Connection> = new Set();
  readonly #addresses: Addresses;

  /** @param application The outside. @param settings Its settings. @param routes Its routes. */
  constructor(application: Application, settings: Settings, routes: Routes) {
    this.application = application;
    this.settings = settings;
    this.routes = routes;
    this.wheel = new Wheel(settings.clock);
    this.#addresses = new Addresses(settings);
    const { broker } = settings;
    if (broker !== undefined) this.topics.relay = new Relay(broker, this.topics, settings);
  }

  /** Takes a connection in, or turns it away where there are too many. */
  take(transport: Transport, owner?: Owner): Connection | undefined {
    const { maxConnections, maxConnectionsPerAddress } = this.settings;
    if (maxConnections > 0 && this.#connections.size >= maxConnections) {
      return turnAway(transport, this.wheel, "maxConnections");
    }
    const connection = new Connection(this, transport, owner);
    if (maxConnectionsPerAddress > 0 && !this.#addresses.add(connection)) {
      this.wheel.remove(connection);
      return turnAway(transport, this.wheel, "maxConnectionsPerAddress");
    }
    transport.events = connection;
    this.#connections.add(connection);
    return connection;
  }

  /** Whether a connection may stay, now that a trusted proxy has told whose it is. */
  readmit(connection: Connection): boolean {
    return this.#addresses.add(connection);
  }

  /** Whether a connection's socket is open. */
  has(connection: Connection): boolean {
    return this.#connections.has(connection);
  }

  /** A connection's socket is gone. */
  forget(connection: Connection): void {
    this.#connections.delete(connection);
    this.#addresses.delete(connection);
    connection.owner?.forget(connection);
  }
}
