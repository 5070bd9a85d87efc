/**
 * The listening side of Node's sockets.
 *
 * @module
 */
import { requireBuiltin } from "./builtin_module.ts";
import { reportError } from "./report_error.ts";
import {
  type Credentials,
  refusedCredentials,
  type ResolvedListenerOptions,
  resolveListenerOptions,
} from "./listener_options.ts";
import { chunkReader, NodeTransport } from "./node_socket.ts";
import type { NodeSocket } from "./node_types.ts";
import { openGate } from "./tls_gate.ts";
import type {
  Acceptor,
  Address,
  Listener,
  ListenerOptions,
  TlsGate,
  TlsHandshake,
} from "./transport.ts";

interface SocketAddress {
  readonly address: string;
  readonly port: number;
}

/** The part of `net.Server` and `tls.Server` that is used. */
interface NodeServer {
  on(event: "connection", listener: (socket: NodeSocket) => void): unknown;
  on(event: "tlsClientError", listener: (error: Error, socket: NodeSocket) => void): unknown;
  on(event: "listening" | "error", listener: (error: Error) => void): unknown;
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

/** Node's own limit for TLS handshakes, out of the way of the gate's, in milliseconds. */
const NO_TIMEOUT = 2 ** 31 - 1;

/**
 * Listens with `net.createServer` or `tls.createServer`.
 *
 * @param gate Decides on TLS handshakes.
 * @throws See `listen` in `node.ts`.
 */
export function listen(
  options: ListenerOptions,
  accept: Acceptor,
  { gate = openGate(accept, options.onError) }: { readonly gate?: TlsGate } = {},
): Listener {
  const resolved = resolveListenerOptions(options);
  const { tls, path } = resolved;
  const kind = path === undefined ? "tcp" : "unix";
  const server = tls === undefined ? createServer(accept, kind) : createTlsServer(tls, gate, kind);
  return new NodeListener(server, resolved, options);
}

type AddressKind = Address["transport"];

const FLAGS: ServerOptions = { allowHalfOpen: true, noDelay: true };

function createServer(accept: Acceptor, kind: AddressKind): NodeServer {
  const reader = chunkReader();
  return requireBuiltin<NetModule>("node:net", "listen").createServer(FLAGS, (socket) => {
    if (peerOf(socket, kind) === undefined) socket.destroy();
    else accept(new NodeTransport(socket, reader, kind));
  });
}

function createTlsServer(tls: Credentials, gate: TlsGate, kind: AddressKind): NodeServer {
  const { createServer } = requireBuiltin<TlsModule>("node:tls", "listen");
  // A socket that stays open after the peer's FIN would not tell of one in the handshake.
  const options = { ...FLAGS, ...tls, allowHalfOpen: false, handshakeTimeout: NO_TIMEOUT };
  /** The handshakes by the socket below TLS. */
  const handshakes = new WeakMap<object, TlsHandshake>();
  const onSecure = (socket: NodeSocket): void => {
    const handshake = handshakes.get(socket._parent ?? socket);
    socket.allowHalfOpen = true;
    if (handshake === undefined) socket.destroy();
    else handshake.accepted(new NodeTransport(socket, undefined, kind));
  };
  let server: NodeServer;
  try {
    server = createServer(options, onSecure);
  } catch (error) {
    throw refusedCredentials(error);
  }
  server.on("connection", (raw: NodeSocket) => {
    const peer = peerOf(raw, kind);
    const handshake = peer && gate.begin(peer, () => raw.destroy());
    if (handshake === undefined) raw.destroy();
    else handshakes.set(raw, handshake);
  });
  server.on("tlsClientError", (error: Error, socket: NodeSocket) => {
    handshakes.get(socket._parent ?? socket)?.failed(error);
    socket.destroy();
  });
  return server;
}

/**
 * The other end of a socket, which keeps the address once it was asked for; `undefined` if it has
 * reset the connection before.
 */
function peerOf(socket: NodeSocket, kind: AddressKind): Address | undefined {
  const { remoteAddress, remotePort = 0 } = socket;
  if (kind === "unix") return { transport: kind, hostname: "", port: 0 };
  if (remoteAddress === undefined) return undefined;
  return { transport: kind, hostname: remoteAddress, port: remotePort };
}

/** What `server.listen` takes: a socket that is bound already, where Node has that. */
function bind({ hostname, port, path, reusePort }: ResolvedListenerOptions): object {
  const where: BindOptions = path === undefined ? { host: hostname, port, reusePort } : { path };
  const { BoundSocket, isIP } = requireBuiltin<NetModule>("node:net", "listen");
  const isNumeric = path !== undefined || isIP(hostname) !== 0;
  // In a worker of a cluster, `listen` shares the primary's socket; a bound one would be its own.
  const isShared = requireBuiltin<ClusterModule>("node:cluster", "listen").isWorker;
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
    const report = (error: Error): void => reportError(onError, error);
    server.on("listening", () => server.on("error", report));
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
