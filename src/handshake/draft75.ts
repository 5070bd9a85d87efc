/**
 * The opening handshake of draft75 (draft-hixie-thewebsocketprotocol-75): no keys, and an answer
 * whose first bytes the client compares one by one.
 *
 * What breaks its rules is not answered: the connection just ends.
 *
 * @module
 */
import { ProtocolError } from "../errors.ts";
import { hixieRules } from "./hixie_rules.ts";
import { closingLines, fieldLine, type HixieResponse, originLine } from "./response.ts";
import { brokenRule, type HandshakeRequest, type Rule } from "./rules.ts";

const SECTION = "draft75, server-side requirements";

const RULES: readonly Rule<HandshakeRequest>[] = [
  ...hixieRules({ section: SECTION, protocolField: "WebSocket-Protocol" }),
  // A client of draft75 proves nothing else.
  {
    section: SECTION,
    because: "Origin must be sent",
    broken: (request) => !request.get("origin"),
  },
];

/** Checks an opening handshake. @throws {ProtocolError} With the first rule that is broken. */
export function checkDraft75(request: HandshakeRequest): void {
  const broken = brokenRule(RULES, request);
  if (broken !== undefined) throw new ProtocolError(1002, broken);
}

/**
 * The answer. Its first three lines are compared byte by byte, so that all else comes behind them;
 * the origin is compared in lower case.
 *
 * @returns A character for each byte, the empty line included.
 * @throws {TypeError} If a field is malformed.
 */
export function draft75Response(response: HixieResponse): string {
  return "HTTP/1.1 101 Web Socket Protocol Handshake\r\n" +
    "Upgrade: WebSocket\r\n" +
    "Connection: Upgrade\r\n" +
    originLine("WebSocket-Origin", response.origin?.toLowerCase()) +
    fieldLine("WebSocket-Location", response.location) +
    closingLines("WebSocket-Protocol", response) +
    "\r\n";
}
