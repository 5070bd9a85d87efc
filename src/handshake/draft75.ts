/**
 * The opening handshake of draft75 (draft-hixie-thewebsocketprotocol-75). First the rules of the
 * server, then those of the client. draft75 has no keys. The client compares the first bytes of the
 * response one by one.
 *
 * If a request breaks a rule, the server closes the connection without a response.
 *
 * @module
 */
import { checkRules, type Rule } from "../errors.ts";
import type { ClientHandshake, HandshakeOptions } from "./client_handshake.ts";
import {
  closingLines,
  fieldLine,
  fieldLines,
  type HixieResponse,
  originLine,
} from "./head_writer.ts";
import {
  agreeOnHixie,
  exactField,
  hixieExpectations,
  type HixieFacts,
  hixieRequestLine,
  hixieRequestRules,
} from "./hixie_rules.ts";
import { encodeLatin1 } from "./latin1.ts";
import type { HandshakeRequest } from "./request_head.ts";

const SERVER_SECTION = "draft75, server-side requirements";
const CLIENT_SECTION = "draft75, client-side requirements";

// --- The server -----------------------------------------------------------------------------------

const REQUEST_RULES: readonly Rule<HandshakeRequest>[] = [
  ...hixieRequestRules({ section: SERVER_SECTION, protocolField: "WebSocket-Protocol" }),
  // In draft75, nothing else shows that the request comes from a WebSocket client.
  {
    section: SERVER_SECTION,
    because: "Origin must be sent",
    broken: (request) => !request.get("origin"),
  },
];

/** Checks a request. @throws {ProtocolError} With the first broken rule. */
export function checkDraft75(request: HandshakeRequest): void {
  checkRules(REQUEST_RULES, request);
}

/**
 * Makes the response. Clients compare its first three lines byte by byte, so other fields follow these
 * lines. Clients compare the origin in lower case.
 *
 * @returns The head with its empty line, one character for each byte.
 * @throws {TypeError} If a field is malformed.
 */
export function draft75Response(response: HixieResponse): string {
  return RESPONSE_START +
    originLine("WebSocket-Origin", response.origin?.toLowerCase()) +
    fieldLine("WebSocket-Location", response.location) +
    closingLines("WebSocket-Protocol", response) +
    "\r\n";
}

// --- The client -----------------------------------------------------------------------------------

/** The first 85 bytes, which a client compares ("If the first bytes are not exactly equal"). */
const RESPONSE_START = "HTTP/1.1 101 Web Socket Protocol Handshake\r\n" +
  "Upgrade: WebSocket\r\n" +
  "Connection: Upgrade\r\n";

const RESPONSE_RULES: readonly Rule<HixieFacts>[] = [
  {
    section: CLIENT_SECTION,
    because: `the response must begin with ${JSON.stringify(RESPONSE_START)}`,
    received: ({ head }) => head.text.slice(0, RESPONSE_START.length),
    broken: ({ head }) => !head.text.startsWith(RESPONSE_START),
  },
  exactField(CLIENT_SECTION, "WebSocket-Origin", ({ origin }) => origin),
  exactField(CLIENT_SECTION, "WebSocket-Location", ({ location }) => location),
  exactField(CLIENT_SECTION, "WebSocket-Protocol", ({ subprotocol }) => subprotocol),
];

/** Makes the handshake of a client. @throws {TypeError} If a field is malformed. */
export function draft75Handshake(options: HandshakeOptions): ClientHandshake {
  const expected = hixieExpectations(options);
  const { subprotocol, origin } = expected;
  // The draft prescribes this order and case.
  const head = hixieRequestLine(options.url) +
    "Upgrade: WebSocket\r\n" +
    "Connection: Upgrade\r\n" +
    fieldLine("Host", options.url.host) +
    fieldLine("Origin", origin) +
    (subprotocol === undefined ? "" : fieldLine("WebSocket-Protocol", subprotocol)) +
    fieldLines(options.headers) +
    "\r\n";
  return {
    request: encodeLatin1(head),
    challengeResponse: new Uint8Array(0),
    allowsInterim: false,
    check: (head) => agreeOnHixie(RESPONSE_RULES, { ...expected, head }),
  };
}
