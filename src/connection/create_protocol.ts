/**
 * Makes the protocol of a version.
 *
 * @module
 */
import type { WebSocketVersion } from "../handshake/versions.ts";
import type { DeflateParameters } from "../protocol/deflate.ts";
import { Hixie } from "../protocol/hixie.ts";
import { Hybi } from "../protocol/hybi.ts";
import type { Protocol, ProtocolLimits } from "../protocol/protocol.ts";

/** Makes the protocol of a server's connection. */
export function createServerProtocol(
  version: WebSocketVersion,
  limits: ProtocolLimits,
  deflate?: DeflateParameters,
): Protocol {
  return create("server", version, { limits, deflate });
}

/** Makes the protocol of a client's connection. */
export function createClientProtocol(
  version: WebSocketVersion,
  limits: ProtocolLimits,
  deflate?: DeflateParameters,
): Protocol {
  return create("client", version, { limits, deflate });
}

function create(
  role: "server" | "client",
  version: WebSocketVersion,
  { limits, deflate }: {
    readonly limits: ProtocolLimits;
    readonly deflate: DeflateParameters | undefined;
  },
): Protocol {
  if (version === "draft75" || version === "draft76") return new Hixie(limits, { version });
  return new Hybi(limits, { role, version, deflate });
}
