/**
 * What a handler may know of its connection.
 *
 * @module
 */
import type { WebSocketVersion } from "../handshake/versions.ts";
import type { Address } from "../transport/transport.ts";

/**
 * What a handler may know of its connection.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { Application, WebSocketHandler } from "@waterspout/websocket";
 * import { connect } from "@waterspout/websocket/testing";
 *
 * class Who extends WebSocketHandler {
 *   override open(): void {
 *     const { remoteAddress, secure, version } = this.connection;
 *     this.writeMessage({ from: remoteAddress.hostname, secure, version });
 *   }
 *   onMessage(): void {}
 * }
 *
 * const client = await connect(new Application([["/", Who]]), "/");
 * assertEquals(
 *   await client.readMessage(),
 *   '{"from":"127.0.0.1","secure":false,"version":"rfc6455"}',
 * );
 * ```
 */
export interface ConnectionInfo {
  /** The client's address; behind a trusted proxy, the one that the proxy names. */
  readonly remoteAddress: Address;
  /** This end's address. */
  readonly localAddress: Address;
  /** Whether the client speaks TLS, to us or to a trusted proxy. */
  readonly secure: boolean;
  /** The version that is spoken. */
  readonly version: WebSocketVersion;
}

/** What a trusted proxy says of the client. */
export interface Forwarded {
  /** The client's address. */
  readonly hostname: string | undefined;
  /** Whether the client speaks TLS to the proxy. */
  readonly secure: boolean | undefined;
}
