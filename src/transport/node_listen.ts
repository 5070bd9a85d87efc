/**
 * Listeners of Node.
 *
 * @module
 */
import { requireBuiltin } from "./builtin_module.ts";
import { reportError } from "./report_error.ts";
import { acceptSessions, type Http2Acceptor } from "./http2_listen.ts";
import {
  type Credentials,
  refusedCredentials,
  type ResolvedListenerOptions,
  resolveListenerOptions,
} from "./listener_options.ts";
import { chunkReader, kindOf, NodeTransport } from "./node_socket.ts";
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
  readonly address?: string;
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
  /** Since Node 24. */
  readonly BoundSocket?: new (options: BindOptions) => object;
}

/** The part of `node:tls` that is used. */
interface TlsModule {
  createServer(
    options: ServerOptions & {
      cert: string;
      key: string;
      handshakeTimeout: number;
      ALPNProtocols?: string[];
    },
    listener: (socket: NodeSocket) => void,
  ): NodeServer;
}

/** The part of `node:cluster` that is used. */
interface ClusterModule {
  readonly isWorker: boolean;
}

/** Node's limit for TLS handshakes, in milliseconds: the longest, since the gate has its own. */
const NO_TIMEOUT = 2 ** 31 - 1;

/** What the server that listens adds. */
export interface NodeListenInner {
  /** Limits TLS handshakes. Default: each may take 10 s. */
  readonly gate?: TlsGate;
  /** Serves sessions of HTTP/2. */
  readonly http2?: Http2Acceptor | undefined;
}

/** How a TLS listener accepts connections. */
interface TlsAcceptance {
  readonly gate: TlsGate;
  readonly kind: AddressKind;
  /** Starts a session of HTTP/2. */
  readonly sessions: ((socket: NodeSocket) => void) | undefined;
}

/**
 * Listens with `net.createServer` or `tls.createServer`.
 *
 * @param gate Limits TLS handshakes.
 * @throws See `listen` in `node.ts`.
 */
export function listen(
  options: ListenerOptions,
  accept: Acceptor,
  { gate = openGate(accept, options.onError), http2 }: NodeListenInner = {},
): Listener {
  const resolved = resolveListenerOptions(options);
  const { tls, path, fd } = resolved;
  const kind = path !== undefined ? "unix" : fd === undefined ? "tcp" : undefined;
  const sessions = options.http2 && http2 !== undefined ? acceptSessions(http2) : undefined;
  const server = tls === undefined
    ? createServer(accept, kind)
    : createTlsServer(tls, { gate, kind, sessions });
  return new NodeListener(server, resolved, options);
}

/** The kind of a listener's sockets; `undefined` for a descriptor of either kind. */
type AddressKind = Address["transport"] | undefined;

const FLAGS: ServerOptions = { allowHalfOpen: true, noDelay: true };

function createServer(accept: Acceptor, kind: AddressKind): NodeServer {
  const reader = chunkReader();
  return requireBuiltin<NetModule>("node:net", "listen").createServer(FLAGS, (socket) => {
    if (peerOf(socket, kind) === undefined) socket.destroy();
    else accept(new NodeTransport(socket, reader, kind));
  });
}

function createTlsServer(tls: Credentials, { gate, kind, sessions }: TlsAcceptance): NodeServer {
  const { createServer } = requireBuiltin<TlsModule>("node:tls", "listen");
  // With `allowHalfOpen`, a FIN during the handshake would not be reported.
  const options = {
    ...FLAGS,
    ...tls,
    allowHalfOpen: false,
    handshakeTimeout: NO_TIMEOUT,
    ...(sessions === undefined ? {} : { ALPNProtocols: ["h2", "http/1.1"] }),
  };
  /** Handshakes by the TCP socket below TLS. */
  const handshakes = new WeakMap<object, TlsHandshake>();
  const onSecure = (socket: NodeSocket): void => {
    const handshake = handshakes.get(socket._parent ?? socket);
    if (sessions !== undefined && socket.alpnProtocol === "h2") {
      if (handshake?.handedOver()) sessions(socket);
      else socket.destroy();
      return;
    }
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
 * Returns the peer's address, and makes the socket remember it. `undefined` if the peer has already
 * reset the connection.
 */
function peerOf(socket: NodeSocket, given: AddressKind): Address | undefined {
  const { remoteAddress, remotePort = 0 } = socket;
  const kind = given ?? kindOf(socket);
  if (kind === "unix") return { transport: kind, hostname: "", port: 0 };
  if (remoteAddress === undefined) return undefined;
  return { transport: kind, hostname: remoteAddress, port: remotePort };
}

/**
 * Returns the argument of `server.listen`: a bound socket if possible, so that errors are thrown.
 */
function bind({ hostname, port, path, fd, reusePort }: ResolvedListenerOptions): object {
  if (fd !== undefined) return { fd };
  const where: BindOptions = path === undefined ? { host: hostname, port, reusePort } : { path };
  const { BoundSocket, isIP } = requireBuiltin<NetModule>("node:net", "listen");
  const isNumeric = path !== undefined || isIP(hostname) !== 0;
  // In a cluster worker, `listen` shares the socket of the primary process.
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
    const { hostname, port, path = "", fd } = resolved;
    this.#server = server;
    // What `server.address()` does not tell is the address of a unix socket.
    this.#address = path === "" && fd === undefined
      ? { transport: "tcp", hostname, port }
      : { transport: "unix", hostname: path, port: 0 };
    this.listening = new Promise((resolve, reject) => {
      server.on("listening", () => resolve());
      server.on("error", reject);
    });
    // The caller may ignore `listening`.
    this.listening.catch(() => {});
    const report = (error: Error): void => reportError(onError, error);
    server.on("listening", () => server.on("error", report));
    server.listen(bind(resolved));
  }

  get address(): Address {
    const bound = this.#server.address();
    // On Bun, an empty object for a unix socket.
    if (bound !== null && typeof bound === "object" && bound.address !== undefined) {
      this.#address = { transport: "tcp", hostname: bound.address, port: bound.port };
    }
    return this.#address;
  }

  close(): void {
    this.address; // Stores the address: a closed server forgets it.
    this.#server.close();
  }

  unref(): void {
    this.#server.unref();
  }
}
