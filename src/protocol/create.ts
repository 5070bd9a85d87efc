/**
 * The wire format of a version.
 *
 * @module
 */
import type { WebSocketVersion } from "../handshake/versions.ts";
import type { DeflateParameters } from "./deflate.ts";
import { Hixie } from "./hixie.ts";
import { Hybi } from "./hybi.ts";
import type { Protocol, ProtocolLimits } from "./protocol.ts";

/** A server's end of a new connection. */
export function createProtocol(
  version: WebSocketVersion,
  limits: ProtocolLimits,
  deflate?: DeflateParameters,
): Protocol {
  if (version === "draft75" || version === "draft76") return new Hixie(limits, { version });
  return new Hybi(limits, { role: "server", version, deflate });
}
