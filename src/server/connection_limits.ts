/**
 * The limits on the number of connections, in total and per address.
 *
 * @module
 */
import { Linger } from "../connection/linger.ts";
import type { Owned, Owner } from "./context.ts";
import type { TrustedProxies } from "./trusted_proxy.ts";
import type { Refusal } from "../errors.ts";
import { addressGroup } from "../handshake/ip_network.ts";
import { errorResponse } from "../http/error_response.ts";
import type { Settings } from "./settings.ts";
import type { TimingWheel } from "../timing/timing_wheel.ts";
import type { Address, Transport } from "../transport/transport.ts";

/** Counts connections by address; for IPv6, by its first 64 bits. Counts nothing without a limit. */
export class Addresses {
  readonly #limit: number;
  readonly #trusted: TrustedProxies;
  readonly #counts: Map<string, number> = new Map();
  readonly #counted: Map<object, string> = new Map();

  /** @param settings The limit. @param trusted The trusted proxies, which are not counted. */
  constructor(settings: Settings, trusted: TrustedProxies) {
    this.#limit = settings.maxConnectionsPerAddress;
    this.#trusted = trusted;
  }

  /** The number of addresses with connections. */
  get size(): number {
    return this.#counts.size;
  }

  /** Whether there is a limit. */
  get areLimited(): boolean {
    return this.#limit !== Infinity;
  }

  /**
   * Counts a connection. Called again when a trusted proxy has reported the address of the client.
   *
   * @param key The connection: its transport, or its pending TLS handshake.
   * @param address The address of the client.
   * @returns False if the limit is reached. Then the connection is not counted.
   */
  add(key: object, address: Address): boolean {
    if (this.#limit === Infinity) return true;
    this.delete(key);
    if (address.transport === "unix" || this.#trusted.has(address)) return true;
    const hostname = addressGroup(address.hostname);
    const count = this.#counts.get(hostname) ?? 0;
    if (count >= this.#limit) return false;
    this.#counts.set(hostname, count + 1);
    this.#counted.set(key, hostname);
    return true;
  }

  /** Stops counting a connection. */
  delete(key: object): void {
    const hostname = this.#counted.get(key);
    if (hostname === undefined) return;
    this.#counted.delete(key);
    const count = this.#counts.get(hostname) ?? 0;
    if (count > 1) this.#counts.set(hostname, count - 1);
    else this.#counts.delete(hostname);
  }
}

const encoder = new TextEncoder();

/** How long a rejected client may take to read the response, in milliseconds. */
const LINGER_TIMEOUT = 1000;

/** Refuses a client without reading its request. */
export function writeRefusal(transport: Transport, refusal: Refusal): void {
  transport.write(encoder.encode(errorResponse(refusal)), true);
}

/** Closes a connection whose refusal was written. */
export function reject(
  transport: Transport,
  wheel: TimingWheel,
  owner: Owner | undefined,
): Owned {
  const rejected: Owned = {
    index: -1,
    shutdown() {},
    terminate: () => transport.destroy(),
  };
  new Linger(transport, {
    wheel,
    timeout: LINGER_TIMEOUT,
    destroys: true,
    owner: { gone: () => owner?.forget(rejected) },
  });
  return rejected;
}
