/**
 * What the opening handshakes of draft75 and draft76 have in common.
 *
 * @module
 */
import { checkRules, type Rule } from "../errors.ts";
import type { Agreement, HandshakeOptions } from "./client_handshake.ts";
import { listHasToken } from "./grammar.ts";
import type { HandshakeRequest } from "./request_head.ts";
import { receivedField, type ResponseHead } from "./response_head.ts";
import { webSocketLocation, type WebSocketUrl } from "./web_socket_url.ts";

/** Where a draft has these rules, and what it calls the field of the subprotocol. */
interface Draft {
  readonly section: string;
  readonly protocolField: "WebSocket-Protocol" | "Sec-WebSocket-Protocol";
}

/** The rules for the request of one draft, in the order of its text. */
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
    // No page can set the next two with XMLHttpRequest: so the request is a WebSocket's.
    {
      section,
      because: "Upgrade must be WebSocket",
      broken: (request) => request.get("upgrade")?.toLowerCase() !== "websocket",
    },
    // The drafts know only the one token. But proxies add `close` and `keep-alive` to it, and the
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
      because: `${protocolField} must be characters from U+0020 to U+007E, one at least`,
      broken: (request) => !/^[ -~]+$/.test(request.get(protocol) ?? "none"),
    },
  ];
}

/** What a client compares a response with. */
export interface HixieExpectations {
  /** The origin that was sent. */
  readonly origin: string;
  /** The URL. */
  readonly location: string;
  /** The subprotocol that was offered. */
  readonly subprotocol: string | undefined;
}

/** A response, and what it is compared with. */
export interface HixieFacts extends HixieExpectations {
  /** The response. */
  readonly head: ResponseHead;
}

/** A field of a response that must be sent once, with a value of which each byte counts. */
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
      // One space may follow the colon; any other belongs to the value.
      return value !== undefined && (others.length > 0 || received?.replace(/^ /, "") !== value);
    },
  };
}

/** What to expect. The origin is sent in lower case, and never left out. */
export function hixieExpectations(options: HandshakeOptions): HixieExpectations {
  const { url, origin, subprotocols } = options;
  const { secure, host } = url;
  return {
    origin: (origin ?? `${secure ? "https" : "http"}://${host}`).toLowerCase(),
    location: webSocketLocation(secure ? "wss" : "ws", url),
    subprotocol: subprotocols[0],
  };
}

/** Checks a response. @throws {ProtocolError} With the first rule that is broken. */
export function agreeOnHixie(rules: readonly Rule<HixieFacts>[], facts: HixieFacts): Agreement {
  checkRules(rules, facts);
  return { subprotocol: facts.subprotocol, deflate: undefined };
}

/** The request line. */
export function hixieRequestLine({ resourceName }: WebSocketUrl): string {
  return `GET ${resourceName} HTTP/1.1\r\n`;
}
