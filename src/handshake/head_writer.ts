/**
 * Writes the heads of requests and responses. It checks each part, so that no value can end its line
 * and start another.
 *
 * @module
 */
import { isFieldValue, isReceivedFieldValue, isToken } from "./grammar.ts";

/** Header fields in their order: pairs, a `Headers` or a `Map`. */
export type HeaderFields = Iterable<readonly [name: string, value: string]>;

/** What a response to an opening handshake consists of, in every version. */
export interface HandshakeResponse {
  /** The chosen subprotocol. */
  readonly protocol?: string | undefined;
  /** More fields. They follow those of the handshake. */
  readonly headers?: HeaderFields | undefined;
}

/** What a response has besides in draft75 and draft76. */
export interface HixieResponse extends HandshakeResponse {
  /** The request's `Origin` as it was sent; `undefined` if it was not. */
  readonly origin: string | undefined;
  /** The URL that the client connected to: see `webSocketLocation`. */
  readonly location: string;
}

/** Fields that the handshake itself sends. With a second one, clients fail. */
const RESERVED = /^(?:connection|upgrade|(?:sec-)?websocket-.*|content-length|transfer-encoding)$/i;

/** Checks a field name. @throws {TypeError} If it is not a token (RFC 9110 §5.1). */
export function checkFieldName(name: string): void {
  if (!isToken(name)) {
    throw new TypeError(
      `Cannot send the header field ${JSON.stringify(name)}: not a token (RFC 9110 §5.1)`,
    );
  }
}

/**
 * Checks a field value.
 *
 * @throws {TypeError} If it has a control character other than HTAB, or a character above U+00FF
 * (RFC 9110 §5.5).
 */
export function checkFieldValue(name: string, value: string): void {
  if (!isFieldValue(value)) {
    throw new TypeError(
      `Cannot send ${JSON.stringify(value)} as ${name}: ` +
        "a control character, or one above U+00FF (RFC 9110 §5.5)",
    );
  }
}

/**
 * Checks a field that an application adds to a handshake.
 *
 * @throws {TypeError} If it is malformed, if the handshake itself sends it, or if it announces a body,
 * which a handshake never has (RFC 9110 §8.6).
 */
export function checkHandshakeField(name: string, value: string): void {
  checkFieldName(name);
  checkFieldValue(name, value);
  if (RESERVED.test(name)) {
    throw new TypeError(`Cannot set the header field ${name}: it is the handshake's own`);
  }
}

/** One field line. @throws {TypeError} If the field is malformed. */
export function fieldLine(name: string, value: string): string {
  checkFieldName(name);
  checkFieldValue(name, value);
  return `${name}: ${value}\r\n`;
}

/**
 * The field line with the origin, which the client compares byte by byte; empty without an origin.
 *
 * @throws {TypeError} If the origin has a CR, LF or NUL.
 */
export function originLine(name: string, origin: string | undefined): string {
  if (origin === undefined) return "";
  if (!isReceivedFieldValue(origin)) {
    throw new TypeError(
      `Cannot repeat the origin ${JSON.stringify(origin)}: a CR, LF or NUL (RFC 9110 §5.5)`,
    );
  }
  return `${name}: ${origin}\r\n`;
}

/** Field lines, one after the other. @throws {TypeError} If one is malformed. */
export function fieldLines(fields: HeaderFields): string {
  let lines = "";
  for (const [name, value] of fields) lines += fieldLine(name, value);
  return lines;
}

/**
 * A response head.
 *
 * @param reason The reason phrase, which may be empty.
 * @param fields The header fields in their order.
 * @returns The head with its empty line, one character for each byte.
 * @throws {RangeError} If `status` is not an integer from 100 to 599.
 * @throws {TypeError} If `reason` or a field is malformed.
 */
export function responseHead(status: number, reason: string, fields: HeaderFields): string {
  if (!Number.isInteger(status) || status < 100 || status > 599) {
    throw new RangeError(`Cannot send the status ${status}: not from 100 to 599`);
  }
  checkFieldValue("the reason phrase", reason);
  return `HTTP/1.1 ${status} ${reason}\r\n${fieldLines(fields)}\r\n`;
}

/** The field lines for the subprotocol, if there is one, and for the added fields. */
export function closingLines(
  protocolField: string,
  { protocol, headers }: HandshakeResponse,
): string {
  let lines = protocol === undefined ? "" : fieldLine(protocolField, protocol);
  if (headers !== undefined) lines += fieldLines(headers);
  return lines;
}
