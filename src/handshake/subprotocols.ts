/**
 * The subprotocols that a client offers: first the parser of the server, then the checks of the client.
 *
 * @module
 */
import { Refusal, type Rule } from "../errors.ts";
import { isToken, trimSpace } from "./grammar.ts";
import type { RequestHead } from "./request_head.ts";
import { receivedField, type ResponseHead } from "./response_head.ts";
import { isDraft, type WebSocketVersion } from "./versions.ts";

/**
 * Parses `Sec-WebSocket-Protocol` of RFC 6455, hybi-07 and hybi-08: `1#token` (RFC 6455 §11.3.4).
 *
 * @param value The value of the field. Several fields are joined by commas.
 * @returns The subprotocols in the client's order of preference.
 * @throws {Refusal} 400 if it is not a list of tokens, or names one twice.
 */
export function parseSubprotocols(value: string): string[] {
  const subprotocols = new Set<string>();
  for (const element of value.split(",")) {
    const subprotocol = trimSpace(element);
    // A list may have empty elements (RFC 2616 §2.1).
    if (subprotocol === "") continue;
    if (!isToken(subprotocol)) throw refusal("must be a list of tokens (RFC 6455 §11.3.4)");
    if (subprotocols.has(subprotocol)) {
      throw refusal("must not name a subprotocol twice (RFC 6455 §4.1)");
    }
    subprotocols.add(subprotocol);
  }
  if (subprotocols.size === 0) throw refusal("must name a subprotocol (RFC 6455 §11.3.4)");
  return [...subprotocols];
}

function refusal(rule: string): Refusal {
  return new Refusal(400, `Sec-WebSocket-Protocol ${rule}`, { reason: "handshake" });
}

/**
 * Returns the subprotocols that a request offers. draft75 and draft76 have only one. It may have spaces
 * and commas, so it is not split (draft76 §4.1).
 *
 * @throws {Refusal} 400 if the field is malformed.
 */
export function offeredSubprotocols(head: RequestHead, version: WebSocketVersion): string[] {
  const value = head.get(version === "draft75" ? "websocket-protocol" : "sec-websocket-protocol");
  if (value === undefined) return [];
  return isDraft(version) ? [value] : parseSubprotocols(value);
}

/** Checks the subprotocols of a client. @throws {TypeError} If the version does not allow them. */
export function checkSubprotocols(
  subprotocols: readonly string[],
  version: WebSocketVersion,
): void {
  const draft = isDraft(version);
  if (draft && subprotocols.length > 1) {
    throw new TypeError(
      `Cannot offer ${subprotocols.length} subprotocols: draft75 and draft76 allow only one`,
    );
  }
  for (const subprotocol of subprotocols) {
    // draft76 §4.1: characters from U+0020 to U+007E.
    if (draft ? !/^[ -~]+$/.test(subprotocol) : !isToken(subprotocol)) {
      throw new TypeError(
        `Cannot offer subprotocol ${JSON.stringify(subprotocol)}: ` +
          (draft ? "must be visible ASCII (draft76 §4.1)" : "must be a token (RFC 6455 §4.1)"),
      );
    }
  }
  if (new Set(subprotocols).size < subprotocols.length) {
    throw new TypeError(`Cannot offer a subprotocol twice: ${subprotocols.join(", ")}`);
  }
}

/** A response, and the subprotocols that were offered. */
export interface SubprotocolFacts {
  /** The response. */
  readonly head: ResponseHead;
  /** The subprotocols that were offered. */
  readonly subprotocols: readonly string[];
}

/** What a client expects of the subprotocol that the server chose. */
export const SUBPROTOCOL_RULE: Rule<SubprotocolFacts> = {
  section: "RFC 6455 §4.1",
  because: ({ subprotocols }) =>
    subprotocols.length === 0
      ? "Sec-WebSocket-Protocol must not be sent if no subprotocol was offered"
      : `Sec-WebSocket-Protocol must be one of ${subprotocols.join(", ")}`,
  received: receivedField("sec-websocket-protocol"),
  broken: ({ head, subprotocols }) => {
    const chosen = head.get("sec-websocket-protocol");
    return chosen !== undefined && !subprotocols.includes(chosen);
  },
};
