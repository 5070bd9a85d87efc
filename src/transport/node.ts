/**
 * Node's own TCP, TLS and unix sockets, for those who own the server.
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
import { builtin } from "./builtin.ts";
import { tellError } from "./events.ts";
import {
  type Credentials,
  refusedCredentials,
  type ResolvedListenerOptions,
  resolveListenerOptions,
} from "./listener_options.ts";
import { chunkReader, NodeTransport } from "./node_socket.ts";
import type { NodeSocket } from "./node_types.ts";
import type { Acceptor, Address, Listener, ListenerOptions, Transport } from "./transport.ts";

export type { NodeHandle, NodeSocket, WriteCallback } from "./node_types.ts";
export type {
  Acceptor,
  Address,
  Listener,
  ListenerOptions,
  Transport,
  TransportEvents,
} from "./transport.ts";

interface SocketAddress {
  readonly address: string;
  readonly port: number;
}

/** The part of `net.Server` and `tls.Server` that is used. */
interface NodeServer {
  on(event: string, listener: (error: Error, socket?: NodeSocket) => void): unknown;
  listen(where: object): unknown;
  address(): SocketAddress | string | null;
  close(): unknown;
  unref(): unknown;
}

interface ServerOptions {
  readonly allowHalfOpen: boolean;
  readonly noDelay: boolean;
}

interface BindOptions {
  readonly host?: string;
  readonly port?: number;
  readonly reusePort?: boolean;
  readonly path?: string;
}

/** The part of `node:net` that is used. */
interface NetModule {
  createServer(options: ServerOptions, listener: (socket: NodeSocket) => void): NodeServer;
  isIP(host: string): number;
  /** From Node 24 on. */
  readonly BoundSocket?: new (options: BindOptions) => object;
}

/** The part of `node:tls` that is used. */
interface TlsModule {
  createServer(
    options: ServerOptions & { cert: string; key: string; handshakeTimeout: number },
    listener: (socket: NodeSocket) => void,
  ): NodeServer;
}

/** The part of `node:cluster` that is used. */
interface ClusterModule {
  readonly isWorker: boolean;
}

/** How long a TLS handshake may take, in milliseconds. */
const TLS_HANDSHAKE_TIMEOUT = 10_000;

/**
 * Makes a {@linkcode Transport} of a socket of Node. It reads once its `events` are set.
 *
 * @param socket A connected `net.Socket` or `tls.TLSSocket`, which nothing else reads or writes.
 * Its TCP_NODELAY and `allowHalfOpen` are set.
 *
 * @example
 * ```ts
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
 * console.assert(connection.version === "rfc6455");
 * server.close();
 * ```
 */
export function nodeTransport(socket: NodeSocket): Transport {
  socket.allowHalfOpen = true;
  socket.setNoDelay(true);
  return new NodeTransport(socket);
}

/**
 * Listens with `net.createServer` or `tls.createServer`.
 *
 * @param options Where and how.
 * @param accept Called for each connection, with TLS after its handshake.
 * @throws {Error} If the runtime cannot bind, with its own `code` (`EADDRINUSE`); from Node 24 on,
 * and for an IP address or a path. Else `listening` rejects with it.
 * @throws {TypeError} If an option is wrong, or this is not Node.
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
  const resolved = resolveListenerOptions(options);
  const { tls } = resolved;
  const server = tls === undefined ? createServer(accept) : createTlsServer(tls, accept);
  return new NodeListener(server, resolved, options);
}

const FLAGS: ServerOptions = { allowHalfOpen: true, noDelay: true };

function createServer(accept: Acceptor): NodeServer {
  const reader = chunkReader();
  return builtin<NetModule>("node:net", "listen")
    .createServer(FLAGS, (socket) => accept(new NodeTransport(socket, reader)));
}

function createTlsServer(tls: Credentials, accept: Acceptor): NodeServer {
  const module = builtin<TlsModule>("node:tls", "listen");
  const options = { ...FLAGS, ...tls, handshakeTimeout: TLS_HANDSHAKE_TIMEOUT };
  try {
    return module.createServer(options, (socket) => accept(new NodeTransport(socket)));
  } catch (error) {
    throw refusedCredentials(error);
  }
}

/** What `server.listen` takes: a socket that is bound already, where Node has that. */
function bind({ hostname, port, path, reusePort }: ResolvedListenerOptions): object {
  const where: BindOptions = path === undefined ? { host: hostname, port, reusePort } : { path };
  const { BoundSocket, isIP } = builtin<NetModule>("node:net", "listen");
  const isNumeric = path !== undefined || isIP(hostname) !== 0;
  // In a worker of a cluster, `listen` shares the primary's socket; a bound one would be its own.
  const isShared = builtin<ClusterModule>("node:cluster", "listen").isWorker;
  return BoundSocket !== undefined && isNumeric && !isShared ? new BoundSocket(where) : where;
}

class NodeListener implements Listener {
  readonly listening: Promise<void>;
  readonly #server: NodeServer;
  #address: Address;

  constructor(
    server: NodeServer,
    resolved: ResolvedListenerOptions,
    { onError }: Pick<ListenerOptions, "onError">,
  ) {
    const { hostname, port, path } = resolved;
    this.#server = server;
    this.#address = path === undefined
      ? { transport: "tcp", hostname, port }
      : { transport: "unix", hostname: path, port: 0 };
    this.listening = new Promise((resolve, reject) => {
      server.on("listening", () => resolve());
      server.on("error", reject);
    });
    // Whoever does not wait for `listening` must not be ended by it.
    this.listening.catch(() => {});
    const report = (error: Error): void => tellError(onError, error);
    server.on("listening", () => server.on("error", report));
    server.on("tlsClientError", (error, socket) => {
      report(error);
      // After a timeout, Node itself would leave the socket open.
      socket?.destroy();
    });
    server.listen(bind(resolved));
  }

  get address(): Address {
    const bound = this.#server.address();
    if (bound !== null && typeof bound === "object") {
      this.#address = { transport: "tcp", hostname: bound.address, port: bound.port };
    }
    return this.#address;
  }

  close(): void {
    this.address; // once closed, the server does not know it
    this.#server.close();
  }

  unref(): void {
    this.#server.unref();
  }
}
