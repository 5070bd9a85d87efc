/**
 * The settings of an application, with their units and defaults.
 *
 * @module
 */
import { checkCompression, type CompressionOptions } from "../connection/compression.ts";
import type { ConnectionRate } from "../connection/flood_control.ts";
import type { Rate } from "../connection/token_bucket.ts";
import { WEBSOCKET_VERSIONS, type WebSocketVersion } from "../handshake/versions.ts";
import type { CookieSecret } from "../handshake/signed_value.ts";
import type { Fetch } from "../http/fetch.ts";
import type { Broker, BrokerStatus } from "../pubsub/brokers/broker.ts";
import { checkHistory, type TopicHistory } from "../pubsub/history_settings.ts";
import { type Clock, systemClock } from "../timing/clock.ts";
import type { AccessEntry } from "./access_log.ts";
import { logToConsole } from "./log.ts";
import {
  BOOLEAN,
  checkAtMost,
  checkOptions,
  CONNECTION_RATE,
  FUNCTION,
  type Kind,
  LIMIT,
  OBJECT,
  objectWith,
  RATE,
  STRINGS,
  TIME,
  withDefaults,
} from "../validation.ts";

/**
 * The settings of an {@linkcode Application}. All are optional in its constructor. A handler reads them
 * as `this.application.settings`.
 *
 * Times are milliseconds; 0 turns an interval or a timeout off. Sizes are bytes. A limit of a count or
 * a size is at least 1; `Infinity` means no limit.
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
   * The protocol versions to accept. Default: all except draft75, whose handshake does not prove that
   * the client is a WebSocket client.
   */
  readonly versions: readonly WebSocketVersion[];
  /** Whether to accept draft75 and draft76 over TLS only (see SECURITY.md). Default: false. */
  readonly secureDraftsOnly: boolean;
  /** Origins that may connect besides the server's own: `"https://example.com"`. Default: none. */
  readonly allowedOrigins: readonly string[];
  /** `Host` values to accept, against DNS rebinding. An empty list accepts all. Default: empty. */
  readonly allowedHosts: readonly string[];
  /**
   * Addresses of trusted proxies, or ranges such as `"10.0.0.0/8"`; `"unix"` for unix sockets. From
   * these, the server takes the client's address and scheme: from `X-Forwarded-For` and
   * `X-Forwarded-Proto`, or from `Forwarded` (RFC 7239) if they send neither. Default: none.
   */
  readonly trustProxy: readonly string[];
  /**
   * Whether each connection of `listen` must begin with a PROXY header (version 1 or 2) from a proxy in
   * `trustProxy`. The server takes the addresses of the connection from the header. If the client
   * address in the header is in `trustProxy` too, the server also uses `X-Forwarded-For`. Does not apply
   * to `accept` and `attach`. Default: false.
   */
  readonly proxyProtocol: boolean;
  /**
   * The secret with which a Tornado application signs cookies (`cookie_secret`), or several by their
   * key version: `{ 1: "old", 2: "new" }`. See `getSignedCookie`. Default: none.
   */
  readonly cookieSecret: CookieSecret | undefined;
  /** How to compress messages (permessage-deflate). Default: `undefined`, no compression. */
  readonly compression: CompressionOptions | undefined;
  /** Answers plain HTTP requests. Default: responds with 404 or 426. */
  readonly fetch: Fetch | undefined;
  /** The largest request head. A larger one gets a 431. Default: 16 KiB. */
  readonly maxHeaderSize: number;
  /** The most header fields in a request. More get a 431. Default: 100. */
  readonly maxHeaderCount: number;
  /**
   * The largest body of a plain HTTP request. A larger one gets a 413, or ends the connection if the
   * response has begun. Default: 1 MiB.
   */
  readonly maxBodySize: number;
  /**
   * How long the handshake may take after accept, including TLS, `prepare()` and draft76's key3. For
   * plain HTTP: how long a request head may take, how long a client may pause while it sends the body
   * or reads the response, and how long to wait for output after the client's FIN. Default: 10 s.
   */
  readonly handshakeTimeout: number;
  /**
   * How long a connection may be idle between two plain HTTP requests before it is closed. Behind a
   * proxy, set it longer than the keep-alive timeout of the proxy. Default: 5 s.
   */
  readonly keepAliveTimeout: number;
  /** The largest message, decompressed. A larger one closes with 1009. Default: 16 MiB. */
  readonly maxMessageSize: number;
  /** The most frames in a message. More close with 1009. Default: 131,072. */
  readonly maxFragments: number;
  /**
   * The largest payload of one frame of a message, as sent. A larger one closes with 1009. Does not
   * apply to draft75 and draft76. Default: `Infinity`, so only `maxMessageSize` counts.
   */
  readonly maxFragmentSize: number;
  /**
   * How much received data may wait for a busy handler, or for a `fetch` that reads a body, before
   * reading stops. Default: 64 KiB.
   */
  readonly maxQueuedSize: number;
  /**
   * Whether a binary message is valid only until `onMessage` returns or its promise settles. Then its
   * memory is used for other messages. Default: false, a handler may keep it.
   */
  readonly borrowMessages: boolean;
  /** Promises of `writeMessage` stay pending while more output than this waits. Default: 64 KiB. */
  readonly highWaterMark: number;
  /**
   * How much output may wait for a client. More closes with 1013. A message of any size is accepted
   * while at most `highWaterMark` waits. Default: 16 MiB.
   */
  readonly maxBufferedAmount: number;
  /** The time between pings. Versions without a ping use TCP keep-alive. Default: 20 s. */
  readonly pingInterval: number;
  /** How long to wait for any data after a ping before dropping the connection. Default: 20 s. */
  readonly pingTimeout: number;
  /** How long a client may send no message before it is closed with 1001. Default: 0, off. */
  readonly idleTimeout: number;
  /** How long to wait for the client's part of the closing handshake. Default: 5 s. */
  readonly closeTimeout: number;
  /**
   * How fast a client may send messages, pings and pongs. A message of many frames counts once (see
   * `maxFragments` and `byteRate`). Above the rate, the server stops reading until the rate allows more,
   * or closes with 1008: `{ perSecond: 10, burst: 50, action: "close" }`. Default: no limit.
   */
  readonly messageRate: ConnectionRate | undefined;
  /**
   * How fast a client may send bytes on the wire: compressed, with frame headers. One read may exceed the
   * rate by 64 KiB. The server then waits before the next read. Default: no limit.
   */
  readonly byteRate: ConnectionRate | undefined;
  /** The most connections at a time. More get a 503; over TLS they are closed. Default: `Infinity`. */
  readonly maxConnections: number;
  /**
   * The most connections of one address at a time; for IPv6, of one /64. An IPv4-mapped address counts
   * as IPv4. Default: `Infinity`.
   */
  readonly maxConnectionsPerAddress: number;
  /**
   * How fast one address may begin handshakes; for IPv6, one /64. Above the rate, a handshake gets a 429.
   * A handshake counts when its request is complete. Behind a trusted proxy, the address is that of the
   * client. Default: no limit.
   */
  readonly handshakeRate: Rate | undefined;
  /** Carries published messages to other processes. Default: topics stay in this process. */
  readonly broker: Broker | undefined;
  /**
   * The topics that keep their last messages, by topic or pattern: `{ "rooms/*": { size: 50 } }`. In a
   * pattern, `*` stands for any characters, or none. The first pattern that matches counts. With a
   * broker, it needs one that keeps messages. Default: none.
   */
  readonly history: Readonly<Record<string, TopicHistory>> | undefined;
  /**
   * Called when the broker's status changes, with the error if there is one. Default: writes to `log`.
   */
  readonly onBrokerStatus: ((status: BrokerStatus, error?: Error) => void) | undefined;
  /**
   * How long somebody is present whose process has died or cannot reach the broker: at least 1000.
   * The broker is told three times in this time who is present. Default: 30 s.
   */
  readonly presenceTtl: number;
  /**
   * Called for each handshake, refusal, plain HTTP request and close (Tornado's `log_function`).
   * Default: nothing is written.
   */
  readonly accessLog: ((entry: AccessEntry) => unknown) | undefined;
  /**
   * Called with errors that no handler receives. Default: writes them to `console.error`, and
   * escapes control characters, since an error may quote data of a client.
   */
  readonly log: (message: string, error?: unknown) => void;
  /**
   * Whether the memory of a borrowed message is overwritten with 0xDB afterwards, and not used again.
   * So a test finds a handler that keeps one. Default: false.
   */
  readonly poisonBorrowed: boolean;
  /** The source of time, for tests. */
  readonly clock: Clock;
}

/** The defaults of all settings. */
export const defaultSettings: Settings = {
  versions: ["rfc6455", "hybi-08", "hybi-07", "draft76"],
  secureDraftsOnly: false,
  allowedOrigins: [],
  allowedHosts: [],
  trustProxy: [],
  proxyProtocol: false,
  cookieSecret: undefined,
  compression: undefined,
  fetch: undefined,
  maxHeaderSize: 16 * 1024,
  maxHeaderCount: 100,
  maxBodySize: 1024 * 1024,
  handshakeTimeout: 10_000,
  keepAliveTimeout: 5_000,
  maxMessageSize: 16 * 1024 * 1024,
  maxFragments: 128 * 1024,
  maxFragmentSize: Infinity,
  maxQueuedSize: 64 * 1024,
  borrowMessages: false,
  highWaterMark: 64 * 1024,
  maxBufferedAmount: 16 * 1024 * 1024,
  pingInterval: 20_000,
  pingTimeout: 20_000,
  idleTimeout: 0,
  closeTimeout: 5_000,
  messageRate: undefined,
  byteRate: undefined,
  maxConnections: Infinity,
  maxConnectionsPerAddress: Infinity,
  handshakeRate: undefined,
  broker: undefined,
  history: undefined,
  onBrokerStatus: undefined,
  presenceTtl: 30_000,
  accessLog: undefined,
  log: logToConsole,
  poisonBorrowed: false,
  clock: systemClock,
};

/** A secret, or secrets by their key version. */
const SECRET: Kind = {
  expected: "a string that is not empty, or an object of such strings by their key version",
  hasType: (value) => {
    if (typeof value === "string") return value !== "";
    const entries = typeof value === "object" && value !== null ? Object.entries(value) : [];
    return entries.length > 0 &&
      entries.every(([version, secret]) =>
        /^(?:0|[1-9][0-9]*)$/.test(version) && typeof secret === "string" && secret !== ""
      );
  },
};

/** The least time between two renewals of presence is a third of this. */
const LEAST_TTL = 1000;

const TTL: Kind = {
  expected: `an integer from ${LEAST_TTL} to ${2 ** 31 - 1}`,
  hasType: (value) => typeof value === "number",
  inRange: (value) => TIME.inRange?.(value) === true && Number(value) >= LEAST_TTL,
};

/** What each setting must be. The content of `versions` and `compression` is checked below. */
const KINDS: Readonly<Record<keyof Settings, Kind>> = {
  versions: STRINGS,
  secureDraftsOnly: BOOLEAN,
  allowedOrigins: STRINGS,
  allowedHosts: STRINGS,
  trustProxy: STRINGS,
  proxyProtocol: BOOLEAN,
  cookieSecret: SECRET,
  compression: OBJECT,
  fetch: FUNCTION,
  maxHeaderSize: LIMIT,
  maxHeaderCount: LIMIT,
  maxBodySize: LIMIT,
  handshakeTimeout: TIME,
  keepAliveTimeout: TIME,
  maxMessageSize: LIMIT,
  maxFragments: LIMIT,
  maxFragmentSize: LIMIT,
  maxQueuedSize: LIMIT,
  borrowMessages: BOOLEAN,
  highWaterMark: LIMIT,
  maxBufferedAmount: LIMIT,
  pingInterval: TIME,
  pingTimeout: TIME,
  idleTimeout: TIME,
  closeTimeout: TIME,
  messageRate: CONNECTION_RATE,
  byteRate: CONNECTION_RATE,
  maxConnections: LIMIT,
  maxConnectionsPerAddress: LIMIT,
  handshakeRate: RATE,
  broker: objectWith("publish", "subscribe", "unsubscribe", "close"),
  history: OBJECT,
  onBrokerStatus: FUNCTION,
  presenceTtl: TTL,
  accessLog: FUNCTION,
  log: FUNCTION,
  poisonBorrowed: BOOLEAN,
  clock: objectWith("now", "setTimeout", "clearTimeout"),
};

/** The options of `listen`. If one is used as a setting, the error says where it belongs. */
const LISTEN_NAMES = [
  "port",
  "hostname",
  "path",
  "cert",
  "key",
  "certificates",
  "ca",
  "clientCertificate",
  "renewable",
  "reusePort",
  "signal",
  "onListen",
  "onError",
];

/**
 * Checks settings, and adds the defaults.
 *
 * @throws {TypeError} If a setting is unknown or has the wrong type.
 * @throws {RangeError} If a number is out of range, or `highWaterMark` exceeds `maxBufferedAmount`.
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
  if (resolved.history !== undefined) checkHistory(resolved.history, resolved.broker);
  const unknown = resolved.versions.find((version) => !WEBSOCKET_VERSIONS.includes(version));
  if (unknown !== undefined) {
    throw new TypeError(
      `Cannot use version "${unknown}": must be one of ${WEBSOCKET_VERSIONS.join(", ")}`,
    );
  }
  if (resolved.proxyProtocol && resolved.trustProxy.length === 0) {
    throw new TypeError("Cannot use proxyProtocol: needs the proxies' addresses in trustProxy");
  }
  checkAtMost(resolved, "highWaterMark", "maxBufferedAmount");
  return resolved;
}
