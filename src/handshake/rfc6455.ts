/**
 * The opening handshake of RFC 6455, and of hybi-07 and hybi-08, which differ in the version number
 * and in the name of the origin's field.
 *
 * @module
 */
import { acceptKey } from "../digest/handshake_digests.ts";
import { Refusal } from "../errors.ts";
import { listHasToken } from "./grammar.ts";
import { closingLines, fieldLine, type HandshakeResponse } from "./response.ts";
import { brokenRule, type HandshakeRequest, type Rule } from "./rules.ts";
import { isVersionNumber, type WebSocketVersion } from "./versions.ts";

/** What the answer is made of. */
export interface Rfc6455Response extends HandshakeResponse {
  /** The request's `Sec-WebSocket-Key`. */
  readonly key: string;
  /** The value of `Sec-WebSocket-Extensions`, if one was agreed on. */
  readonly extensions?: string | undefined;
}

/** Sixteen bytes in base64. */
const KEY = /^[A-Za-z0-9+/]{22}==$/;

const RULES: readonly Rule<HandshakeRequest>[] = [
  {
    section: "RFC 6455 §4.2.1",
    because: "the method must be GET",
    broken: ({ method }) => method !== "GET",
  },
  {
    section: "RFC 6455 §4.2.1",
    because: "the request must be HTTP/1.1",
    broken: ({ httpVersion }) => httpVersion !== "1.1",
  },
  {
    section: "RFC 6455 §4.2.1",
    because: "Host must be sent",
    broken: (request) => !request.get("host"),
  },
  {
    section: "RFC 6455 §4.2.1",
    because: "Upgrade must include websocket",
    broken: (request) => !listHasToken(request.get("upgrade") ?? "", "websocket"),
  },
  {
    section: "RFC 6455 §4.2.1",
    because: "Connection must include Upgrade",
    broken: (request) => !listHasToken(request.get("connection") ?? "", "upgrade"),
  },
  {
    section: "RFC 6455 §4.2.1",
    because: "Sec-WebSocket-Key must be sent once, 16 bytes in base64",
    broken: (request) => !KEY.test(request.get("sec-websocket-key") ?? ""),
  },
  {
    section: "RFC 6455 §4.2.1",
    because: "Sec-WebSocket-Version must be sent once, and be 13, 8 or 7",
    broken: (request) => !isVersionNumber(request.get("sec-websocket-version") ?? ""),
  },
];

/** Checks an opening handshake. @throws {Refusal} 400, with the first rule that is broken. */
export function checkRfc6455(request: HandshakeRequest): void {
  const broken = brokenRule(RULES, request);
  if (broken !== undefined) throw new Refusal(400, broken, { reason: "handshake" });
}

/**
 * The answer, with which the connection is open (§4.2.2).
 *
 * @returns A character for each byte, the empty line included.
 * @throws {TypeError} If a field is malformed.
 */
export function rfc6455Response(response: Rfc6455Response): string {
  const { key, extensions } = response;
  return "HTTP/1.1 101 Switching Protocols\r\n" +
    "Upgrade: websocket\r\n" +
    "Connection: Upgrade\r\n" +
    `Sec-WebSocket-Accept: ${acceptKey(key)}\r\n` +
    closingLines("Sec-WebSocket-Protocol", response) +
    (extensions === undefined ? "" : fieldLine("Sec-WebSocket-Extensions", extensions)) +
    "\r\n";
}

/**
 * The origin of the page that asks, `undefined` if there is none: a client that is no browser.
 *
 * Version 8 had `Sec-WebSocket-Origin` up to hybi-10 and `Origin` from hybi-11 on.
 */
export function originOf(
  request: HandshakeRequest,
  version: WebSocketVersion,
): string | undefined {
  const origin = request.get("origin") ?? undefined;
  if (origin !== undefined || (version !== "hybi-07" && version !== "hybi-08")) return origin;
  return request.get("sec-websocket-origin") ?? undefined;
}
