/**
 * Adapter for Node's TCP, TLS and unix sockets, for applications with their own server.
 *
 * @example
 * ```ts ignore
 * import { createServer } from "node:net";
 * import { Application } from "@waterspout/websocket";
 * import { nodeTransport } from "@waterspout/websocket/node";
 *
 * const app = new Application([]);
 * createServer((socket) => app.accept(nodeTransport(socket))).listen(8888);
 * ```
 *
 * @module
 */
import { listen as listenWithGate } from "./node_listen.ts";
import { verifiedTransport } from "./node_peer_certificate.ts";
import type { NodeSocket } from "./node_types.ts";
import type { Acceptor, Listener, ListenerOptions, Transport } from "./transport.ts";

export type { NodeHandle, NodeSocket, WriteCallback } from "./node_types.ts";
export type {
  Acceptor,
  Address,
  Credentials,
  HostCredentials,
  Listener,
  ListenerOptions,
  Transport,
  TransportEvents,
} from "./transport.ts";

/**
 * Makes a {@linkcode Transport} from a socket of Node. Reading starts when `events` is set.
 *
 * @param socket A connected `net.Socket` or `tls.TLSSocket`. Nothing else may read or write it.
 * TCP_NODELAY and `allowHalfOpen` are turned on.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import { type AddressInfo, createServer } from "node:net";
 * import { Application, WebSocketHandler } from "@waterspout/websocket";
 * import { websocketConnect } from "@waterspout/websocket/client";
 * import { nodeTransport } from "@waterspout/websocket/node";
 *
 * class Sink extends WebSocketHandler {
 *   onMessage(): void {}
 * }
 *
 * const app = new Application([["/", Sink]]);
 * const server = createServer((socket) => app.accept(nodeTransport(socket)));
 * await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
 * const { port } = server.address() as AddressInfo;
 * await using connection = await websocketConnect(`ws://127.0.0.1:${port}/`);
 * assert(connection.version === "rfc6455");
 * server.close();
 * ```
 */
export function nodeTransport(socket: NodeSocket): Transport {
  socket.allowHalfOpen = true;
  socket.setNoDelay?.(true);
  const transport = verifiedTransport(socket);
  const { transport: kind, hostname } = transport.remoteAddress;
  // The peer has reset the connection. Without an address it must not be served.
  if (kind === "tcp" && hostname === "") transport.destroy();
  return transport;
}

/**
 * Listens with `net.createServer` or `tls.createServer`.
 *
 * @param options Where and how to listen.
 * @param accept Called for each connection; with TLS, after the handshake, which may take 10 s.
 * @throws {Error} If the address cannot be bound, with Node's `code` (`EADDRINUSE`). Before Node
 * 24, and for a host name, `listening` rejects with it instead.
 * @throws {TypeError} If an option is wrong or the runtime is not Node.
 *
 * @example
 * ```ts
 * import { Application } from "@waterspout/websocket";
 * import { listen } from "@waterspout/websocket/node";
 *
 * const app = new Application([]);
 * const listener = listen({ hostname: "127.0.0.1", port: 0 }, (transport) => app.accept(transport));
 * await listener.listening;
 * listener.close();
 * ```
 */
export function listen(options: ListenerOptions, accept: Acceptor): Listener {
  return listenWithGate(options, accept);
}
