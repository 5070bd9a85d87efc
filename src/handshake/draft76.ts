/**
 * The opening handshake of draft76 (draft-hixie-thewebsocketprotocol-76, which is also
 * draft-ietf-hybi-thewebsocketprotocol-00): first the rules of the server, then those of the client.
 *
 * If a request breaks a rule, the server closes the connection without a response.
 *
 * @module
 */
import { checkRules, type Rule } from "../errors.ts";
import {
  type ChallengeParts,
  keyPart,
  makeChallenge,
  randomInteger,
  shuffle,
} from "./challenge.ts";
import type { ClientHandshake, HandshakeOptions } from "./client_handshake.ts";
import { closingLines, fieldLine, type HixieResponse, originLine } from "./head_writer.ts";
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

const SERVER_SECTION = "draft76 §5.1";
const CLIENT_SECTION = "draft76 §4.1";

// --- The server -----------------------------------------------------------------------------------

/**
 * Clients must send an `Origin`, but a server need not check that (§5.1: SHOULD). As in the later
 * versions, a client without an `Origin` is not a browser.
 */
const REQUEST_RULES: readonly Rule<HandshakeRequest>[] = [
  ...hixieRequestRules({ section: SERVER_SECTION, protocolField: "Sec-WebSocket-Protocol" }),
  {
    section: SERVER_SECTION,
    because: "Sec-WebSocket-Key1 must be sent",
    broken: (request) => !request.get("sec-websocket-key1"),
  },
  {
    section: SERVER_SECTION,
    because: "Sec-WebSocket-Key2 must be sent",
    broken: (request) => !request.get("sec-websocket-key2"),
  },
];

/**
 * Checks a request and its keys.
 *
 * @returns The numbers that are hidden in the keys.
 * @throws {ProtocolError} With the first broken rule.
 */
export function checkDraft76(request: HandshakeRequest): ChallengeParts {
  checkRules(REQUEST_RULES, request);
  return {
    part1: keyPart(request.get("sec-websocket-key1") ?? ""),
    part2: keyPart(request.get("sec-websocket-key2") ?? ""),
  };
}

/**
 * Makes the head of the response. It must be sent before key3 is read: a proxy forwards key3 only after
 * the response. The 16 bytes of `challengeResponse` follow it.
 *
 * @returns The head with its empty line, one character for each byte.
 * @throws {TypeError} If a field is malformed.
 */
export function draft76Response(response: HixieResponse): string {
  return "HTTP/1.1 101 WebSocket Protocol Handshake\r\n" +
    "Upgrade: WebSocket\r\n" +
    "Connection: Upgrade\r\n" +
    originLine("Sec-WebSocket-Origin", response.origin) +
    fieldLine("Sec-WebSocket-Location", response.location) +
    closingLines("Sec-WebSocket-Protocol", response) +
    "\r\n";
}

// --- The client -----------------------------------------------------------------------------------

const RESPONSE_RULES: readonly Rule<HixieFacts>[] = [
  {
    section: CLIENT_SECTION,
    because: "the status code must be between two spaces",
    received: ({ head }) => head.statusLine,
    broken: ({ head }) => head.statusLine.split(" ").length < 3,
  },
  exactField(CLIENT_SECTION, "Upgrade", () => "WebSocket"),
  {
    section: CLIENT_SECTION,
    because: `Connection must be sent once, as "Upgrade"`,
    received: ({ head }) => head.get("connection"),
    broken: ({ head }) => head.get("connection")?.toLowerCase() !== "upgrade",
  },
  exactField(CLIENT_SECTION, "Sec-WebSocket-Origin", ({ origin }) => origin),
  exactField(CLIENT_SECTION, "Sec-WebSocket-Location", ({ location }) => location),
  exactField(CLIENT_SECTION, "Sec-WebSocket-Protocol", ({ subprotocol }) => subprotocol),
];

/** Makes the handshake of a client, with a new challenge. @throws {TypeError} If a field is malformed. */
export function draft76Handshake(options: HandshakeOptions): ClientHandshake {
  const expected = hixieExpectations(options);
  const { subprotocol, origin } = expected;
  const { key1, key2, key3, response } = makeChallenge();
  const lines = [
    "Upgrade: WebSocket\r\n",
    "Connection: Upgrade\r\n",
    fieldLine("Host", options.url.host),
    fieldLine("Origin", origin),
    fieldLine("Sec-WebSocket-Key1", key1),
    fieldLine("Sec-WebSocket-Key2", key2),
    ...(subprotocol === undefined ? [] : [fieldLine("Sec-WebSocket-Protocol", subprotocol)]),
    ...options.headers.map(([name, value]) => fieldLine(name, value)),
  ];
  // "randomly shuffled" (§4.1), so that no server relies on an order.
  const fields = shuffle(lines, randomInteger).join("");
  const key3Text = String.fromCharCode(...key3);
  return {
    request: encodeLatin1(`${hixieRequestLine(options.url)}${fields}\r\n${key3Text}`),
    challengeResponse: response,
    allowsInterim: false,
    check: (head) => agreeOnHixie(RESPONSE_RULES, { ...expected, head }),
  };
}
