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

/**
 * Connects with `net.connect` or `tls.connect`.
 *
 * @param options Where and how to connect.
 * @returns The connection. Rejects with Node's error, or with the signal's reason.
 * @throws {TypeError} If the runtime is not Node.
 */
export function connect(options: ConnectorOptions): Promise<Transport> {
  const { hostname, port, path, tls, signal } = options;
  const where = path === undefined ? { host: hostname, port } : { path };
  const tcp: TcpOptions = { ...where, allowHalfOpen: true, noDelay: true };
  const socket = tls === undefined
    ? requireBuiltin<ConnectModule<TcpOptions>>("node:net", "connect").connect(tcp)
    : requireBuiltin<ConnectModule<SecureOptions>>("node:tls", "connect").connect({
      ...tcp,
      ...secureOptions(tls),
    });
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
      resolve(new NodeTransport(socket, undefined, path === undefined ? "tcp" : "unix"));
    });
  });
}

function secureOptions(tls: TlsOptions): Omit<SecureOptions, keyof TcpOptions> {
  const { ca, cert, key, serverName, insecure = false } = tls;
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert, key }),
    ...(serverName === undefined ? {} : { servername: serverName }),
    rejectUnauthorized: !insecure,
  };
}
