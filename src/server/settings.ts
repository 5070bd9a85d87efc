/**
 * Every limit, its unit and its default. Times are milliseconds, sizes bytes.
 *
 * @module
 */
import type { CompressionOptions } from "../connection/compression.ts";
import { WEBSOCKET_VERSIONS, type WebSocketVersion } from "../handshake/versions.ts";
import type { Fetch } from "../http/fetch.ts";
import type { Broker, BrokerStatus } from "../pubsub/brokers/broker.ts";
import { type Clock, systemClock } from "../timing/clock.ts";
import { logToConsole } from "./log.ts";
import {
  BOOLEAN,
  checkOptions,
  FUNCTION,
  type Kind,
  NON_NEGATIVE_INTEGER,
  OBJECT,
  objectWith,
  STRINGS,
} from "../validation.ts";

/**
 * The settings of an {@linkcode Application}; each may be left out. A handler sees them, complete,
 * as `this.application.settings`.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { Application } from "@waterspout/websocket";
 *
 * const app = new Application([], { maxMessageSize: 1024, pingInterval: 10_000 });
 * assertEquals(app.settings.maxMessageSize, 1024);
 * assertEquals(app.settings.closeTimeout, 5000);
 * ```
 */
export interface Settings {
  /** The versions that are spoken. draft75 proves nothing about the client and is left out. */
  readonly versions: readonly WebSocketVersion[];
  /** Whether draft75 and draft76 are spoken over TLS only (see SECURITY.md). */
  readonly secureDraftsOnly: boolean;
  /** Origins that may connect beside the server's own, as browsers write them. */
  readonly allowedOrigins: readonly string[];
  /** The `Host` values that are served, against DNS rebinding; all of them if empty. */
  readonly allowedHosts: readonly string[];
  /**
   * Addresses of proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed, or `Forwarded`
   * (RFC 7239) if they send neither; `"unix"` for unix sockets. None by default.
   */
  readonly trustProxy: readonly string[];
  /** permessage-deflate, for handlers that do not say otherwise; `undefined` leaves it off. */
  readonly compression: CompressionOptions | undefined;
  /** Answers requests that are not for a WebSocket; without it they get a 404 or a 426. */
  readonly fetch: Fetch | undefined;
  /** The longest request head. Beyond it: 431. */
  readonly maxHeaderSize: number;
  /** The most header fields of a request. Beyond it: 431. */
  readonly maxHeaderCount: number;
  /** The longest body of a plain HTTP request. Beyond it: 413. */
  readonly maxBodySize: number;
  /** From accept to the end of the handshake, with TLS, `prepare()` and draft76's key3. */
  readonly handshakeTimeout: number;
  /** The longest message, after inflating. Beyond it: close code 1009. */
  readonly maxMessageSize: number;
  /** The most frames that one message may come in. Beyond it: close code 1009. */
  readonly maxFragments: number;
  /** Input that is decoded ahead while a handler is busy; at it, reading stops. */
  readonly maxQueuedSize: number;
  /** Output that a client has not taken; `writeMessage` promises wait above it. */
  readonly highWaterMark: number;
  /** Output that a client may leave waiting. Beyond it: close code 1013. */
  readonly maxBufferedAmount: number;
  /** The time between pings; 0 for none. Versions without ping use TCP keep-alive. */
  readonly pingInterval: number;
  /** How long a ping may stay without a byte of answer; then the connection is dropped. */
  readonly pingTimeout: number;
  /** How long a client may send no message; then it is closed with 1001. 0 for ever. */
  readonly idleTimeout: number;
  /** How long to wait for the peer's part of the closing handshake. */
  readonly closeTimeout: number;
  /** The most connections at a time. Beyond it: 503, or with TLS the end. 0 for no limit. */
  readonly maxConnections: number;
  /** The same for one address. 0 for no limit. */
  readonly maxConnectionsPerAddress: number;
  /** What carries published messages to other processes; without it topics are this process's. */
  readonly broker: Broker | undefined;
  /**
   * Told when the broker goes away, with what is known of the cause, and when it is back; writes to
   * `log` unless set.
   */
  readonly onBrokerStatus: ((status: BrokerStatus, error?: Error) => void) | undefined;
  /**
   * Told of errors that no handler hears of. Unless set, they go to `console.error` with control
   * characters escaped: an error may quote what a client has sent.
   */
  readonly log: (message: string, error?: unknown) => void;
  /** The source of time, for tests. */
  readonly clock: Clock;
}

/** The defaults. */
export const defaultSettings: Settings = {
  versions: ["rfc6455", "hybi-08", "hybi-07", "draft76"],
  secureDraftsOnly: false,
  allowedOrigins: [],
  allowedHosts: [],
  trustProxy: [],
  compression: undefined,
  fetch: undefined,
  maxHeaderSize: 16 * 1024,
  maxHeaderCount: 100,
  maxBodySize: 1024 * 1024,
  handshakeTimeout: 10_000,
  maxMessageSize: 16 * 1024 * 1024,
  maxFragments: 128 * 1024,
  maxQueuedSize: 64 * 1024,
  highWaterMark: 64 * 1024,
  maxBufferedAmount: 16 * 1024 * 1024,
  pingInterval: 20_000,
  pingTimeout: 20_000,
  idleTimeout: 0,
  closeTimeout: 5_000,
  maxConnections: 0,
  maxConnectionsPerAddress: 0,
  broker: undefined,
  onBrokerStatus: undefined,
  log: logToConsole,
  clock: systemClock,
};

/** What each setting must be. `versions` and `compression` are looked into as well. */
const KINDS: Readonly<Record<keyof Settings, Kind>> = {
  versions: STRINGS,
  secureDraftsOnly: BOOLEAN,
  allowedOrigins: STRINGS,
  allowedHosts: STRINGS,
  trustProxy: STRINGS,
  compression: OBJECT,
  fetch: FUNCTION,
  maxHeaderSize: NON_NEGATIVE_INTEGER,
  maxHeaderCount: NON_NEGATIVE_INTEGER,
  maxBodySize: NON_NEGATIVE_INTEGER,
  handshakeTimeout: NON_NEGATIVE_INTEGER,
  maxMessageSize: NON_NEGATIVE_INTEGER,
  maxFragments: NON_NEGATIVE_INTEGER,
  maxQueuedSize: NON_NEGATIVE_INTEGER,
  highWaterMark: NON_NEGATIVE_INTEGER,
  maxBufferedAmount: NON_NEGATIVE_INTEGER,
  pingInterval: NON_NEGATIVE_INTEGER,
  pingTimeout: NON_NEGATIVE_INTEGER,
  idleTimeout: NON_NEGATIVE_INTEGER,
  closeTimeout: NON_NEGATIVE_INTEGER,
  maxConnections: NON_NEGATIVE_INTEGER,
  maxConnectionsPerAddress: NON_NEGATIVE_INTEGER,
  broker: objectWith("publish", "subscribe", "unsubscribe", "close"),
  onBrokerStatus: FUNCTION,
  log: FUNCTION,
  clock: objectWith("now", "setTimeout", "clearTimeout"),
};

/** The options of `listen`, which are no settings. */
const LISTEN_NAMES = ["port", "hostname", "path", "cert", "key", "reusePort", "signal", "onListen"];

const LEVEL: Kind = {
  expected: "an integer from 1 to 9",
  hasType: (value) => typeof value === "number",
  inRange: (value) => Number.isInteger(value) && Number(value) >= 1 && Number(value) <= 9,
};

const COMPRESSION_KINDS: Readonly<Record<keyof CompressionOptions, Kind>> = {
  level: LEVEL,
  memLevel: LEVEL,
  threshold: NON_NEGATIVE_INTEGER,
  contextTakeover: BOOLEAN,
};

/**
 * Checks how to compress.
 *
 * @throws {TypeError} If a name is unknown or a value has a wrong type.
 * @throws {RangeError} If a number is out of range.
 */
export function checkCompression(options: CompressionOptions): void {
  checkOptions(options, {
    kinds: COMPRESSION_KINDS,
    noun: "compression option",
    subject: (name) => `Cannot compress: ${name}`,
  });
}

/**
 * Completes settings with the defaults.
 *
 * @throws {TypeError} If a name is unknown, or a value has a wrong type.
 * @throws {RangeError} If a limit is not a non-negative integer, or one excludes another.
 */
export function resolveSettings(settings: Partial<Settings>): Settings {
  checkOptions(settings, {
    kinds: KINDS,
    noun: "setting",
    subject: (name) => `Cannot use ${name}:`,
    elsewhere: { names: LISTEN_NAMES, place: "the options of listen" },
  });
  const given = Object.entries(settings).filter(([, value]) => value !== undefined);
  const resolved: Settings = { ...defaultSettings, ...Object.fromEntries(given) };
  if (resolved.compression !== undefined) checkCompression(resolved.compression);
  const unknown = resolved.versions.find((version) => !WEBSOCKET_VERSIONS.includes(version));
  if (unknown !== undefined) {
    throw new TypeError(`Cannot use version "${unknown}": not ${WEBSOCKET_VERSIONS.join(", ")}`);
  }
  const { highWaterMark, maxBufferedAmount } = resolved;
  if (highWaterMark > maxBufferedAmount) {
    throw new RangeError(
      `Cannot use highWaterMark ${highWaterMark}: above maxBufferedAmount, ${maxBufferedAmount}`,
    );
  }
  return resolved;
}
