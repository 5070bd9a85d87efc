/**
 * Writes the heads of requests and responses. Checks each part, so that no value can contain a line
 * break.
 *
 * @module
 */
import { isFieldValue, isReceivedFieldValue, isToken } from "./grammar.ts";

/** Header fields in their order: pairs, a `Headers` or a `Map`. */
export type HeaderFields = Iterable<readonly [name: string, value: string]>;

/** The parts of a response to an opening handshake, in every version. */
export interface HandshakeResponse {
  /** The chosen subprotocol. */
  readonly protocol?: string | undefined;
  /** Additional fields. They follow those of the handshake. */
  readonly headers?: HeaderFields | undefined;
}

/** The parts of a response in draft75 and draft76. */
export interface HixieResponse extends HandshakeResponse {
  /** The `Origin` of the request; `undefined` if there is none. */
  readonly origin: string | undefined;
  /** The URL that the client connected to: see `webSocketLocation`. */
  readonly location: string;
}

/** A buffer that a head is written to. */
export interface HeadOutput {
  /** The buffer. Replaced when it grows. */
  readonly bytes: Uint8Array;
  /** How many bytes of it are written. */
  length: number;
  /** Makes room for `size` more bytes. Returns their offset. */
  reserve(size: number): number;
}

/** Fields of the handshake itself. Clients fail if one is sent twice. */
const RESERVED = /^(?:connection|upgrade|(?:sec-)?websocket-.*|content-length|transfer-encoding)$/i;

/** Checks a field name. @throws {TypeError} If it is not a token (RFC 9110 §5.1). */
export function checkFieldName(name: string): void {
  if (!isToken(name)) {
    throw new TypeError(
      `Cannot send header field ${JSON.stringify(name)}: name must be a token (RFC 9110 §5.1)`,
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
        "must not have control characters or characters above U+00FF (RFC 9110 §5.5)",
    );
  }
}

/**
 * Checks a field that an application adds to a handshake.
 *
 * @throws {TypeError} If it is malformed, if it is a field of the handshake itself, or if it announces a
 * body, which a handshake never has (RFC 9110 §8.6).
 */
export function checkHandshakeField(name: string, value: string): void {
  checkFieldName(name);
  checkFieldValue(name, value);
  if (RESERVED.test(name)) {
    throw new TypeError(`Cannot set header field ${name}: the handshake itself sends it`);
  }
}

/** Makes a field line. @throws {TypeError} If the field is malformed. */
export function fieldLine(name: string, value: string): string {
  checkFieldName(name);
  checkFieldValue(name, value);
  return `${name}: ${value}\r\n`;
}

/**
 * Makes the field line with the origin. The client compares it byte by byte, so it is not checked like
 * other fields. Returns `""` without an origin.
 *
 * @throws {TypeError} If the origin has a CR, LF or NUL.
 */
export function originLine(name: string, origin: string | undefined): string {
  if (origin === undefined) return "";
  if (!isReceivedFieldValue(origin)) {
    throw new TypeError(
      `Cannot send origin ${JSON.stringify(origin)}: must not have CR, LF or NUL (RFC 9110 §5.5)`,
    );
  }
  return `${name}: ${origin}\r\n`;
}

/** Makes field lines. @throws {TypeError} If a field is malformed. */
export function fieldLines(fields: HeaderFields): string {
  let lines = "";
  for (const [name, value] of fields) lines += fieldLine(name, value);
  return lines;
}

/**
 * Makes the head of a response.
 *
 * @param reason The reason phrase. It may be empty.
 * @param fields The header fields in order.
 * @returns The head with its empty line, one character for each byte.
 * @throws {RangeError} If `status` is not an integer from 100 to 599.
 * @throws {TypeError} If `reason` or a field is malformed.
 */
export function responseHead(status: number, reason: string, fields: HeaderFields): string {
  return `${statusLine(status, reason)}${fieldLines(fields)}\r\n`;
}

/** Makes the first line of a response. @throws {RangeError | TypeError} See {@linkcode responseHead}. */
export function statusLine(status: number, reason: string): string {
  if (!Number.isInteger(status) || status < 100 || status > 599) {
    throw new RangeError(`Cannot send status ${status}: must be an integer from 100 to 599`);
  }
  checkFieldValue("the reason phrase", reason);
  return `HTTP/1.1 ${status} ${reason}\r\n`;
}

/** Makes the field lines for the subprotocol, if there is one, and for additional fields. */
export function closingLines(
  protocolField: string,
  { protocol, headers }: HandshakeResponse,
): string {
  let lines = protocol === undefined ? "" : fieldLine(protocolField, protocol);
  if (headers !== undefined) lines += fieldLines(headers);
  return lines;
}
