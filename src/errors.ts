/**
 * The error classes: {@linkcode ProtocolError} if the peer broke a rule, {@linkcode
 * WebSocketClosedError} if the connection is closed, and {@linkcode HttpError} if a handler refuses
 * a handshake. A caller's mistake is a `TypeError` or a `RangeError`.
 *
 * @module
 */

/**
 * The peer broke a rule of its protocol version. The message names the rule and its section.
 *
 * The close frame has the code and the message. In draft75 and draft76, which have no close codes, the
 * connection is just closed.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import { ProtocolError } from "@waterspout/websocket";
 *
 * const error = new ProtocolError(1002, "control frames must not be fragmented (RFC 6455 §5.5)");
 * assert(error.code === 1002);
 * ```
 */
export class ProtocolError extends Error {
  /** The close code that names the violation (RFC 6455 §7.4.1). */
  readonly code: number;
  /** `"ProtocolError"`. */
  override readonly name = "ProtocolError";

  /**
   * Makes the error.
   *
   * @param code The close code to send (RFC 6455 §7.4.1).
   * @param message The rule that was broken, with its section.
   */
  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/**
 * A write found the connection closing or closed (Tornado's `WebSocketClosedError`).
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import { WebSocketClosedError } from "@waterspout/websocket";
 *
 * const error = new WebSocketClosedError("Cannot write a message: the connection is closed");
 * assert(error instanceof Error);
 * ```
 */
export class WebSocketClosedError extends Error {
  /** `"WebSocketClosedError"`, or the name of a subclass. */
  override readonly name: string = "WebSocketClosedError";
}

/**
 * Header fields in any form that `new Headers()` takes. This is the DOM's `HeadersInit`, which the
 * types of Node do not have.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import { type HeaderFields, HttpError } from "@waterspout/websocket";
 *
 * const headers: HeaderFields = { "WWW-Authenticate": "Bearer" };
 * assert(new HttpError(401, "", headers).headers.has("www-authenticate"));
 * ```
 */
export type HeaderFields = ConstructorParameters<typeof Headers>[0];

/**
 * Thrown in `prepare()` to answer the handshake with an HTTP status instead of a 101
 * (Tornado's `HTTPError`).
 *
 * @example
 * ```ts
 * import { HttpError, WebSocketHandler } from "@waterspout/websocket";
 *
 * class Private extends WebSocketHandler {
 *   override prepare(): void {
 *     if (!this.getCookie("session")) throw new HttpError(401, "Log in first");
 *   }
 *   onMessage(): void {}
 * }
 * ```
 */
export class HttpError extends Error {
  /** The HTTP status, 400 to 599. */
  readonly status: number;
  /** Extra response header fields. */
  readonly headers: Headers;
  /** `"HttpError"`. */
  override readonly name = "HttpError";

  /**
   * Makes a refusal of a handshake.
   *
   * @param status The HTTP status, 400 to 599.
   * @param message The text of the response, shown to the client.
   * @param headers Extra response header fields, for example `WWW-Authenticate`.
   * @throws {RangeError} If `status` is not an integer from 400 to 599.
   */
  constructor(status: number, message = "", headers?: HeaderFields) {
    if (!Number.isInteger(status) || status < 400 || status > 599) {
      throw new RangeError(
        `Cannot refuse with status ${status}: must be an integer from 400 to 599`,
      );
    }
    super(message);
    this.status = status;
    this.headers = new Headers(headers);
  }
}

/** A rule of a specification, about facts that a parser has read. */
export interface Rule<Facts> {
  /** The document and its section: `RFC 6455 §4.2.1`. */
  readonly section: string;
  /** The rule in words. */
  readonly because: string | ((facts: Facts) => string);
  /** What was received, for rules whose errors quote it; `undefined` if nothing was. */
  readonly received?: (facts: Facts) => string | undefined;
  /** Whether the facts break the rule. */
  readonly broken: (facts: Facts) => boolean;
}

/** Returns the text of the first broken rule, with its section; `undefined` if none is broken. */
export function brokenRule<Facts>(
  rules: readonly Rule<Facts>[],
  facts: Facts,
): string | undefined {
  for (const rule of rules) if (rule.broken(facts)) return describeRule(rule, facts);
  return undefined;
}

function describeRule<Facts>(rule: Rule<Facts>, facts: Facts): string {
  const { section, because, received } = rule;
  const words = typeof because === "string" ? because : because(facts);
  if (received === undefined) return `${words} (${section})`;
  const value = received(facts);
  const contrast = value === undefined ? "and was not sent" : `got ${quote(value)}`;
  return `${words}, ${contrast} (${section})`;
}

/** Checks rules in order. @throws {ProtocolError} 1002, with the first broken rule. */
export function checkRules<Facts>(rules: readonly Rule<Facts>[], facts: Facts): void {
  const broken = brokenRule(rules, facts);
  if (broken !== undefined) throw new ProtocolError(1002, broken);
}

/** The longest text of a peer that an error quotes. */
const LONGEST_QUOTE = 120;

/** Quotes text of a peer for an error. Escapes control characters. */
export function quote(text: string): string {
  return JSON.stringify(text.length > LONGEST_QUOTE ? `${text.slice(0, LONGEST_QUOTE)}…` : text);
}

/**
 * Why a handshake was not completed:
 *
 * - `request`: the request is malformed or too large;
 * - `timeout`: the request, or `prepare()`, took longer than `handshakeTimeout`;
 * - `gone`: the client or the handler ended the connection before the handshake was complete;
 * - `host`: `allowedHosts` does not list the requested host;
 * - `limit`: `maxConnections` or `maxConnectionsPerAddress` was reached;
 * - `rate`: the address exceeds `handshakeRate`;
 * - `stopping`: the server is shutting down;
 * - `proxy`: with the setting `proxyProtocol`, a connection without a PROXY header of a trusted proxy;
 * - `tls`: the TLS handshake failed, or took longer than `handshakeTimeout`;
 * - `path`: no route matches;
 * - `method`: the method is not GET;
 * - `version`: the version is unknown, not enabled, or not served without TLS;
 * - `handshake`: the request breaks a rule of its version;
 * - `origin`: `checkOrigin` refused the origin of the web page;
 * - `handler`: the handler threw an `HttpError`, usually in `prepare()`;
 * - `error`: the application threw something else.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import { Application, type RefusalReason } from "@waterspout/websocket";
 *
 * const { refused } = new Application([]).stats();
 * const reasons: RefusalReason[] = ["limit", "origin", "path"];
 * assert(reasons.every((reason) => refused[reason] === 0));
 * ```
 */
export type RefusalReason =
  | "request"
  | "timeout"
  | "gone"
  | "host"
  | "limit"
  | "rate"
  | "stopping"
  | "proxy"
  | "tls"
  | "path"
  | "method"
  | "version"
  | "handshake"
  | "origin"
  | "handler"
  | "error";

/** The reason and the header fields of a {@linkcode Refusal}. */
export interface RefusalDetails {
  /** The reason, for the counters. */
  readonly reason: RefusalReason;
  /** Extra response header fields. */
  readonly headers?: HeaderFields;
}

/** A refusal by the server itself. Applications throw {@linkcode HttpError}. */
export class Refusal extends HttpError {
  /** The reason, for the counters. */
  readonly reason: RefusalReason;

  /**
   * Makes a refusal.
   *
   * @param status The HTTP status, 400 to 599.
   * @param message The text of the response, shown to the client.
   */
  constructor(status: number, message: string, { reason, headers }: RefusalDetails) {
    super(status, message, headers);
    this.reason = reason;
  }
}
