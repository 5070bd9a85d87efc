/**
 * The options of `websocketConnect`.
 *
 * @module
 */
import type { HeaderFields } from "../errors.ts";
import type { HandshakeOptions } from "../handshake/client_handshake.ts";
import { checkHandshakeField } from "../handshake/head_writer.ts";
import { checkSubprotocols } from "../handshake/subprotocols.ts";
import { isDraft, WEBSOCKET_VERSIONS, type WebSocketVersion } from "../handshake/versions.ts";
import { parseWebSocketUrl } from "../handshake/web_socket_url.ts";
import {
  checkCompression,
  type CompressionOptions,
  offerDeflate,
} from "../connection/compression.ts";
import type { Http2ClientSession } from "../transport/http2.ts";
import type { TlsOptions, Transport } from "../transport/transport.ts";
import {
  BOOLEAN,
  checkOptions,
  checkValue,
  FUNCTION,
  type Kind,
  OBJECT,
  objectWith,
  PEM,
  show,
  SIGNAL,
  SIZE,
  STRING,
  STRINGS,
} from "../validation.ts";
import type { Clock } from "../timing/clock.ts";
import { type ClientLimits, LIMIT_KINDS, resolveLimits } from "./client_limits.ts";
import { checkProxy, PROXY, type ProxyOption } from "./proxy_option.ts";

/**
 * A URL with header fields: a Web `Request`, or an object with these properties.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import { Application, WebSocketHandler } from "@waterspout/websocket";
 * import { websocketConnect } from "@waterspout/websocket/client";
 *
 * class Sink extends WebSocketHandler {
 *   onMessage(): void {}
 * }
 *
 * const app = new Application([["/", Sink]]);
 * await using server = app.listen({ port: 0, hostname: "127.0.0.1" });
 * const url = `http://127.0.0.1:${server.addr.port}/`.replace("http", "ws");
 * await using connection = await websocketConnect({ url, headers: { Cookie: "session=1" } });
 * assert(connection.version === "rfc6455");
 * ```
 */
export interface ConnectRequest {
  /** The URL: `ws:` or `wss:`. */
  readonly url: string;
  /** Header fields to send. */
  readonly headers?: HeaderFields;
  /** Cancels the attempt to connect. */
  readonly signal?: AbortSignal | null;
}

/**
 * The options of `websocketConnect`.
 *
 * Times are milliseconds; 0 turns an interval or a timeout off. Sizes are bytes. A limit of a count or
 * a size is at least 1; `Infinity` means no limit.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { Application, WebSocketHandler } from "@waterspout/websocket";
 * import { websocketConnect } from "@waterspout/websocket/client";
 *
 * class Soap extends WebSocketHandler {
 *   override selectSubprotocol(offered: readonly string[]): string | undefined {
 *     return offered.find((name) => name === "soap");
 *   }
 *   onMessage(): void {}
 * }
 *
 * const app = new Application([["/", Soap]]);
 * await using server = app.listen({ port: 0, hostname: "127.0.0.1" });
 * await using connection = await websocketConnect(`ws://127.0.0.1:${server.addr.port}/`, {
 *   subprotocols: ["wamp", "soap"],
 *   headers: { Authorization: "Bearer token" },
 *   signal: AbortSignal.timeout(10_000),
 * });
 * assertEquals(connection.selectedSubprotocol, "soap");
 * ```
 */
export interface ConnectOptions {
  /** The protocol version. Default: `"rfc6455"`. */
  readonly version?: WebSocketVersion;
  /** The subprotocols to offer, in order of preference. draft75 and draft76 allow only one. */
  readonly subprotocols?: readonly string[];
  /** Header fields to send, such as `Authorization` or `Cookie`. `Host` replaces the URL's host. */
  readonly headers?: HeaderFields;
  /**
   * The `Origin` to send, as a browser would. Default: none. draft75 and draft76 require one: there,
   * the default is the server's own.
   */
  readonly origin?: string;
  /** Cancels the attempt to connect. Has no effect on an established connection. */
  readonly signal?: AbortSignal;
  /** Offers permessage-deflate. Default: no compression. draft75 and draft76 do not have it. */
  readonly compression?: CompressionOptions;
  /** TLS options, only for `wss:`. An option that is `undefined` or empty is a `TypeError`. */
  readonly tls?: TlsOptions;
  /** The path of a unix socket to connect to, instead of the host and port of the URL. */
  readonly path?: string;
  /**
   * The URL of the proxy to connect through: `http://user:password@host:3128`, `https://…` or
   * `socks5://…`; or a function that returns it, such as `proxyFromEnvironment`. Percent-encode the
   * user name and the password. The proxy resolves the name of the server. Default: none.
   */
  readonly proxy?: ProxyOption;
  /** TLS options for an `https:` proxy, as in `tls`. */
  readonly proxyTls?: TlsOptions;
  /**
   * How many redirects (301, 302, 303, 307, 308) to follow. Another origin does not receive
   * `Authorization`, `Cookie`, `Proxy-Authorization`, `Host` or the client's certificate. A redirect
   * from `wss:` to `ws:` is an error. Default: 0, which makes each redirect an error.
   */
  readonly maxRedirects?: number;
  /** A connection to use, instead of a new one. */
  readonly transport?: Transport;
  /**
   * A client session of `node:http2`. The WebSocket opens on a new stream of this session (RFC 8441).
   * The server must have enabled extended CONNECT. The session stays open when the WebSocket closes.
   * Only version `"rfc6455"` is allowed, and options for a new connection are not.
   */
  readonly http2?: Http2ClientSession;
  /** Called with the payload of each ping. The pong was sent already. */
  readonly onPing?: (payload: Uint8Array) => void;
  /** Called with the payload of each pong. */
  readonly onPong?: (payload: Uint8Array) => void;
  /** The largest message, decompressed. A larger one closes with 1009. Default: 16 MiB. */
  readonly maxMessageSize?: number;
  /** The most frames in a message. More close with 1009. Default: 131,072. */
  readonly maxFragments?: number;
  /** The largest payload of one frame, as sent. A larger one closes with 1009. Default: `Infinity`. */
  readonly maxFragmentSize?: number;
  /** How much received data may wait for `readMessage` before reading stops. Default: 64 KiB. */
  readonly maxQueuedSize?: number;
  /** Promises of `writeMessage` stay pending while more output than this waits. Default: 64 KiB. */
  readonly highWaterMark?: number;
  /**
   * How much output may wait for the server. More closes with 1013. A message of any size is accepted
   * while at most `highWaterMark` waits. Default: 16 MiB.
   */
  readonly maxBufferedAmount?: number;
  /** The largest response head. Default: 16 KiB. */
  readonly maxHeaderSize?: number;
  /** The most header fields in a response. Default: 100. */
  readonly maxHeaderCount?: number;
  /** How many bytes of the body of a refusal are read. Default: 4 KiB. */
  readonly maxBodySize?: number;
  /** The time limit for connecting, including proxy, TLS, redirects and handshake. Default: 10 s. */
  readonly handshakeTimeout?: number;
  /** How long to wait for the server's part of the closing handshake. Default: 5 s. */
  readonly closeTimeout?: number;
  /** The time between pings. Versions without a ping use TCP keep-alive. Default: 20 s. */
  readonly pingInterval?: number;
  /** How long to wait for any data after a ping before dropping the connection. Default: 20 s. */
  readonly pingTimeout?: number;
  /** The source of time, for tests. */
  readonly clock?: Clock;
}

/** What each of the {@linkcode TlsOptions} must be. */
const TLS_KINDS: Readonly<Record<keyof TlsOptions, Kind>> = {
  ca: PEM,
  insecure: BOOLEAN,
  serverName: STRING,
  cert: PEM,
  key: PEM,
};

/** What each option must be; `undefined` if it is checked elsewhere. */
export const CONNECT_KINDS: Readonly<Record<keyof ConnectOptions, Kind | undefined>> = {
  ...LIMIT_KINDS,
  version: undefined,
  subprotocols: STRINGS,
  headers: undefined,
  origin: STRING,
  signal: SIGNAL,
  compression: OBJECT,
  tls: undefined,
  path: STRING,
  proxy: PROXY,
  proxyTls: undefined,
  maxRedirects: SIZE,
  transport: objectWith("write", "end", "destroy"),
  http2: objectWith("request", "ping", "on"),
  onPing: FUNCTION,
  onPong: FUNCTION,
};

/**
 * Checks the options of `websocketConnect`.
 *
 * @returns The limits, with the defaults.
 * @throws {TypeError} If a name is unknown, a value has a wrong type, or options exclude each other.
 * @throws {RangeError} If a limit is out of range.
 */
export function resolveOptions(options: ConnectOptions): ClientLimits {
  if (typeof options === "string" || Array.isArray(options)) {
    throw new TypeError(
      `Cannot connect: expected options, got ${show(options)}; did you mean { subprotocols }?`,
    );
  }
  checkOptions(options, {
    kinds: CONNECT_KINDS,
    noun: "option",
    subject: (name) => `Cannot use ${name}:`,
    elsewhere: { names: Object.keys(TLS_KINDS), place: "tls" },
  });
  checkTogether(options);
  checkTls(options, "tls");
  checkTls(options, "proxyTls");
  checkProxy(options.proxy);
  if (options.compression !== undefined) checkCompression(options.compression);
  return resolveLimits(options);
}

/** Checks `tls` or `proxyTls`. Rejects `undefined`, which often comes from an unset variable. */
function checkTls(options: ConnectOptions, name: "tls" | "proxyTls"): void {
  if (!(name in options)) return;
  const tls = options[name];
  checkValue(tls, `Cannot use ${name}:`, OBJECT);
  checkOptions(tls, {
    kinds: TLS_KINDS,
    noun: `${name} option`,
    subject: (option) => `Cannot connect with TLS: ${option}`,
    refusesUndefined: true,
  });
  if (("cert" in tls) !== ("key" in tls)) {
    throw new TypeError(
      `Cannot connect with TLS: expected both cert and key, got only ${
        "cert" in tls ? "cert" : "key"
      }`,
    );
  }
}

/** The options for a new connection. `http2` and `transport` exclude them. */
const NEW_CONNECTION = ["path", "tls", "proxy", "proxyTls", "maxRedirects"] as const;

/** Refuses options that exclude each other. */
function checkTogether({ http2, version, ...options }: ConnectOptions): void {
  if (http2 !== undefined) {
    for (const name of ["transport", ...NEW_CONNECTION] as const) {
      if (options[name] === undefined) continue;
      throw new TypeError(`Cannot use ${name}: http2 is a connection already`);
    }
    if (version !== undefined && version !== "rfc6455") {
      throw new TypeError(
        `Cannot speak version "${version}" over HTTP/2: only rfc6455 (RFC 8441 §5)`,
      );
    }
  }
  if (options.transport !== undefined) {
    for (const name of NEW_CONNECTION) {
      // An option of TLS that is `undefined` probably comes from an unset variable.
      if (options[name] === undefined && !(name === "tls" && name in options)) continue;
      throw new TypeError(`Cannot use ${name}: not with transport, which is already connected`);
    }
  }
  if (options.path === undefined) return;
  for (const name of ["proxy", "maxRedirects"] as const) {
    if (options[name] === undefined) continue;
    throw new TypeError(`Cannot use ${name}: not with path, a unix socket`);
  }
}

/**
 * Makes the options of the opening handshake.
 *
 * @param request The URL and header fields.
 * @param options The options of `websocketConnect`.
 * @throws {TypeError} If the version does not support an option, or a header field is malformed.
 */
export function toHandshakeOptions(
  request: ConnectRequest,
  options: ConnectOptions,
): HandshakeOptions {
  const { version = "rfc6455", subprotocols = [], compression } = options;
  if (!WEBSOCKET_VERSIONS.includes(version)) {
    throw new TypeError(
      `Cannot use version "${version}": must be one of ${WEBSOCKET_VERSIONS.join(", ")}`,
    );
  }
  checkSubprotocols(subprotocols, version);
  const url = parseWebSocketUrl(request.url);
  // With redirects, a ws URL may lead to a wss URL.
  if (!url.secure && options.tls !== undefined && !options.maxRedirects) {
    throw new TypeError(`Cannot connect to ${url.href}: the option tls needs a wss URL`);
  }
  const fields = new Headers(request.headers);
  new Headers(options.headers).forEach((value, name) => fields.set(name, value));
  const host = fields.get("host") ?? url.host;
  const origin = options.origin ?? fields.get("origin") ?? undefined;
  fields.delete("host");
  fields.delete("origin");
  const headers: [name: string, value: string][] = [];
  fields.forEach((value, name) => {
    checkHandshakeField(name, value);
    headers.push([name, value]);
  });
  return {
    version,
    url: { ...url, host },
    origin,
    subprotocols,
    headers,
    deflate: isDraft(version) ? undefined : offerDeflate(compression),
  };
}
