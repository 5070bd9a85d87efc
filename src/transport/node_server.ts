/**
 * The part of `node:net` and `node:tls` that listeners use. Deno and Bun have it, too.
 *
 * @module
 */
import { kindOf } from "./node_socket.ts";
import type { NodeSocket } from "./node_types.ts";
import type { Address } from "./transport.ts";

/** The kind of a listener's sockets; `undefined` for a descriptor of either kind. */
export type AddressKind = Address["transport"] | undefined;

/** The address of a listening socket. */
export interface SocketAddress {
  readonly address?: string;
  readonly port: number;
}

/** The part of `net.Server` and `tls.Server` that is used. */
export interface NodeServer {
  on(event: "connection", listener: (socket: NodeSocket) => void): unknown;
  on(event: "tlsClientError", listener: (error: Error, socket: NodeSocket) => void): unknown;
  on(event: "listening" | "error", listener: (error: Error) => void): unknown;
  listen(where: object): unknown;
  address(): SocketAddress | string | null;
  close(): unknown;
  unref(): unknown;
}

/** The options of `createServer` of `node:net`. */
export interface ServerOptions {
  readonly allowHalfOpen: boolean;
  readonly noDelay: boolean;
}

/** The options of our servers. */
export const SERVER_OPTIONS: ServerOptions = { allowHalfOpen: true, noDelay: true };

/** The part of `node:net` that makes servers. */
export interface NetServerModule {
  createServer(options: ServerOptions, listener: (socket: NodeSocket) => void): NodeServer;
}

/**
 * Returns the peer's address, and makes the socket remember it. `undefined` if the peer has already
 * reset the connection.
 */
export function peerOf(socket: NodeSocket, given: AddressKind): Address | undefined {
  const { remoteAddress, remotePort = 0 } = socket;
  const kind = given ?? kindOf(socket);
  if (kind === "unix") return { transport: kind, hostname: "", port: 0 };
  if (remoteAddress === undefined) return undefined;
  return { transport: kind, hostname: remoteAddress, port: remotePort };
}

/**
 * Returns the peer's address like {@linkcode peerOf}, but the socket does not remember it. Node's own
 * getters take 3 µs more: they add an object to the socket.
 */
export function readPeer(socket: NodeSocket, given: AddressKind): Address | undefined {
  const { _handle: handle } = socket;
  if (given !== "tcp" || !handle?.getpeername) return peerOf(socket, given);
  const found = { address: "", family: "", port: 0 };
  if (handle.getpeername(found) !== 0) return undefined;
  return { transport: given, hostname: found.address, port: found.port };
}
