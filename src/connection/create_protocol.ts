/**
 * The wire format of a version, for each end.
 *
 * @module
 */
import type { WebSocketVersion } from "../handshake/versions.ts";
import type { DeflateParameters } from "../protocol/deflate.ts";
import { Hixie } from "../protocol/hixie.ts";
import { Hybi } from "../protocol/hybi.ts";
import type { Protocol, ProtocolLimits } from "../protocol/protocol.ts";

/** A server's end of a new connection. */
export function createServerProtocol(
  version: WebSocketVersion,
  limits: ProtocolLimits,
  deflate?: DeflateParameters,
): Protocol {
  if (version === "draft75" || version === "draft76") return new Hixie(limits, { version });
  return new Hybi(limits, { role: "server", version, deflate });
}
