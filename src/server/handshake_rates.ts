/**
 * Limits how many handshakes an address may begin.
 *
 * @module
 */
import { type Rate, TokenBucket } from "../connection/token_bucket.ts";
import { Refusal } from "../errors.ts";
import { addressGroup } from "../handshake/ip_network.ts";
import type { Clock } from "../timing/clock.ts";
import type { Address } from "../transport/transport.ts";
import type { TrustedProxies } from "./trusted_proxy.ts";

/**
 * How many addresses are remembered, in about 10 MB. Beyond it, the least recently active addresses
 * are forgotten.
 */
const MAX_ADDRESSES = 65_536;

/** Counts the handshakes of each address; for IPv6, of each /64. */
export class HandshakeRates {
  readonly #rate: Rate;
  readonly #clock: Clock;
  readonly #trusted: TrustedProxies;
  readonly #capacity: number;
  /** The buckets by address, the most recently used last. */
  readonly #buckets: Map<string, TokenBucket> = new Map();

  /**
   * @param rate The setting `handshakeRate`.
   * @param clock The source of time.
   * @param trusted The trusted proxies, which are not limited.
   * @param capacity The most addresses to remember.
   */
  constructor(rate: Rate, clock: Clock, trusted: TrustedProxies, capacity: number = MAX_ADDRESSES) {
    this.#rate = rate;
    this.#clock = clock;
    this.#trusted = trusted;
    this.#capacity = capacity;
  }

  /** The number of remembered addresses. */
  get size(): number {
    return this.#buckets.size;
  }

  /**
   * Counts a handshake.
   *
   * @param address The address of the client.
   * @throws {Refusal} 429, with `Retry-After`, if the address exceeds the rate.
   */
  admit(address: Address): void {
    if (address.transport === "unix" || this.#trusted.has(address)) return;
    const now = this.#clock.now();
    const bucket = this.#bucketOf(addressGroup(address.hostname), now);
    if (bucket.count(now) >= 1) return bucket.take(1);
    const seconds = Math.ceil(bucket.timeToToken(now) / 1000);
    throw new Refusal(429, "too many handshakes (handshakeRate)", {
      reason: "rate",
      headers: { "Retry-After": String(seconds) },
    });
  }

  #bucketOf(group: string, now: number): TokenBucket {
    const buckets = this.#buckets;
    const known = buckets.get(group);
    if (known !== undefined) buckets.delete(group);
    else this.#tidy(now);
    const bucket = known ?? new TokenBucket(this.#rate, now);
    buckets.set(group, bucket);
    return bucket;
  }

  /** Removes up to two of the oldest buckets: full ones, or any at the capacity. So each call is cheap. */
  #tidy(now: number): void {
    let left = 2;
    for (const [group, bucket] of this.#buckets) {
      const isNeeded = !bucket.isFull(now) && this.#buckets.size < this.#capacity;
      if (left-- === 0 || isNeeded) return;
      this.#buckets.delete(group);
    }
  }
}
