/**
 * Adapter for Bun's TCP, TLS and unix sockets, for applications with their own listener.
 *
 * @example
 * ```ts ignore
 * import { Application } from "@waterspout/websocket";
 * import { bunSocketHandlers } from "@waterspout/websocket/bun";
 *
 * const app = new Application([]);
 * Bun.listen({
 *   hostname: "0.0.0.0",
 *   port: 8888,
 *   allowHalfOpen: true,
 *   socket: bunSocketHandlers((transport) => app.accept(transport)),
 * });
 * ```
 *
 * @module
 */
import { type BunSocketHandlers, plainHandlers, secureHandlers } from "./bun_handlers.ts";
import { listen as listenWithGate } from "./bun_listen.ts";
import { openGate } from "./tls_gate.ts";
import type { Acceptor, Listener, ListenerOptions } from "./transport.ts";

export type { BunSocketHandlers } from "./bun_handlers.ts";
export type { BunSocket } from "./bun_socket.ts";
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

/** Options of {@linkcode bunSocketHandlers}. */
export interface BunSocketHandlersOptions {
  /**
   * Whether the listener has `tls`. A connection is then accepted after its TLS handshake, which
   * may take 10 s. Default: `false`.
   */
  readonly secure?: boolean;
  /** Called when a TLS handshake fails. */
  readonly onError?: (error: Error) => void;
}

/**
 * Makes the `socket` handlers for `Bun.listen`. Listen with `allowHalfOpen: true`, and do not
 * change the `data` of the sockets: it holds the transport.
 *
 * @param accept Called for each connection.
 *
 * @example
 * ```ts ignore
 * import { Application } from "@waterspout/websocket";
 * import { bunSocketHandlers } from "@waterspout/websocket/bun";
 *
 * const app = new Application([]);
 * const socket = bunSocketHandlers((transport) => app.accept(transport), { secure: true });
 * Bun.listen({ hostname: "0.0.0.0", port: 8443, allowHalfOpen: true, tls: { cert, key }, socket });
 * ```
 */
export function bunSocketHandlers(
  accept: Acceptor,
  { secure = false, onError }: BunSocketHandlersOptions = {},
): BunSocketHandlers {
  return secure ? secureHandlers(openGate(accept, onError)) : plainHandlers(accept);
}

/**
 * Listens with `Bun.listen`.
 *
 * @param options Where and how to listen.
 * @param accept Called for each connection; with TLS, after the handshake, which may take 10 s.
 * @throws {Error} If the address cannot be bound, with the runtime's `code` (`EADDRINUSE`).
 * @throws {TypeError} If an option is wrong or the runtime is not Bun.
 *
 * @example
 * ```ts ignore
 * import { Application } from "@waterspout/websocket";
 * import { listen } from "@waterspout/websocket/bun";
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
