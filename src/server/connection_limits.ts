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
import type { Link, Timed, TimingWheel } from "../timing/timing_wheel.ts";

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
const LINGER_TIMEOUT = 1000;

/** Answers a connection that is not let in with a 503, whatever it asks. */
export function reject(
  transport: Transport,
  wheel: TimingWheel,
  owner: Owner | undefined,
  reason: string,
): Owned {
  const rejected = new RejectedConnection(transport, wheel, owner);
  wheel.set(rejected, LINGER_TIMEOUT);
  transport.events = rejected;
  transport.write(encoder.encode(errorResponse(new HttpError(503, reason))), true);
  transport.end();
  return rejected;
}

/** Reads on for a moment: an unread byte would turn the FIN into a reset that drops the answer. */
class RejectedConnection implements TransportEvents, Timed, Owned {
  index = -1;
  deadline = 0;
  before: Link | null = null;
  after: Link | null = null;
  readonly #transport: Transport;
  readonly #wheel: TimingWheel;
  readonly #owner: Owner | undefined;

  constructor(transport: Transport, wheel: TimingWheel, owner: Owner | undefined) {
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
