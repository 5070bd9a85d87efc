/**
 * How to connect, and what of it differs from the defaults.
 *
 * @module
 */
import type { HeaderFields } from "../errors.ts";
import { checkFieldName, checkFieldValue } from "../handshake/response.ts";
import { isToken } from "../handshake/grammar.ts";
import { WEBSOCKET_VERSIONS, type WebSocketVersion } from "../handshake/versions.ts";
import type { CompressionOptions } from "../connection/compression.ts";
import { checkCompression, resolveSettings, type Settings } from "../server/settings.ts";
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
import type { HandshakeRequest } from "./handshake.ts";
import { parseTarget } from "./target.ts";

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
  /** The version to speak; `"rfc6455"` unless told. */
  readonly version?: WebSocketVersion;
  /** The subprotocols to ask for, in the order of preference; draft75 and draft76 can ask for one. */
  readonly subprotocols?: readonly string[];
  /** Fields to send, such as `Authorization` or `Cookie`; `Host` replaces the URL's own. */
  readonly headers?: HeaderFields;
  /**
   * The origin to send, as a browser would. None unless told; draft75 and draft76, which must have
   * one, send the server's own.
   */
  readonly origin?: string;
  /** Gives up connecting when it aborts. A connection that is open is not touched. */
  readonly signal?: AbortSignal;
  /** Offers permessage-deflate; it is used if the server takes it. Not on draft75 and draft76. */
  readonly compression?: CompressionOptions;
  /** How to speak TLS, for `wss:` only. No member of it may be `undefined` or empty. */
  readonly tls?: TlsOptions;
  /** A unix socket's path to connect to, instead of the URL's host and port. */
  readonly path?: string;
  /** A connection to use instead of making one. */
  readonly transport?: Transport;
  /** Called with the payload of each ping, which is answered already. */
  readonly onPing?: (payload: Uint8Array) => void;
  /** Called with the payload of each pong. */
  readonly onPong?: (payload: Uint8Array) => void;
  /** The longest message, after inflating; 16 MiB unless told. Beyond it: close code 1009. */
  readonly maxMessageSize?: number;
  /** The most frames that one message may come in; 131,072 unless told. Beyond it: 1009. */
  readonly maxFragments?: number;
  /** How much may wait for `readMessage`; 64 KiB unless told. At it, reading stops. */
  readonly maxQueuedSize?: number;
  /** Output that the server has not taken, above which `writeMessage` waits; 64 KiB unless told. */
  readonly highWaterMark?: number;
  /** The most output that may wait; 16 MiB unless told. Beyond it: close code 1013. */
  readonly maxBufferedAmount?: number;
  /** The longest head of an answer; 16 KiB unless told. */
  readonly maxHeaderSize?: number;
  /** The most fields of an answer; 100 unless told. */
  readonly maxHeaderCount?: number;
  /** How much of a refusal's body is read; 4 KiB unless told. */
  readonly maxBodySize?: number;
  /** From the call to the end of the handshake, the connecting included; 10 s unless told. */
  readonly handshakeTimeout?: number;
  /** How long to wait for the server's part of the closing handshake; 5 s unless told. */
  readonly closeTimeout?: number;
  /** The time between pings; versions without a ping use TCP keep-alive. Default: 20 s. */
  readonly pingInterval?: number;
  /** How long a ping may stay without a byte of answer; 20 s unless told. */
  readonly pingTimeout?: number;
  /** The source of time, for tests. */
  readonly clock?: Clock;
}

/** The options that are settings too. */
const SETTINGS = [
  "maxMessageSize",
  "maxFragments",
  "maxQueuedSize",
  "highWaterMark",
  "maxBufferedAmount",
  "maxHeaderSize",
  "maxHeaderCount",
  "maxBodySize",
  "handshakeTimeout",
  "closeTimeout",
  "pingInterval",
  "pingTimeout",
  "clock",
] as const satisfies readonly (keyof ConnectOptions & keyof Settings)[];

/** The names of {@linkcode TlsOptions}. */
const TLS_KINDS: Readonly<Record<keyof TlsOptions, Kind>> = {
  ca: PEM,
  insecure: BOOLEAN,
  serverName: STRING,
  cert: PEM,
  key: PEM,
};

/** The names of the options; those of settings are checked as such, and TLS by itself. */
const KINDS: Readonly<Record<keyof ConnectOptions, Kind | undefined>> = {
  ...(Object.fromEntries(SETTINGS.map((name) => [name, undefined])) as Record<
    typeof SETTINGS[number],
    undefined
  >),
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

/** How much of a refusal's body is read, unless told. */
const MAX_BODY_SIZE = 4096;

/**
 * The limits of a client, by the names that they have in an application.
 *
 * @throws {TypeError} If a name is unknown, a value has a wrong type, or options exclude each other.
 * @throws {RangeError} If a limit is out of range.
 */
export function resolveOptions(options: ConnectOptions): Settings {
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
  const given = SETTINGS.map((name) => [name, options[name]]);
  return resolveSettings({
    maxBodySize: MAX_BODY_SIZE,
    ...Object.fromEntries(given.filter(isTold)),
  });
}

function isTold([, value]: readonly unknown[]): boolean {
  return value !== undefined;
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

/** Fields that the handshake itself sends. */
const RESERVED = /^(?:connection|upgrade|(?:sec-)?websocket-.*|content-length|transfer-encoding)$/;

/**
 * What to ask for.
 *
 * @param request The URL, and fields with it.
 * @param options How to connect.
 * @throws {TypeError} If something of it cannot be asked for.
 */
export function toHandshakeRequest(
  request: ConnectRequest,
  options: ConnectOptions,
): HandshakeRequest {
  const { version = "rfc6455", subprotocols = [], compression } = options;
  if (!WEBSOCKET_VERSIONS.includes(version)) {
    throw new TypeError(
      `Cannot speak version "${version}": not one of ${WEBSOCKET_VERSIONS.join(", ")}`,
    );
  }
  const isDraft = version === "draft75" || version === "draft76";
  checkSubprotocols(subprotocols, isDraft);
  const target = parseTarget(request.url);
  if (!target.secure && options.tls !== undefined) {
    throw new TypeError(`Cannot connect to ${target.href}: tls is set, and only wss speaks TLS`);
  }
  const fields = new Headers(request.headers);
  new Headers(options.headers).forEach((value, name) => fields.set(name, value));
  const host = fields.get("host") ?? target.host;
  const origin = options.origin ?? fields.get("origin") ?? undefined;
  fields.delete("host");
  fields.delete("origin");
  return {
    version,
    target: { ...target, host },
    origin,
    subprotocols,
    headers: checkFields(fields),
    compression: isDraft ? undefined : compression,
  };
}

function checkSubprotocols(subprotocols: readonly string[], isDraft: boolean): void {
  if (isDraft && subprotocols.length > 1) {
    throw new TypeError(
      `Cannot ask for ${subprotocols.length} subprotocols: draft75 and draft76 have one at most`,
    );
  }
  for (const subprotocol of subprotocols) {
    // draft76 §4.1: characters from U+0020 to U+007E.
    if (isDraft ? !/^[ -~]+$/.test(subprotocol) : !isToken(subprotocol)) {
      throw new TypeError(
        `Cannot ask for the subprotocol ${JSON.stringify(subprotocol)}: ` +
          (isDraft ? "not visible ASCII (draft76 §4.1)" : "not a token (RFC 6455 §4.1)"),
      );
    }
  }
  if (new Set(subprotocols).size < subprotocols.length) {
    throw new TypeError(`Cannot ask for a subprotocol twice: ${subprotocols.join(", ")}`);
  }
}

function checkFields(fields: Headers): [name: string, value: string][] {
  const checked: [string, string][] = [];
  fields.forEach((value, name) => {
    checkFieldName(name);
    checkFieldValue(name, value);
    if (RESERVED.test(name)) {
      throw new TypeError(`Cannot send the header field ${name}: it is the handshake's own`);
    }
    checked.push([name, value]);
  });
  return checked;
}
