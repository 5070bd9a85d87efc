/**
 * Chooses the subprotocol and the compression, and makes the 101 response.
 *
 * @module
 */
import { type AgreedDeflate, agreeOnDeflate } from "../connection/compression.ts";
import { requireSync } from "../guard.ts";
import { draft75Response } from "../handshake/draft75.ts";
import { draft76Response } from "../handshake/draft76.ts";
import { parseExtensions } from "../handshake/extensions.ts";
import type { RequestHead } from "../handshake/request_head.ts";
import { rfc6455Response } from "../handshake/rfc6455.ts";
import { offeredSubprotocols } from "../handshake/subprotocols.ts";
import { isDraft, type WebSocketVersion } from "../handshake/versions.ts";
import { webSocketLocation } from "../handshake/web_socket_url.ts";
import type { AnyHandler } from "./handler.ts";

/** A handshake whose rules were checked. */
export interface Acceptable {
  /** The request. */
  readonly head: RequestHead;
  /** The protocol version. */
  readonly version: WebSocketVersion;
  /** Fields of the response that the handler has set. */
  readonly headers: readonly [name: string, value: string][];
}

/** The result of a negotiation. */
export interface Negotiated {
  /** The head of the 101 response. */
  readonly response: string;
  /** The subprotocol that was chosen. */
  readonly subprotocol: string | undefined;
  /** permessage-deflate, if both ends agreed on it. */
  readonly deflate: AgreedDeflate | undefined;
}

/**
 * Calls the handler's `selectSubprotocol` and `getCompressionOptions`, and makes the response.
 *
 * @throws {TypeError} If the handler chose a subprotocol that was not offered.
 * @throws {Refusal} 400, if the client's list of subprotocols or extensions is malformed.
 */
export function negotiate(handler: AnyHandler, handshake: Acceptable): Negotiated {
  const { head, version, headers } = handshake;
  const subprotocol = selectSubprotocol(handler, handshake);
  if (!isDraft(version)) {
    const deflate = negotiateDeflate(handler, head);
    const key = head.get("sec-websocket-key") ?? "";
    const extensions = deflate?.response;
    return {
      response: rfc6455Response({ key, extensions, protocol: subprotocol, headers }),
      subprotocol,
      deflate,
    };
  }
  const location = webSocketLocation(schemeOf(handler), head);
  const fields = { origin: head.get("origin"), location, protocol: subprotocol, headers };
  return {
    response: version === "draft76" ? draft76Response(fields) : draft75Response(fields),
    subprotocol,
    deflate: undefined,
  };
}

/** Returns the scheme of the URL that the client used. */
export function schemeOf(handler: AnyHandler): "ws" | "wss" {
  return requireSync("getWebSocketScheme", handler.getWebSocketScheme());
}

function negotiateDeflate(
  handler: AnyHandler,
  head: RequestHead,
): AgreedDeflate | undefined {
  const offered = head.get("sec-websocket-extensions");
  // A malformed offer is refused even if compression is off.
  const offers = offered === undefined ? [] : parseExtensions(offered);
  const options = requireSync("getCompressionOptions", handler.getCompressionOptions());
  if (options === undefined || offers.length === 0) return undefined;
  return agreeOnDeflate(offers, options);
}

function selectSubprotocol(
  handler: AnyHandler,
  { head, version }: Acceptable,
): string | undefined {
  const offered = offeredSubprotocols(head, version);
  if (offered.length === 0) return undefined;
  const chosen = requireSync("selectSubprotocol", handler.selectSubprotocol(offered));
  if (chosen === undefined || offered.includes(chosen)) return chosen;
  throw new TypeError(`Cannot select subprotocol ${JSON.stringify(chosen)}: not offered`);
}
