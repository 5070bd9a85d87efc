/**
 * Adapter for Deno's TCP, TLS and unix sockets, for applications with their own listener.
 *
 * @example
 * ```ts ignore
 * import { Application } from "@waterspout/websocket";
 * import { denoTransport } from "@waterspout/websocket/deno";
 *
 * const app = new Application([]);
 * for await (const conn of Deno.listen({ port: 8888 })) app.accept(denoTransport(conn));
 * ```
 *
 * @module
 */
import { type DenoConn, DenoTransport } from "./deno_conn.ts";
import { listen as listenWithGate } from "./deno_listen.ts";
import type { Acceptor, Listener, ListenerOptions, Transport } from "./transport.ts";

export type { DenoAddress, DenoConn } from "./deno_conn.ts";
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
 * Makes a {@linkcode Transport} from a connection of Deno. Reading starts when `events` is set.
 *
 * @param conn A connected `Deno.TcpConn`, `Deno.TlsConn` or `Deno.UnixConn`. Nothing else may read
 * or write it. TCP_NODELAY is turned on.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import { Application, WebSocketHandler } from "@waterspout/websocket";
 * import { websocketConnect } from "@waterspout/websocket/client";
 * import { denoTransport } from "@waterspout/websocket/deno";
 *
 * class Sink extends WebSocketHandler {
 *   onMessage(): void {}
 * }
 *
 * const app = new Application([["/", Sink]]);
 * using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
 * const { port } = listener.addr as Deno.NetAddr;
 * listener.accept().then((conn) => app.accept(denoTransport(conn)));
 * await using connection = await websocketConnect(`ws://127.0.0.1:${port}/`);
 * assert(connection.version === "rfc6455");
 * ```
 */
export function denoTransport(conn: DenoConn): Transport {
  return new DenoTransport(conn);
}

/**
 * Listens with `Deno.listen` or `Deno.listenTls`.
 *
 * @param options Where and how to listen.
 * @param accept Called for each connection; with TLS, after the handshake, which may take 10 s.
 * @throws {Error} If the address cannot be bound, with the runtime's `code` (`EADDRINUSE`).
 * @throws {TypeError} If an option is wrong, the runtime is not Deno, `reusePort` is used without
 * `--unstable-net`, or TLS is used on a unix socket.
 *
 * @example
 * ```ts
 * import { Application } from "@waterspout/websocket";
 * import { listen } from "@waterspout/websocket/deno";
 *
 * const app = new Application([]);
 * const listener = listen({ port: 0 }, (transport) => app.accept(transport));
 * await listener.listening;
 * listener.close();
 * ```
 */
export function listen(options: ListenerOptions, accept: Acceptor): Listener {
  return listenWithGate(options, accept);
}
