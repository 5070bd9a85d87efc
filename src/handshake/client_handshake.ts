/**
 * The opening handshake of a client in each version: what it sends, and what the response must be.
 *
 * @module
 */
import { draft75Handshake } from "./draft75.ts";
import { draft76Handshake } from "./draft76.ts";
import type { DeflateAgreement, DeflateOptions } from "./permessage_deflate.ts";
import type { ResponseHead } from "./response_head.ts";
import { rfc6455Handshake } from "./rfc6455.ts";
import type { WebSocketVersion } from "./versions.ts";
import type { WebSocketUrl } from "./web_socket_url.ts";

/** The options of a client's handshake. */
export interface HandshakeOptions {
  /** The protocol version. */
  readonly version: WebSocketVersion;
  /** The URL. */
  readonly url: WebSocketUrl;
  /** The origin. In draft75 and draft76, `undefined` means that of the server. */
  readonly origin: string | undefined;
  /** The subprotocols to offer, in order of preference. */
  readonly subprotocols: readonly string[];
  /** Additional header fields. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** The offer of permessage-deflate; `undefined` for none. */
  readonly deflate: DeflateOptions | undefined;
}

/** The agreement of both ends. */
export interface Agreement {
  /** The subprotocol that the server has chosen. */
  readonly subprotocol: string | undefined;
  /** permessage-deflate, if it is used. */
  readonly deflate: DeflateAgreement | undefined;
}

/** One opening handshake. */
export interface ClientHandshake {
  /** The bytes to send. */
  readonly request: Uint8Array;
  /** The bytes that must follow the head of the response: 16 in draft76, none in other versions. */
  readonly challengeResponse: Uint8Array;
  /** Whether the server may send other interim responses before the 101 (RFC 9110 §15.2). */
  readonly allowsInterim: boolean;
  /**
   * Checks the head of a response whose status is 101.
   *
   * @throws {ProtocolError} With the broken rule, and the received value.
   */
  check(head: ResponseHead): Agreement;
}

/** Makes the handshake of a version. @throws {TypeError} If a header field is malformed. */
export function makeHandshake(options: HandshakeOptions): ClientHandshake {
  if (options.version === "draft75") return draft75Handshake(options);
  if (options.version === "draft76") return draft76Handshake(options);
  return rfc6455Handshake(options);
}
