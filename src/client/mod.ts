/**
 * Tornado's WebSocket client for Deno, Bun and Node. It supports every version of the protocol, from
 * the drafts of 2010 to RFC 6455 with permessage-deflate.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { Application, WebSocketHandler } from "@waterspout/websocket";
 * import { websocketConnect } from "@waterspout/websocket/client";
 *
 * class Echo extends WebSocketHandler {
 *   onMessage(message: string | Uint8Array): void {
 *     this.writeMessage(message);
 *   }
 * }
 *
 * const app = new Application([["/echo", Echo]]);
 * await using server = app.listen({ port: 0, hostname: "127.0.0.1" });
 *
 * await using connection = await websocketConnect(`ws://127.0.0.1:${server.addr.port}/echo`);
 * await connection.writeMessage("Hello");
 * assertEquals(await connection.readMessage(), "Hello");
 * ```
 *
 * @module
 */
export { type HeaderFields, ProtocolError, WebSocketClosedError } from "../errors.ts";
export type { WebSocketVersion } from "../handshake/versions.ts";
export type { JsonMessage, Message } from "../connection/message.ts";
export type { MessageSource } from "../connection/message_source.ts";
export type { ConnectionEnd, EndedBy } from "../connection/connection_end.ts";
export type { CompressionOptions } from "../connection/compression.ts";
export type { Address, TlsOptions, Transport, TransportEvents } from "../transport/transport.ts";
export type {
  Http2ClientSession,
  Http2Socket,
  Http2Stream,
  Http2StreamSession,
} from "../transport/http2.ts";
export type { Clock } from "../timing/clock.ts";
export { websocketConnect } from "./websocket_connect.ts";
export { reconnecting } from "./reconnecting.ts";
export type { ReconnectOptions, Retry } from "./reconnect_options.ts";
export { WebSocketClientConnection } from "./client_connection.ts";
export { HandshakeError, type Refusal } from "./handshake_error.ts";
export { ProxyError } from "../handshake/proxy_error.ts";
export { proxyFromEnvironment } from "./proxy_environment.ts";
export type { ProxyOption } from "./proxy_option.ts";
export type { ConnectOptions, ConnectRequest } from "./options.ts";
