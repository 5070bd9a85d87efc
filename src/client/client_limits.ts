/**
 * The limits of a client and their defaults. Sizes are in bytes, times in milliseconds.
 *
 * @module
 */
import type { ConnectionLimits } from "../connection/connection_options.ts";
import type { HeadLimits } from "../handshake/head_reader.ts";
import type { ProtocolLimits } from "../protocol/protocol.ts";
import { type Clock, systemClock } from "../timing/clock.ts";
import { checkAtMost, type Kind, LIMIT, objectWith, TIME, withDefaults } from "../validation.ts";

/** The limits of a client; see `ConnectOptions`. */
export interface ClientLimits extends ConnectionLimits, ProtocolLimits, HeadLimits {
  /** How many bytes of messages may wait for `readMessage`. */
  readonly maxQueuedSize: number;
  /** How many bytes of the body of a refusal are read. */
  readonly maxBodySize: number;
  /** How long `websocketConnect` may take. 0 means no limit. */
  readonly handshakeTimeout: number;
  /** The source of time. */
  readonly clock: Clock;
}

const DEFAULTS: ClientLimits = {
  maxMessageSize: 16 * 1024 * 1024,
  maxFragments: 128 * 1024,
  maxFragmentSize: Infinity,
  maxQueuedSize: 64 * 1024,
  highWaterMark: 64 * 1024,
  maxBufferedAmount: 16 * 1024 * 1024,
  maxHeaderSize: 16 * 1024,
  maxHeaderCount: 100,
  maxBodySize: 4 * 1024,
  handshakeTimeout: 10_000,
  closeTimeout: 5_000,
  pingInterval: 20_000,
  pingTimeout: 20_000,
  // Off: a client that only receives messages is not idle.
  idleTimeout: 0,
  clock: systemClock,
};

/** The limits that a caller may set, and what each must be. */
export const LIMIT_KINDS: Readonly<Record<Exclude<keyof ClientLimits, "idleTimeout">, Kind>> = {
  maxMessageSize: LIMIT,
  maxFragments: LIMIT,
  maxFragmentSize: LIMIT,
  maxQueuedSize: LIMIT,
  highWaterMark: LIMIT,
  maxBufferedAmount: LIMIT,
  maxHeaderSize: LIMIT,
  maxHeaderCount: LIMIT,
  maxBodySize: LIMIT,
  handshakeTimeout: TIME,
  closeTimeout: TIME,
  pingInterval: TIME,
  pingTimeout: TIME,
  clock: objectWith("now", "setTimeout", "clearTimeout"),
};

/**
 * Adds the defaults.
 *
 * @param given Options that were checked. Those that are not limits are ignored.
 * @throws {RangeError} If `highWaterMark` exceeds `maxBufferedAmount`.
 */
export function resolveLimits(given: Partial<ClientLimits>): ClientLimits {
  const limits = withDefaults(DEFAULTS, given, Object.keys(LIMIT_KINDS));
  checkAtMost(limits, "highWaterMark", "maxBufferedAmount");
  return limits;
}
