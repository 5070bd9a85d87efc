/**
 * Every limit, its unit and its default. Times are milliseconds, sizes bytes.
 *
 * @module
 */
import { checkCompression, type CompressionOptions } from "../connection/compression.ts";
import { WEBSOCKET_VERSIONS, type WebSocketVersion } from "../handshake/versions.ts";
import type { Fetch } from "../http/fetch.ts";
import type { Broker, BrokerStatus } from "../pubsub/brokers/broker.ts";
import { type Clock, systemClock } from "../timing/clock.ts";
import type { AccessEntry } from "./access_log.ts";
import { logToConsole } from "./log.ts";
import {
  BOOLEAN,
  checkAtMost,
  checkOptions,
  FUNCTION,
  type Kind,
  LIMIT,
  OBJECT,
  objectWith,
  STRINGS,
  TIME,
  withDefaults,
} from "../validation.ts";

/**
 * The settings of an {@linkcode Application}; each may be left out. A handler sees them, complete,
 * as `this.application.settings`.
 *
 * Times are milliseconds, and 0 turns an interval or a timeout off. Sizes are bytes. A count or a
 * size that limits something is at least 1, and `Infinity` is no limit.
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
  /**
   * The versions that are spoken. Default: all but draft75, which proves nothing about the client.
   */
  readonly versions: readonly WebSocketVersion[];
  /** Whether draft75 and draft76 are spoken over TLS only (see SECURITY.md). Default: false. */
  readonly secureDraftsOnly: boolean;
  /** Origins that may connect beside the server's own, as browsers write them. Default: none. */
  readonly allowedOrigins: readonly string[];
  /** The `Host` values that are served, against DNS rebinding. Default: empty, which means all. */
  readonly allowedHosts: readonly string[];
  /**
   * Addresses of proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed, or `Forwarded`
   * (RFC 7239) if they send neither; `"unix"` for unix sockets. Default: none.
   */
  readonly trustProxy: readonly string[];
  /** permessage-deflate, for handlers that do not say otherwise. Default: `undefined`, off. */
  readonly compression: CompressionOptions | undefined;
  /** Answers requests that are not for a WebSocket. Default: they get a 404 or a 426. */
  readonly fetch: Fetch | undefined;
  /** The longest request head. Beyond it: 431. Default: 16 KiB. */
  readonly maxHeaderSize: number;
  /** The most header fields of a request. Beyond it: 431. Default: 100. */
  readonly maxHeaderCount: number;
  /** The longest body of a plain HTTP request. Beyond it: 413. Default: 1 MiB. */
  readonly maxBodySize: number;
  /**
   * How long the handshake may take from accept on, with TLS, `prepare()` and draft76's key3; and how
   * long a client may take nothing of a plain HTTP response. Default: 10 s.
   */
  readonly handshakeTimeout: number;
  /** The longest message, after inflating. Beyond it: close code 1009. Default: 16 MiB. */
  readonly maxMessageSize: number;
  /** The most frames of one message. Beyond it: close code 1009. Default: 131,072. */
  readonly maxFragments: number;
  /** How much decoded input may wait for a busy handler; then reading stops. Default: 64 KiB. */
  readonly maxQueuedSize: number;
  /** The waiting output above which `writeMessage` promises wait. Default: 64 KiB. */
  readonly highWaterMark: number;
  /**
   * The most output that may wait for a client. Beyond it: close code 1013. One message is always
   * taken if no more than `highWaterMark` waits before it. Default: 16 MiB.
   */
  readonly maxBufferedAmount: number;
  /** The time between pings; versions without a ping use TCP keep-alive. Default: 20 s. */
  readonly pingInterval: number;
  /**
   * How long to wait for any data after a ping; then the connection is dropped. Default: 20 s.
   */
  readonly pingTimeout: number;
  /** How long a client may send no message; then it is closed with 1001. Default: 0, off. */
  readonly idleTimeout: number;
  /** How long to wait for the peer's part of the closing handshake. Default: 5 s. */
  readonly closeTimeout: number;
  /** The most connections at a time. Beyond it: 503, or with TLS the end. Default: `Infinity`. */
  readonly maxConnections: number;
  /** The same for one address. Default: `Infinity`. */
  readonly maxConnectionsPerAddress: number;
  /** Carries published messages to other processes. Default: topics are this process's own. */
  readonly broker: Broker | undefined;
  /**
   * Called when the broker goes away, with what is known of the cause, when it does not keep up
   * (`"slow"`), and when it is back. Default: writes to `log`.
   */
  readonly onBrokerStatus: ((status: BrokerStatus, error?: Error) => void) | undefined;
  /**
   * Called for each handshake, refusal, plain HTTP request and close (Tornado's `log_function`).
   * Default: nothing is written.
   */
  readonly accessLog: ((entry: AccessEntry) => unknown) | undefined;
  /**
   * Called with errors that no handler is told of. Default: writes them to `console.error` with
   * control characters escaped, for an error may quote what a client has sent.
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
  maxConnections: Infinity,
  maxConnectionsPerAddress: Infinity,
  broker: undefined,
  onBrokerStatus: undefined,
  accessLog: undefined,
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
  maxHeaderSize: LIMIT,
  maxHeaderCount: LIMIT,
  maxBodySize: LIMIT,
  handshakeTimeout: TIME,
  maxMessageSize: LIMIT,
  maxFragments: LIMIT,
  maxQueuedSize: LIMIT,
  highWaterMark: LIMIT,
  maxBufferedAmount: LIMIT,
  pingInterval: TIME,
  pingTimeout: TIME,
  idleTimeout: TIME,
  closeTimeout: TIME,
  maxConnections: LIMIT,
  maxConnectionsPerAddress: LIMIT,
  broker: objectWith("publish", "subscribe", "unsubscribe", "close"),
  onBrokerStatus: FUNCTION,
  accessLog: FUNCTION,
  log: FUNCTION,
  clock: objectWith("now", "setTimeout", "clearTimeout"),
};

/** The options of `listen`, which are no settings. */
const LISTEN_NAMES = ["port", "hostname", "path", "cert", "key", "reusePort", "signal", "onListen"];

/**
 * Completes settings with the defaults.
 *
 * @throws {TypeError} If a name is unknown, or a value has a wrong type.
 * @throws {RangeError} If a number is out of its range, or one limit excludes another.
 */
export function resolveSettings(settings: Partial<Settings>): Settings {
  checkOptions(settings, {
    kinds: KINDS,
    noun: "setting",
    subject: (name) => `Cannot use ${name}:`,
    elsewhere: { names: LISTEN_NAMES, place: "the options of listen" },
  });
  const resolved = withDefaults(defaultSettings, settings);
  if (resolved.compression !== undefined) checkCompression(resolved.compression);
  const unknown = resolved.versions.find((version) => !WEBSOCKET_VERSIONS.includes(version));
  if (unknown !== undefined) {
    throw new TypeError(`Cannot use version "${unknown}": not ${WEBSOCKET_VERSIONS.join(", ")}`);
  }
  checkAtMost(resolved, "highWaterMark", "maxBufferedAmount");
  return resolved;
}
