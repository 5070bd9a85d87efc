/**
 * Listeners of Node.
 *
 * @module
 */
import { requireBuiltin } from "./builtin_module.ts";
import type { Certificates } from "./certificates.ts";
import { reportError } from "./report_error.ts";
import { acceptSessions } from "./http2_listen.ts";
import {
  notSecure,
  type ResolvedListenerOptions,
  resolveListenerOptions,
} from "./listener_options.ts";
import {
  type AddressKind,
  type NetServerModule,
  type NodeServer,
  readPeer,
  SERVER_OPTIONS,
} from "./node_server.ts";
import { NodeTransport } from "./node_socket.ts";
import { createTlsServer } from "./node_tls.ts";
import { acceptProxied } from "./proxied_transport.ts";
import { openGate } from "./tls_gate.ts";
import type { ListenerHooks } from "./preface.ts";
import type {
  Acceptor,
  Address,
  Credentials,
  HostCredentials,
  Listener,
  ListenerOptions,
} from "./transport.ts";

interface BindOptions {
  readonly host?: string;
  readonly port?: number;
  readonly reusePort?: boolean;
  readonly path?: string;
}

/** The part of `node:net` that binds. */
interface NetModule {
  isIP(host: string): number;
  /** Since Node 24. */
  readonly BoundSocket?: new (options: BindOptions) => object;
}

/** The part of `node:cluster` that is used. */
interface ClusterModule {
  readonly isWorker: boolean;
}

/**
 * Listens with `net.createServer` or `tls.createServer`.
 *
 * @throws See `listen` in `node.ts`.
 */
export function listen(
  options: ListenerOptions,
  accept: Acceptor,
  { gate = openGate(accept, options.onError), preface, http2 }: ListenerHooks = {},
): Listener {
  const resolved = resolveListenerOptions(options);
  const { tls, path, fd } = resolved;
  if (options.http2 && preface !== undefined) {
    // A session would have the proxy's address, which is trusted.
    throw new TypeError("Cannot listen: http2 and the setting proxyProtocol exclude each other");
  }
  if (options.http2 && http2 === undefined) {
    throw new TypeError("Cannot listen with node: it has no option http2; use Application.listen");
  }
  const kind = path !== undefined ? "unix" : fd === undefined ? "tcp" : undefined;
  if (tls === undefined) {
    const server = createServer(preface === undefined ? accept : acceptProxied(preface), kind);
    return new NodeListener({ server }, resolved, options);
  }
  const sessions = http2 === undefined ? undefined : acceptSessions(http2);
  const secure = createTlsServer(tls, { gate, preface, kind, sessions });
  return new NodeListener(secure, resolved, options);
}

function createServer(accept: Acceptor, kind: AddressKind): NodeServer {
  const { createServer } = requireBuiltin<NetServerModule>("node:net", "listen");
  return createServer(SERVER_OPTIONS, (socket) => {
    const peer = readPeer(socket, kind);
    if (peer === undefined) socket.destroy();
    else accept(new NodeTransport(socket, peer.transport, peer));
  });
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
  readonly #certificates: Certificates | undefined;
  #address: Address;

  constructor(
    { server, certificates }: {
      readonly server: NodeServer;
      readonly certificates?: Certificates;
    },
    resolved: ResolvedListenerOptions,
    { onError }: Pick<ListenerOptions, "onError">,
  ) {
    const { hostname, port, path = "", fd } = resolved;
    this.#server = server;
    this.#certificates = certificates;
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

  setCertificate(certificate: Credentials | HostCredentials): void {
    if (this.#certificates === undefined) throw notSecure();
    this.#certificates.set(certificate);
  }
}
