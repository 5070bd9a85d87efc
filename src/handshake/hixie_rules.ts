/**
 * The common rules of the opening handshakes of draft75 and draft76.
 *
 * @module
 */
import { checkRules, type Rule } from "../errors.ts";
import type { Agreement, HandshakeOptions } from "./client_handshake.ts";
import { listHasToken } from "./grammar.ts";
import type { HandshakeRequest } from "./request_head.ts";
import { receivedField, type ResponseHead } from "./response_head.ts";
import { webSocketLocation, type WebSocketUrl } from "./web_socket_url.ts";

/** The differences between the drafts. */
interface Draft {
  /** The section with the rules. */
  readonly section: string;
  /** The name of the field for the subprotocol. */
  readonly protocolField: "WebSocket-Protocol" | "Sec-WebSocket-Protocol";
}

/** Returns the rules for requests of a draft, in the order of its text. */
export function hixieRequestRules(
  { section, protocolField }: Draft,
): readonly Rule<HandshakeRequest>[] {
  const protocol = protocolField.toLowerCase();
  return [
    {
      section,
      because: "the method must be GET",
      broken: ({ method }) => method !== "GET",
    },
    // A web page cannot set the next two fields with XMLHttpRequest.
    {
      section,
      because: "Upgrade must be WebSocket",
      broken: (request) => request.get("upgrade")?.toLowerCase() !== "websocket",
    },
    // In the drafts, the field is a single token. But proxies add `close` and `keep-alive`, and the
    // field is a list (RFC 9110 §7.6.1).
    {
      section,
      because: "Connection must include Upgrade",
      broken: (request) => !listHasToken(request.get("connection") ?? "", "upgrade"),
    },
    {
      section,
      because: "Host must be sent",
      broken: (request) => !request.get("host"),
    },
    {
      section,
      because: `${protocolField} must be one or more characters from U+0020 to U+007E`,
      broken: (request) => !/^[ -~]+$/.test(request.get(protocol) ?? "none"),
    },
  ];
}

/** The values that a response must repeat. */
export interface HixieExpectations {
  /** The origin that was sent. */
  readonly origin: string;
  /** The URL. */
  readonly location: string;
  /** The subprotocol that was offered. */
  readonly subprotocol: string | undefined;
}

/** A response, and the values that it must repeat. */
export interface HixieFacts extends HixieExpectations {
  /** The response. */
  readonly head: ResponseHead;
}

/** Makes the rule for a response field that must be sent once, with exactly the expected value. */
export function exactField(
  section: string,
  name: string,
  expected: (facts: HixieFacts) => string | undefined,
): Rule<HixieFacts> {
  const lowerCase = name.toLowerCase();
  return {
    section,
    because: (facts) => `${name} must be sent once, as "${expected(facts)}"`,
    received: receivedField(lowerCase),
    broken: (facts) => {
      const value = expected(facts);
      const [received, ...others] = facts.head.rawValues(lowerCase);
      // One space may follow the colon. Further spaces belong to the value.
      return value !== undefined && (others.length > 0 || received?.replace(/^ /, "") !== value);
    },
  };
}

/** Returns the values that a response must repeat. The origin is in lower case, and always sent. */
export function hixieExpectations(options: HandshakeOptions): HixieExpectations {
  const { url, origin, subprotocols } = options;
  const { secure, host } = url;
  return {
    origin: (origin ?? `${secure ? "https" : "http"}://${host}`).toLowerCase(),
    location: webSocketLocation(secure ? "wss" : "ws", url),
    subprotocol: subprotocols[0],
  };
}

/** Checks a response. @throws {ProtocolError} With the first broken rule. */
export function agreeOnHixie(rules: readonly Rule<HixieFacts>[], facts: HixieFacts): Agreement {
  checkRules(rules, facts);
  return { subprotocol: facts.subprotocol, deflate: undefined };
}

/** Makes the request line. */
export function hixieRequestLine({ resourceName }: WebSocketUrl): string {
  return `GET ${resourceName} HTTP/1.1\r\n`;
}
