/**
 * What draft75 and draft76 both ask of an opening handshake.
 *
 * @module
 */
import { listHasToken } from "./grammar.ts";
import type { HandshakeRequest, Rule } from "./rules.ts";

/** Where a draft has these rules, and what it calls the field of the subprotocol. */
interface Draft {
  readonly section: string;
  readonly protocolField: "WebSocket-Protocol" | "Sec-WebSocket-Protocol";
}

/** The rules of one draft, in the order of its text. */
export function hixieRules({ section, protocolField }: Draft): readonly Rule<HandshakeRequest>[] {
  const protocol = protocolField.toLowerCase();
  return [
    {
      section,
      because: "the method must be GET",
      broken: ({ method }) => method !== "GET",
    },
    // No page can set these two with XMLHttpRequest: they show that it is a WebSocket that asks.
    {
      section,
      because: "Upgrade must be WebSocket",
      broken: (request) => request.get("upgrade")?.toLowerCase() !== "websocket",
    },
    // The drafts know only the one token, but proxies add `close` and `keep-alive` to it, and the
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
