/**
 * Client sockets of Node.
 *
 * @module
 */
import { requireBuiltin } from "./builtin_module.ts";
import { toError } from "../guard.ts";
import { NodeTransport } from "./node_socket.ts";
import type { NodeSocket } from "./node_types.ts";
import type { ConnectorOptions, TlsOptions, Transport } from "./transport.ts";

interface TcpOptions {
  readonly host?: string;
  readonly port?: number;
  readonly path?: string;
  readonly allowHalfOpen: boolean;
  readonly noDelay: boolean;
}

interface SecureOptions extends TcpOptions {
  readonly socket?: NodeSocket;
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  readonly servername?: string | undefined;
  readonly rejectUnauthorized: boolean;
}

/** The part of `node:net` or `node:tls` that is used. */
interface ConnectModule<Options> {
  connect(options: Options): NodeSocket;
}

/** The target, and an optional connected socket to start TLS on. */
export interface SocketOptions extends Omit<ConnectorOptions, "tunnel"> {
  /** The connected socket below TLS: TCP, or TLS to a proxy. */
  readonly below?: NodeSocket | undefined;
}

/**
 * Connects with `net.connect` or `tls.connect`.
 *
 * @param options Where and how to connect.
 * @returns The connection. Rejects with Node's error, or with the signal's reason.
 * @throws {TypeError} If the runtime is not Node.
 */
export async function connect(options: ConnectorOptions): Promise<Transport> {
  const socket = await openSocket(options);
  return new NodeTransport(socket, options.path === undefined ? "tcp" : "unix");
}

/** Makes a connected socket; with TLS, after the handshake. Rejects as {@linkcode connect} does. */
export function openSocket(options: SocketOptions): Promise<NodeSocket> {
  const { tls, signal } = options;
  const socket = startSocket(options);
  return new Promise((resolve, reject) => {
    let connected = false;
    const giveUp = (): void => {
      reject(toError(signal?.reason));
      socket.destroy();
    };
    signal?.addEventListener("abort", giveUp, { once: true });
    socket.on("error", (error) => connected || reject(toError(error)));
    socket.on("close", () => {
      if (!connected) reject(new Error("the server closed the connection"));
      signal?.removeEventListener("abort", giveUp);
    });
    socket.on(tls === undefined ? "connect" : "secureConnect", () => {
      connected = true;
      signal?.removeEventListener("abort", giveUp);
      resolve(socket);
    });
  });
}

function startSocket({ hostname, port, path, tls, below }: SocketOptions): NodeSocket {
  const where = path === undefined ? { host: hostname, port } : { path };
  const tcp: TcpOptions = { ...where, allowHalfOpen: true, noDelay: true };
  return tls === undefined
    ? requireBuiltin<ConnectModule<TcpOptions>>("node:net", "connect").connect(tcp)
    : requireBuiltin<ConnectModule<SecureOptions>>("node:tls", "connect").connect({
      ...tcp,
      ...secureOptions(tls, path === undefined ? hostname : undefined),
      ...(below === undefined ? {} : { socket: below }),
    });
}

/** An IP address, which TLS does not accept as a server name (RFC 6066 §3). */
const IS_ADDRESS = /^[\d.]+$|:/;

/** @param hostname The host, which `tls.connect` checks, but does not send to the server (SNI). */
function secureOptions(
  tls: TlsOptions,
  hostname: string | undefined,
): Omit<SecureOptions, keyof TcpOptions> {
  const { ca, cert, key, insecure = false } = tls;
  const serverName = tls.serverName ??
    (hostname === undefined || IS_ADDRESS.test(hostname) ? undefined : hostname);
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert, key }),
    ...(serverName === undefined ? {} : { servername: serverName }),
    rejectUnauthorized: !insecure,
  };
}
