/**
 * The opening handshake on a stream of HTTP/2: an extended CONNECT (RFC 8441), with the rules of both
 * ends. It has no key and no accept, and the version is 13 alone.
 *
 * @module
 */
import { brokenRule, checkRules, ProtocolError, quote, Refusal, type Rule } from "../errors.ts";
import type { Agreement, HandshakeOptions } from "./client_handshake.ts";
import { isToken } from "./grammar.ts";
import type { HeadLimits } from "./head_reader.ts";
import { checkFieldName, checkFieldValue, type HandshakeResponse } from "./head_writer.ts";
import { agreeOnExtensions, deflateOffer } from "./permessage_deflate.ts";
import { RequestHead } from "./request_head.ts";
import { checkHead, checkNoBody } from "./request_rules.ts";
import { ResponseHead } from "./response_head.ts";
import { SUBPROTOCOL_RULE } from "./subprotocols.ts";

/**
 * The header fields of HTTP/2 by their names in lower case, pseudo-header fields too, as `node:http2`
 * has them.
 *
 * @example
 * ```ts
 * import type { Http2Fields } from "@waterspout/websocket";
 *
 * const fields: Http2Fields = { ":method": "CONNECT", ":protocol": "websocket", ":path": "/chat" };
 * console.assert(fields[":path"] === "/chat");
 * ```
 */
export type Http2Fields = Readonly<
  Record<string, string | readonly string[] | number | undefined>
>;

/** The fields of a message that is sent. */
export type SentFields = Record<string, string | string[]>;

/** Fields that belong to one connection of HTTP/1.1 (RFC 9113 §8.2.2). */
const CONNECTION_FIELDS: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "te",
  "transfer-encoding",
  "upgrade",
]);

/** The characters of a path and query (RFC 3986 §3.3), as {@linkcode RequestHead} takes them. */
const PATH = /^\/[\x21\x22\x24-\x7e]*$/;

/** A field value, one character for each byte, as `isReceivedFieldValue` has it. */
const VALUE = /^[^\0\r\n\u0100-\uffff]*$/;

/** Whether a field must not be sent on a stream. @param name The name in lower case. */
export function isConnectionField(name: string): boolean {
  return CONNECTION_FIELDS.has(name);
}

// --- The server -----------------------------------------------------------------------------------

/** Whether a request asks for a WebSocket: it is an extended CONNECT with that protocol. */
export function asksForWebSocket(fields: Http2Fields): boolean {
  const { ":method": method, ":protocol": protocol } = fields;
  return method === "CONNECT" && typeof protocol === "string" &&
    protocol.toLowerCase() === "websocket";
}

const STREAM_RULES: readonly Rule<Http2Fields>[] = [
  {
    section: "RFC 8441 §4",
    because: ":scheme must be sent, and be http or https",
    broken: ({ ":scheme": scheme }) => scheme !== "http" && scheme !== "https",
  },
  {
    section: "RFC 8441 §4",
    because: ":path must be sent, and be a path",
    broken: ({ ":path": path }) => typeof path !== "string" || !PATH.test(path),
  },
  {
    section: "RFC 8441 §5",
    because: ":authority must be sent",
    broken: (fields) => authorityOf(fields) === undefined,
  },
  {
    section: "RFC 9113 §8.3.1",
    because: "Host must be the same as :authority",
    broken: ({ ":authority": authority, host }) =>
      authority !== undefined && host !== undefined && host !== authority,
  },
  {
    section: "RFC 9113 §8.2.2",
    because: "no field of a connection may be sent",
    broken: (fields) =>
      Object.keys(fields).some((name) => isConnectionField(name) && name !== "te"),
  },
];

function authorityOf(fields: Http2Fields): string | undefined {
  const authority = fields[":authority"] ?? fields.host;
  return typeof authority === "string" && authority !== "" ? authority : undefined;
}

/** How to make the head of a request. */
export interface StreamRequestOptions {
  /** The method. For an extended CONNECT: GET, with which the same handshake begins in HTTP/1.1. */
  readonly method: string;
  /** The limits. */
  readonly limits: HeadLimits;
  /** Whether a body of unknown length follows. Default: false. */
  readonly chunked?: boolean;
}

/**
 * Makes the head of a request, as HTTP/1.1 would have it: `:authority` is its `Host`.
 *
 * @param fields The fields of a request of any method, with `:scheme` and `:path`.
 * @throws {Refusal} 400 if a rule of HTTP/2 is broken, 431 if a limit is exceeded.
 */
export function streamRequestHead(
  fields: Http2Fields,
  { method, limits, chunked = false }: StreamRequestOptions,
): RequestHead {
  const fail = (status: number) => (because: string): Refusal =>
    new Refusal(status, because, { reason: "request" });
  const broken = brokenRule(STREAM_RULES, fields);
  if (broken !== undefined) throw fail(400)(broken);
  const start = `${method} ${fields[":path"]} HTTP/2.0\r\n`;
  const { ":authority": _, host: __, ...others } = fields;
  const framing = chunked ? { "transfer-encoding": "chunked" } : {};
  const text = headText(start, { host: authorityOf(fields), ...others, ...framing }, {
    noun: "request",
    limits,
    malformed: fail(400),
    tooLarge: fail(431),
  });
  const head = new RequestHead(text, method.length, start.lastIndexOf(" "));
  checkHead(head);
  return head;
}

/** How {@linkcode headText} makes errors. */
interface HeadErrors {
  readonly noun: "request" | "response";
  readonly limits: HeadLimits;
  readonly malformed: (because: string) => Error;
  readonly tooLarge: (because: string) => Error;
}

/** Makes the text of a head, without pseudo-header fields. @throws {Error} If it is malformed. */
function headText(start: string, fields: Http2Fields, errors: HeadErrors): string {
  const { maxHeaderSize, maxHeaderCount } = errors.limits;
  let text = start;
  let count = 0;
  for (const [name, value] of Object.entries(fields)) {
    if (name.startsWith(":") || value === undefined) continue;
    for (const line of typeof value === "object" ? value : [String(value)]) {
      if (!isToken(name) || !VALUE.test(line)) {
        throw errors.malformed(`the field ${quote(name)} is malformed (RFC 9113 §8.2.1)`);
      }
      text += `${name}: ${line}\r\n`;
      if (++count <= maxHeaderCount) continue;
      const because = `the ${errors.noun} must not exceed maxHeaderCount`;
      throw errors.tooLarge(`${because} (${maxHeaderCount} fields)`);
    }
  }
  text += "\r\n";
  if (text.length > maxHeaderSize) {
    const because = `the ${errors.noun}'s head must not exceed maxHeaderSize`;
    throw errors.tooLarge(`${because} (${maxHeaderSize} bytes)`);
  }
  return text;
}

/**
 * Checks the handshake of a stream.
 *
 * @throws {Refusal} 400 if the version is not 13, or the request announces a body. HTTP/1.1 answers
 * another version with 426, which HTTP/2 cannot have: it needs the field `Upgrade`.
 */
export function checkExtendedConnect(head: RequestHead): void {
  if (head.get("sec-websocket-version") !== "13") {
    throw new Refusal(
      400,
      "Sec-WebSocket-Version must be sent once, and be 13 (RFC 8441 §5)",
      { reason: "version", headers: { "Sec-WebSocket-Version": "13" } },
    );
  }
  checkNoBody(head, "rfc6455");
}

/** What a response consists of. */
export interface ExtendedConnectResponse extends HandshakeResponse {
  /** The value of `Sec-WebSocket-Extensions`, if an extension was agreed on. */
  readonly extensions?: string | undefined;
}

/**
 * The fields of the response with which the connection is open (RFC 8441 §5).
 *
 * @throws {TypeError} If a field is malformed.
 */
export function extendedConnectResponse(response: ExtendedConnectResponse): SentFields {
  const { protocol, extensions, headers = [] } = response;
  const fields: SentFields = { ":status": "200" };
  if (protocol !== undefined) fields["sec-websocket-protocol"] = protocol;
  if (extensions !== undefined) fields["sec-websocket-extensions"] = extensions;
  for (const [name, value] of headers) addField(fields, name, value);
  return fields;
}

/**
 * The fields of a response to a request that was refused, or to one that is no handshake.
 *
 * @throws {TypeError} If a field is malformed.
 */
export function streamResponse(
  status: number,
  headers: Iterable<readonly [name: string, value: string]>,
): SentFields {
  const fields: SentFields = { ":status": `${status}` };
  for (const [name, value] of headers) addField(fields, name, value);
  return fields;
}

/**
 * Adds a field to those that are sent, unless it belongs to a connection of HTTP/1.1.
 *
 * @throws {TypeError} If it is malformed.
 */
export function addField(fields: SentFields, name: string, value: string): void {
  checkFieldName(name);
  checkFieldValue(name, value);
  const key = name.toLowerCase();
  if (isConnectionField(key)) return;
  const before = fields[key];
  if (before === undefined) fields[key] = value;
  else fields[key] = typeof before === "string" ? [before, value] : [...before, value];
}

// --- The client -----------------------------------------------------------------------------------

/** One opening handshake on a stream. */
export interface StreamHandshake {
  /** The fields to send. */
  readonly fields: SentFields;
  /**
   * Checks the head of a response whose status is 2xx.
   *
   * @throws {ProtocolError} With the rule that it breaks, and what was received.
   */
  check(head: ResponseHead): Agreement;
}

/** Makes a client's handshake. @throws {TypeError} If a field is malformed. */
export function streamHandshake(options: HandshakeOptions): StreamHandshake {
  const { url, origin, subprotocols, headers, deflate } = options;
  const fields: SentFields = {
    ":method": "CONNECT",
    ":protocol": "websocket",
    ":scheme": url.secure ? "https" : "http",
    ":authority": url.host,
    ":path": url.resourceName,
    "sec-websocket-version": "13",
  };
  if (origin !== undefined) addField(fields, "origin", origin);
  if (subprotocols.length > 0) fields["sec-websocket-protocol"] = subprotocols.join(", ");
  if (deflate !== undefined) fields["sec-websocket-extensions"] = deflateOffer(deflate);
  for (const [name, value] of headers) addField(fields, name, value);
  return {
    fields,
    check: (head) => {
      checkRules([SUBPROTOCOL_RULE], { head, subprotocols });
      return {
        subprotocol: head.get("sec-websocket-protocol"),
        deflate: agreeOnExtensions(head.get("sec-websocket-extensions"), deflate),
      };
    },
  };
}

/**
 * Makes the head of a response.
 *
 * @throws {ProtocolError} If a field is malformed, or a limit is exceeded.
 */
export function streamResponseHead(fields: Http2Fields, limits: HeadLimits): ResponseHead {
  const fail = (because: string): ProtocolError => new ProtocolError(1002, because);
  const start = `HTTP/2.0 ${fields[":status"]}\r\n`;
  const errors = { noun: "response", limits, malformed: fail, tooLarge: fail } as const;
  return new ResponseHead(headText(start, fields, errors));
}
