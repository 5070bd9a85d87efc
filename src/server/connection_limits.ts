/**
 * How many connections are let in, in all and from one address.
 *
 * @module
 */
import type { Connection } from "./server_connection.ts";
import type { Owned, Owner } from "./context.ts";
import { isTrusted } from "./trusted_proxy.ts";
import { HttpError } from "../errors.ts";
import { errorResponse } from "../http/error_response.ts";
import type { Settings } from "./settings.ts";
import type { Transport, TransportEvents } from "../transport/transport.ts";
import type { Link, Timed, Wheel } from "../timing/timing_wheel.ts";

/** Connections by address, counted only where `maxConnectionsPerAddress` asks for it. */
export class Addresses {
  readonly #limit: number;
  readonly #trusted: readonly string[];
  readonly #counts: Map<string, number> = new Map();
  readonly #counted: Map<Connection, string> = new Map();

  /** @param settings The limit, and the proxies that do not count as the client. */
  constructor(settings: Settings) {
    this.#limit = settings.maxConnectionsPerAddress;
    this.#trusted = settings.trustProxy;
  }

  /**
   * Counts a connection, again once a trusted proxy has told whose it is.
   *
   * @returns Whether there was room; if not, it is not counted.
   */
  add(connection: Connection): boolean {
    if (this.#limit === 0) return true;
    this.delete(connection);
    const { remoteAddress } = connection;
    const { transport, hostname } = remoteAddress;
    if (transport === "unix" || isTrusted(remoteAddress, this.#trusted)) return true;
    const count = this.#counts.get(hostname) ?? 0;
    if (count >= this.#limit) return false;
    this.#counts.set(hostname, count + 1);
    this.#counted.set(connection, hostname);
    return true;
  }

  /** A connection is gone. */
  delete(connection: Connection): void {
    if (this.#limit === 0) return;
    const hostname = this.#counted.get(connection);
    if (hostname === undefined) return;
    this.#counted.delete(connection);
    const count = this.#counts.get(hostname) ?? 0;
    if (count > 1) this.#counts.set(hostname, count - 1);
    else this.#counts.delete(hostname);
  }
}

const encoder = new TextEncoder();

/** How long a client that is not let in has to read why, in milliseconds. */
const PARTING_TIME = 1000;

/** Answers a connection that is not let in with a 503, whatever it asks. */
export function turnAway(
  transport: Transport,
  wheel: Wheel,
  owner: Owner | undefined,
  reason: string,
): Owned {
  const turnedAway = new TurnedAway(transport, wheel, owner);
  wheel.set(turnedAway, PARTING_TIME);
  transport.events = turnedAway;
  transport.write(encoder.encode(errorResponse(new HttpError(503, reason))), true);
  transport.end();
  return turnedAway;
}

/** Reads on for a moment: an unread byte would turn the FIN into a reset that drops the answer. */
class TurnedAway implements TransportEvents, Timed, Owned {
  place = -1;
  deadline = 0;
  before: Link | null = null;
  after: Link | null = null;
  readonly #transport: Transport;
  readonly #wheel: Wheel;
  readonly #owner: Owner | undefined;

  constructor(transport: Transport, wheel: Wheel, owner: Owner | undefined) {
    this.#transport = transport;
    this.#wheel = wheel;
    this.#owner = owner;
  }

  data(): void {}

  drain(): void {}

  end(): void {
    this.#transport.destroy();
  }

  closed(): void {
    this.#wheel.remove(this);
    this.#owner?.forget(this);
  }

  expire(): void {
    this.#transport.destroy();
  }

  shutdown(): void {}

  cut(): void {
    this.#transport.destroy();
  }
}
