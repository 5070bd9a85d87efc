/**
 * How to connect, and what of it differs from the defaults.
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
  STRING,
  STRINGS,
} from "../validation.ts";
import type { Clock } from "../timing/clock.ts";
import { type ClientLimits, LIMIT_KINDS, resolveLimits } from "./client_limits.ts";

/**
 * What to connect to, with fields: a Web `Request`, or the like of it.
 *
 * @example
 * ```ts
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
 * console.assert(connection.version === "rfc6455");
 * ```
 */
export interface ConnectRequest {
  /** The URL. */
  readonly url: string;
  /** Fields to send. */
  readonly headers?: HeaderFields;
  /** Gives up connecting when it aborts. */
  readonly signal?: AbortSignal | null;
}

/**
 * How `websocketConnect` connects.
 *
 * Times are milliseconds, and 0 turns an interval or a timeout off. Sizes are bytes. A count or a
 * size that limits something is at least 1, and `Infinity` is no limit.
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
  /** The version to speak. Default: `"rfc6455"`. */
  readonly version?: WebSocketVersion;
  /** The subprotocols to offer, in order of preference; with draft75 and draft76 one at most. */
  readonly subprotocols?: readonly string[];
  /** Header fields to send, such as `Authorization` or `Cookie`. `Host` replaces the URL's host. */
  readonly headers?: HeaderFields;
  /**
   * The `Origin` to send, as a browser would. Default: none; with draft75 and draft76, which require
   * one, the server's own.
   */
  readonly origin?: string;
  /** Aborts the connecting. It does not end a connection that is open. */
  readonly signal?: AbortSignal;
  /** Offers permessage-deflate. Default: not offered. draft75 and draft76 do not have it. */
  readonly compression?: CompressionOptions;
  /** TLS options, for `wss:` only. A member that is `undefined` or empty is a `TypeError`. */
  readonly tls?: TlsOptions;
  /** The path of a Unix socket to connect to, instead of the URL's host and port. */
  readonly path?: string;
  /** A connection to use, instead of making one. */
  readonly transport?: Transport;
  /** Called with the payload of each ping. The pong is sent before. */
  readonly onPing?: (payload: Uint8Array) => void;
  /** Called with the payload of each pong. */
  readonly onPong?: (payload: Uint8Array) => void;
  /** The longest message, after inflating. Beyond it: close code 1009. Default: 16 MiB. */
  readonly maxMessageSize?: number;
  /** The most frames of one message. Beyond it: close code 1009. Default: 131,072. */
  readonly maxFragments?: number;
  /** How much may wait for `readMessage`; then reading stops. Default: 64 KiB. */
  readonly maxQueuedSize?: number;
  /** The amount of waiting output above which `writeMessage` waits. Default: 64 KiB. */
  readonly highWaterMark?: number;
  /** The most output that may wait. Beyond it: close code 1013. Default: 16 MiB. */
  readonly maxBufferedAmount?: number;
  /** The longest response head. Default: 16 KiB. */
  readonly maxHeaderSize?: number;
  /** The most header fields of a response. Default: 100. */
  readonly maxHeaderCount?: number;
  /** How much of the body of a refusal is read. Default: 4 KiB. */
  readonly maxBodySize?: number;
  /** The time for connecting and the opening handshake together. Default: 10 s. */
  readonly handshakeTimeout?: number;
  /** How long to wait for the server's part of the closing handshake. Default: 5 s. */
  readonly closeTimeout?: number;
  /** The time between pings; versions without a ping use TCP keep-alive. Default: 20 s. */
  readonly pingInterval?: number;
  /** How long to wait for any data after a ping. Default: 20 s. */
  readonly pingTimeout?: number;
  /** The source of time, for tests. */
  readonly clock?: Clock;
}

/** The names of {@linkcode TlsOptions}. */
const TLS_KINDS: Readonly<Record<keyof TlsOptions, Kind>> = {
  ca: PEM,
  insecure: BOOLEAN,
  serverName: STRING,
  cert: PEM,
  key: PEM,
};

/** The names of the options, and what each must be; `undefined` if it is checked elsewhere. */
const KINDS: Readonly<Record<keyof ConnectOptions, Kind | undefined>> = {
  ...LIMIT_KINDS,
  version: undefined,
  subprotocols: STRINGS,
  headers: undefined,
  origin: STRING,
  signal: SIGNAL,
  compression: OBJECT,
  tls: undefined,
  path: STRING,
  transport: objectWith("write", "end", "destroy"),
  onPing: FUNCTION,
  onPong: FUNCTION,
};

/**
 * Checks options.
 *
 * @returns The limits, complete.
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
    kinds: KINDS,
    noun: "option",
    subject: (name) => `Cannot use ${name}:`,
    elsewhere: { names: Object.keys(TLS_KINDS), place: "tls" },
  });
  checkTls(options);
  if (options.compression !== undefined) checkCompression(options.compression);
  return resolveLimits(options);
}

/** An option that is there but `undefined` comes from a variable that is not set: never a default. */
function checkTls(options: ConnectOptions): void {
  const { transport, path, tls } = options;
  if (transport !== undefined && path !== undefined) {
    throw new TypeError("Cannot use path: transport is a connection already");
  }
  if (!("tls" in options)) return;
  if (transport !== undefined) {
    throw new TypeError("Cannot use tls: transport is a connection already");
  }
  checkValue(tls, "Cannot use tls:", OBJECT);
  checkOptions(tls, {
    kinds: TLS_KINDS,
    noun: "tls option",
    subject: (name) => `Cannot connect with TLS: ${name}`,
    refusesUndefined: true,
  });
  if (("cert" in tls) !== ("key" in tls)) {
    throw new TypeError(
      `Cannot connect with TLS: cert and key belong together, got ${
        "cert" in tls ? "cert" : "key"
      }`,
    );
  }
}

/**
 * What to ask for in the handshake.
 *
 * @param request The URL, and header fields.
 * @param options How to connect.
 * @throws {TypeError} If the version cannot ask for something, or a header field is malformed.
 */
export function toHandshakeOptions(
  request: ConnectRequest,
  options: ConnectOptions,
): HandshakeOptions {
  const { version = "rfc6455", subprotocols = [], compression } = options;
  if (!WEBSOCKET_VERSIONS.includes(version)) {
    throw new TypeError(
      `Cannot speak version "${version}": not one of ${WEBSOCKET_VERSIONS.join(", ")}`,
    );
  }
  checkSubprotocols(subprotocols, version);
  const url = parseWebSocketUrl(request.url);
  if (!url.secure && options.tls !== undefined) {
    throw new TypeError(`Cannot connect to ${url.href}: tls is set, and only wss speaks TLS`);
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
