/**
 * How many connections are let in, in all and from one address.
 *
 * @module
 */
import { Linger } from "../connection/linger.ts";
import type { Owned, Owner } from "./context.ts";
import { isTrusted } from "./trusted_proxy.ts";
import type { Refusal } from "../errors.ts";
import { errorResponse } from "../http/error_response.ts";
import type { Settings } from "./settings.ts";
import type { TimingWheel } from "../timing/timing_wheel.ts";
import type { Address, Transport } from "../transport/transport.ts";

/** Connections by address, counted only where `maxConnectionsPerAddress` asks for it. */
export class Addresses {
  readonly #limit: number;
  readonly #trusted: readonly string[];
  readonly #counts: Map<string, number> = new Map();
  readonly #counted: Map<object, string> = new Map();

  /** @param settings The limit, and the proxies that do not count as the client. */
  constructor(settings: Settings) {
    this.#limit = settings.maxConnectionsPerAddress;
    this.#trusted = settings.trustProxy;
  }

  /**
   * Counts a connection, again once a trusted proxy has told whose it is.
   *
   * @param key Which one: its transport, or its TLS handshake that is not over.
   * @param address The client's address.
   * @returns Whether there was room; if not, it is not counted.
   */
  add(key: object, address: Address): boolean {
    if (this.#limit === Infinity) return true;
    this.delete(key);
    const { hostname } = address;
    if (address.transport === "unix" || isTrusted(address, this.#trusted)) return true;
    const count = this.#counts.get(hostname) ?? 0;
    if (count >= this.#limit) return false;
    this.#counts.set(hostname, count + 1);
    this.#counted.set(key, hostname);
    return true;
  }

  /** A connection is gone. */
  delete(key: object): void {
    if (this.#limit === Infinity) return;
    const hostname = this.#counted.get(key);
    if (hostname === undefined) return;
    this.#counted.delete(key);
    const count = this.#counts.get(hostname) ?? 0;
    if (count > 1) this.#counts.set(hostname, count - 1);
    else this.#counts.delete(hostname);
  }
}

const encoder = new TextEncoder();

/** How long a client that is not let in has to read why, in milliseconds. */
const LINGER_TIMEOUT = 1000;

/** Answers a connection that is not let in without reading its request. */
export function reject(
  transport: Transport,
  wheel: TimingWheel,
  owner: Owner | undefined,
  refusal: Refusal,
): Owned {
  const rejected: Owned = {
    index: -1,
    shutdown() {},
    terminate: () => transport.destroy(),
  };
  transport.write(encoder.encode(errorResponse(refusal)), true);
  new Linger(transport, {
    wheel,
    timeout: LINGER_TIMEOUT,
    destroys: true,
    gone: () => owner?.forget(rejected),
  });
  return rejected;
}
