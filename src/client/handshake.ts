/**
 * The client's side of an opening handshake, in every version: what is sent, and what must come.
 *
 * @module
 */
import type { WebSocketVersion } from "../handshake/versions.ts";
import type { DeflateParameters } from "../protocol/deflate.ts";
import { Hixie } from "../protocol/hixie.ts";
import { Hybi } from "../protocol/hybi.ts";
import type { Protocol, ProtocolLimits } from "../protocol/protocol.ts";
import type { CompressionOptions } from "../connection/compression.ts";
import { draft75Handshake, draft76Handshake } from "./hixie.ts";
import type { ResponseHead } from "./response_head.ts";
import { rfc6455Handshake } from "./rfc6455.ts";
import type { Target } from "./target.ts";

/** What a client asks for. */
export interface HandshakeRequest {
  /** The version to speak. */
  readonly version: WebSocketVersion;
  /** The URL. */
  readonly target: Target;
  /** The origin; draft75 and draft76 have one always. */
  readonly origin: string | undefined;
  /** The subprotocols in the order of preference. */
  readonly subprotocols: readonly string[];
  /** More fields. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** How to compress, if the server does. */
  readonly compression: CompressionOptions | undefined;
}

/** What the two ends agreed on. */
export interface Agreement {
  /** The subprotocol that the server chose. */
  readonly subprotocol: string | undefined;
  /** permessage-deflate, if it is used. */
  readonly deflate: DeflateParameters | undefined;
}

/** One opening handshake. */
export interface ClientHandshake {
  /** The bytes to send. */
  readonly request: Uint8Array;
  /** What must come behind the answer's head: the 16 bytes of draft76, nothing in the others. */
  readonly proof: Uint8Array;
  /** Whether other informational answers may come before the 101 (RFC 9110 §15.2). */
  readonly mayInform: boolean;
  /**
   * Checks the answer's head, whose status is 101.
   *
   * @throws {ProtocolError} With what was expected and what came.
   */
  check(head: ResponseHead): Agreement;
}

/** Makes the opening handshake of a version. @throws {TypeError} If a field is malformed. */
export function makeHandshake(asked: HandshakeRequest): ClientHandshake {
  if (asked.version === "draft75") return draft75Handshake(asked);
  if (asked.version === "draft76") return draft76Handshake(asked);
  return rfc6455Handshake(asked);
}

/** The client's end of the wire format of a version. */
export function clientProtocol(
  version: WebSocketVersion,
  limits: ProtocolLimits,
  { deflate }: Agreement,
): Protocol {
  if (version === "draft75" || version === "draft76") return new Hixie(limits, { version });
  return new Hybi(limits, { role: "client", version, deflate });
}
