/**
 * Tornado's `websocket_connect`.
 *
 * @module
 */
import { WebSocketClientConnection } from "./client_connection.ts";
import { ConnectionAttempt } from "./connection_attempt.ts";
import {
  type ConnectOptions,
  type ConnectRequest,
  resolveOptions,
  toHandshakeOptions,
} from "./options.ts";
import type { Session } from "./session.ts";
import { show } from "../validation.ts";

/**
 * Connects to a WebSocket server (Tornado's `websocket_connect`).
 *
 * @param request The URL (`ws:` or `wss:`), or a {@linkcode ConnectRequest} with header fields.
 * @param options The version, subprotocols, header fields, TLS, callbacks and limits.
 * @returns The connection, once it is open.
 * @throws {HandshakeError} If the server cannot be reached, refuses the handshake, or sends a response
 * that breaks a rule of the version.
 * @throws {TypeError} If the URL or an option is wrong, or the version does not support an option.
 * @throws {RangeError} If a number is out of range.
 *
 * @example A server of 2011
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { Application, WebSocketHandler } from "@waterspout/websocket";
 * import { websocketConnect } from "@waterspout/websocket/client";
 *
 * class Greeter extends WebSocketHandler {
 *   override open(): void {
 *     this.writeMessage("Hello from 2011");
 *     this.close();
 *   }
 *   onMessage(): void {}
 * }
 *
 * const app = new Application([["/", Greeter]], { versions: ["draft76"] });
 * await using server = app.listen({ port: 0, hostname: "127.0.0.1" });
 *
 * const url = `ws://127.0.0.1:${server.addr.port}/`;
 * const connection = await websocketConnect(url, { version: "draft76" });
 * for await (const message of connection) assertEquals(message, "Hello from 2011");
 * ```
 *
 * @example Several WebSockets on one HTTP/2 session (RFC 8441)
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { connect, createServer } from "node:http2";
 * import type { AddressInfo } from "node:net";
 * import { Application, WebSocketHandler } from "@waterspout/websocket";
 * import { websocketConnect } from "@waterspout/websocket/client";
 *
 * class Greeter extends WebSocketHandler {
 *   override open(name: string): void {
 *     this.writeMessage(`Hello, ${name}`);
 *   }
 *   onMessage(): void {}
 * }
 *
 * const server = createServer();
 * await using attachment = new Application([["/greet/:name", Greeter]]).attach(server);
 * await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
 * const { port } = server.address() as AddressInfo;
 *
 * const http2 = connect(`http://127.0.0.1:${port}`);
 * for (const name of ["Ada", "Grace"]) {
 *   await using socket = await websocketConnect(`ws://127.0.0.1:${port}/greet/${name}`, { http2 });
 *   assertEquals(await socket.readMessage(), `Hello, ${name}`);
 * }
 * http2.close();
 * server.close();
 * ```
 */
export async function websocketConnect(
  request: string | URL | ConnectRequest,
  options: ConnectOptions = {},
): Promise<WebSocketClientConnection> {
  return new WebSocketClientConnection(await openSession(request, options));
}

/** Opens a connection. For {@linkcode websocketConnect} and the test kit. */
export async function openSession(
  request: string | URL | ConnectRequest,
  options: ConnectOptions,
): Promise<Session> {
  const limits = resolveOptions(options);
  const wanted = toRequest(request);
  const handshake = toHandshakeOptions(wanted, options);
  const attempt = new ConnectionAttempt(handshake, limits, options);
  const signals = [options.signal, wanted.signal];
  return await attempt.run(signals.filter((signal) => signal !== undefined && signal !== null));
}

function isRequest(request: string | URL | ConnectRequest): request is ConnectRequest {
  return typeof request !== "string" && !(request instanceof URL);
}

function toRequest(request: string | URL | ConnectRequest): ConnectRequest {
  if (!isRequest(request)) return { url: String(request) };
  if (typeof request === "object" && typeof request?.url === "string") return request;
  throw new TypeError(`Cannot connect: expected a URL or a request, got ${show(request)}`);
}
