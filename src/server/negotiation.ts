/**
 * Chooses the subprotocol and the compression, and makes the 101 response of HTTP/1.
 *
 * @module
 */
import { type AgreedDeflate, agreeOnDeflate } from "../connection/compression.ts";
import { requireSync } from "../guard.ts";
import { parseExtensions } from "../handshake/extensions.ts";
import type { RequestHead } from "../handshake/request_head.ts";
import { offeredSubprotocols } from "../handshake/subprotocols.ts";
import { isDraft, type WebSocketVersion } from "../handshake/versions.ts";
import type { AnyHandler } from "./handler.ts";

/** The result of a negotiation. */
export interface Negotiated {
  /** The subprotocol that was chosen. */
  readonly subprotocol: string | undefined;
  /** permessage-deflate, if both ends agreed on it. */
  readonly deflate: AgreedDeflate | undefined;
}

/** The parts of the response to a handshake. */
export interface HandshakeResult extends Negotiated {
  /** Fields of the response that the handler has set, if any. */
  readonly headers: readonly [name: string, value: string][] | undefined;
}

/**
 * Calls the handler's `selectSubprotocol` and `getCompressionOptions`.
 *
 * @throws {TypeError} If the handler chose a subprotocol that was not offered.
 * @throws {Refusal} 400, if the client's list of subprotocols or extensions is malformed.
 */
export function negotiate(
  handler: AnyHandler,
  head: RequestHead,
  version: WebSocketVersion,
): Negotiated {
  return {
    subprotocol: selectSubprotocol(handler, head, version),
    deflate: isDraft(version) ? undefined : negotiateDeflate(handler, head),
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
  head: RequestHead,
  version: WebSocketVersion,
): string | undefined {
  const offered = offeredSubprotocols(head, version);
  if (offered.length === 0) return undefined;
  const chosen = requireSync("selectSubprotocol", handler.selectSubprotocol(offered));
  if (chosen === undefined || offered.includes(chosen)) return chosen;
  throw new TypeError(`Cannot select subprotocol ${JSON.stringify(chosen)}: not offered`);
}
