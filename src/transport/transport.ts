/**
 * The interface between the library and a runtime: a TCP, TLS or unix-socket connection and its
 * events. Adapters know nothing about WebSocket.
 *
 * @module
 */
import type { Credentials, HostCredentials, PeerCertificate, ProxiedTls } from "./tls_types.ts";

export type { Credentials, HostCredentials, PeerCertificate, ProxiedTls } from "./tls_types.ts";

/**
 * The address of one end of a connection.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import { Application } from "@waterspout/websocket";
 *
 * await using server = new Application([]).listen({
 *   port: 0,
 *   hostname: "127.0.0.1",
 * });
 * await server.listening;
 * const { transport, hostname, port } = server.addr;
 * assert(transport === "tcp" && hostname === "127.0.0.1" && port > 0);
 * ```
 */
export interface Address {
  /** `"tcp"`, or `"unix"` for a unix socket. */
  readonly transport: "tcp" | "unix";
  /** The IP address, or the path of the unix socket (empty if it has none). */
  readonly hostname: string;
  /** The TCP port; 0 for a unix socket. */
  readonly port: number;
}

/**
 * The events of a {@linkcode Transport}. No event follows `closed`, and none is called from inside
 * a method of the transport.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import type { Transport, TransportEvents } from "@waterspout/websocket";
 *
 * // Sends back every byte.
 * function echo(transport: Transport): TransportEvents {
 *   return {
 *     data: (chunk) => transport.write(chunk, false),
 *     drain() {},
 *     end: () => transport.end(),
 *     closed() {},
 *   };
 * }
 * assert(echo.length === 1);
 * ```
 */
export interface TransportEvents {
  /**
   * Bytes have arrived. The receiver may read and change them during the call, but not keep them.
   */
  data(chunk: Uint8Array): void;
  /**
   * The system has accepted all output, after a `write` had left some in `bufferedAmount`. Not
   * called after `end()`. Deno has no synchronous write, so there it follows every series of
   * writes.
   */
  drain(): void;
  /** The peer has sent FIN. The peer still receives data. */
  end(): void;
  /** The connection is closed in both directions. Called exactly once. */
  closed(error?: Error): void;
}

/**
 * A connection of a runtime. The adapters of this package make transports for sockets of Deno, Bun and
 * Node. For other connections, implement it yourself.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import { Application, type Transport } from "@waterspout/websocket";
 *
 * const app = new Application([]);
 * function serve(transport: Transport): void {
 *   console.log(`${transport.remoteAddress.hostname} over ${transport.secure ? "TLS" : "TCP"}`);
 *   app.accept(transport);
 * }
 * assert(serve.length === 1);
 * ```
 */
export interface Transport {
  /**
   * The receiver of events. Reading begins when it is first set; an acceptor must set it at once.
   */
  events: TransportEvents;
  /** Bytes that were written and not yet accepted by the system. Reading it costs O(1). */
  readonly bufferedAmount: number;
  /**
   * The peer's address. On Bun and Node, known after `closed` only if it was read before that. The
   * adapters of this package read it at once; Bun's does not read the port, which is 0 then.
   */
  readonly remoteAddress: Address;
  /** The local address. */
  readonly localAddress: Address;
  /** Whether the connection is TLS. */
  readonly secure: boolean;
  /**
   * Sends all bytes, in order. Queues those that the system does not accept at once. Never throws.
   * Does nothing after `end`, `destroy` or `closed`.
   *
   * @param bytes The bytes.
   * @param stable Whether the bytes never change, so that the transport may keep a reference. If
   * not, they are valid only during the call, and the transport must copy what it keeps.
   */
  write(bytes: Uint8Array, stable: boolean): void;
  /** Stops the events `data` and `end` until `resume`. */
  pause(): void;
  /** Starts the events again. */
  resume(): void;
  /** Sends FIN after the queued bytes. `closed` follows when the peer has sent FIN or a reset. */
  end(): void;
  /** Closes the connection at once and drops queued bytes. `closed` follows. */
  destroy(): void;
  /** Sets TCP_NODELAY. Does nothing on a unix socket. */
  setNoDelay(on: boolean): void;
  /**
   * Sets SO_KEEPALIVE. Does nothing on a unix socket.
   *
   * @param delay The idle time before the first probe, in milliseconds. Deno cannot set it: there
   * the system's default counts (Linux: two hours).
   */
  setKeepAlive(on: boolean, delay?: number): void;
}

/** Work that can wait until after an event of a transport. */
export interface Deferred {
  /** Does the work. Must not throw. */
  start(): void;
}

/** Optional methods of the adapters in this package. Other transports need not have them. */
export interface InternalTransport extends Transport {
  /**
   * Whether the receiver may keep chunks after `data` returns, because the transport does not reuse
   * them. Default: `false`.
   */
  readonly transfersChunks?: boolean;
  /**
   * Tells the peer, after {@linkcode Transport.end}, not to send the rest of its request (RFC 9113
   * §8.1). Default: does nothing.
   */
  releasePeer?(): void;
  /** The client's verified certificate. Default: none. */
  readonly peerCertificate?: PeerCertificate | undefined;
  /** See {@linkcode ProxiedTls}. Default: the connection was not forwarded. */
  readonly proxiedTls?: ProxiedTls;
  /**
   * Sends the first `length` bytes, like {@linkcode Transport.write} with `stable` false. This saves a
   * view of the bytes, which costs as much as a short copy. If you override `write`, override
   * `writeStart` too.
   */
  writeStart?(bytes: Uint8Array, length: number): void;
  /**
   * Frees the memory of a chunk at once. Called if the receiver does not keep the chunk.
   */
  release?(chunk: Uint8Array): void;
  /**
   * Starts work after the input of all sockets was read. Under load, this is faster than starting at
   * once. Default: starts the work at once.
   */
  defer?(work: Deferred): void;
}

/**
 * Called for each accepted connection. Must set `transport.events` before it returns, as
 * `Application.accept` does.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import { Application } from "@waterspout/websocket";
 * import type { Acceptor } from "@waterspout/websocket/deno";
 *
 * const app = new Application([]);
 * const accept: Acceptor = (transport) => app.accept(transport);
 * assert(accept.length === 1);
 * ```
 */
export type Acceptor = (transport: Transport) => void;

/**
 * A pending TLS handshake. The adapter calls one of the two methods. Later calls, and calls after
 * the connection was destroyed, are ignored.
 */
export interface TlsHandshake {
  /** The handshake succeeded. */
  accepted(transport: Transport): void;
  /**
   * The handshake succeeded, and the connection goes on as a session of HTTP/2.
   *
   * @returns False if it is too late. Then the adapter closes the connection.
   */
  handedOver(): boolean;
  /** The handshake failed, or the connection was closed. */
  failed(error: unknown): void;
}

/** Limits how many TLS handshakes there may be at a time, and how long each may take. */
export interface TlsGate {
  /**
   * Asks whether a TCP connection may begin its TLS handshake.
   *
   * @param peer The peer's address.
   * @param destroy Closes the connection at once.
   * @returns The handshake to report to; `undefined` if the adapter must close the connection at
   * once.
   */
  begin(peer: Address, destroy: () => void): TlsHandshake | undefined;
}

/**
 * Where and how to listen. The names are those of `Deno.serve`.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import { Application, type ListenerOptions } from "@waterspout/websocket";
 *
 * const options: ListenerOptions = { hostname: "127.0.0.1", port: 0 };
 * await using server = new Application([]).listen(options);
 * assert(server.addr.hostname === "127.0.0.1");
 * ```
 */
export interface ListenerOptions {
  /** The TCP port. 0 lets the system choose. Default: 0. */
  readonly port?: number;
  /** The address to bind. Default: `"0.0.0.0"`, all IPv4 addresses. */
  readonly hostname?: string;
  /** A unix socket's path, instead of a port. */
  readonly path?: string;
  /**
   * The descriptor of a socket that is already listening, instead of a port. systemd passes 3 for its
   * first socket. With this option, Deno and Bun use `node:net`.
   */
  readonly fd?: number;
  /** Lets several processes share the port (SO_REUSEPORT). */
  readonly reusePort?: boolean;
  /**
   * The certificate chain in PEM. With `cert` and `key`, the listener speaks TLS. If either is
   * given, even as `undefined`, both must be valid: an unset variable must not lead to plain TCP.
   */
  readonly cert?: string;
  /** The private key in PEM. */
  readonly key?: string;
  /**
   * Offers HTTP/2 in addition to HTTP/1.1 (by ALPN). Needs `cert` and `key`. With this option, Deno
   * and Bun use `node:tls`. Default: false.
   */
  readonly http2?: boolean;
  /**
   * Certificates for host names that clients send in the TLS handshake (SNI). Other clients get `cert`.
   * On Deno and Bun, this option and the next three use `node:tls`, which is slower.
   */
  readonly certificates?: readonly HostCredentials[];
  /** The authorities that sign client certificates, in PEM. Each client is asked for one. */
  readonly ca?: string;
  /**
   * Whether a client without a certificate is accepted. A certificate that is not valid is always
   * refused. Needs `ca`. Default: `"required"`.
   */
  readonly clientCertificate?: "required" | "optional";
  /**
   * Whether `setCertificate` can replace the certificate. Deno and Bun need this option; Node does not.
   * Default: `false`.
   */
  readonly renewable?: boolean;
  /** Called if a connection cannot be accepted (EMFILE, a TLS handshake). The listener goes on. */
  readonly onError?: (error: Error) => void;
}

/**
 * A listening socket of a runtime.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import { Application } from "@waterspout/websocket";
 * import { listen, type Listener } from "@waterspout/websocket/deno";
 *
 * const app = new Application([]);
 * const options = { hostname: "127.0.0.1", port: 0 };
 * const listener: Listener = listen(options, (transport) => app.accept(transport));
 * await listener.listening;
 * assert(listener.address.port > 0);
 * listener.close();
 * ```
 */
export interface Listener {
  /** The bound address. On Node, a host name is resolved only when `listening` has settled. */
  readonly address: Address;
  /** Resolves when the socket listens. Rejects with the runtime's error if it cannot. */
  readonly listening: Promise<void>;
  /** Stops accepting. Open connections go on. Idempotent. */
  close(): void;
  /** Lets the process exit although the listener is open. */
  unref(): void;
  /**
   * Replaces the certificate of a host name, or the default certificate, for new connections. Does not
   * affect open connections.
   *
   * @throws {TypeError} If the certificate or the key is wrong, the listener has no TLS, or the runtime
   * cannot replace the certificate. The old certificate then stays in use.
   */
  setCertificate(certificate: Credentials | HostCredentials): void;
}

/**
 * The TLS options of a client.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import { type TlsOptions, websocketConnect } from "@waterspout/websocket/client";
 *
 * const tls: TlsOptions = { insecure: true };
 * const error = await websocketConnect("wss://127.0.0.1:1/", { tls }).catch((error) => error);
 * assert(error.name === "HandshakeError");
 * ```
 */
export interface TlsOptions {
  /**
   * The certificates to trust, in PEM. On Deno they are added to the runtime's own, on Bun and Node
   * they replace them.
   */
  readonly ca?: string;
  /** Whether to accept any certificate, for test servers. Default: `false`. */
  readonly insecure?: boolean;
  /** The name that the server's certificate must have. Default: the host. */
  readonly serverName?: string;
  /** The client's certificate chain in PEM, for a server that asks for one. Needs `key`. */
  readonly cert?: string;
  /** The private key of `cert` in PEM. */
  readonly key?: string;
}

/** Where and how to connect. */
export interface ConnectorOptions {
  /** The name or IP address to connect to; an IPv6 address without brackets. */
  readonly hostname: string;
  /** The TCP port. */
  readonly port: number;
  /** The path of a unix socket, instead of host and port. */
  readonly path?: string | undefined;
  /** Options for TLS; `undefined` for plain TCP. */
  readonly tls?: TlsOptions | undefined;
  /** Cancels the attempt. Has no effect on an established connection. */
  readonly signal?: AbortSignal | undefined;
  /** The proxy to connect through; `undefined` for none. */
  readonly tunnel?: Tunnel | undefined;
}

/** A proxy, and the handshake that opens a tunnel through it. */
export interface Tunnel {
  /** The name or IP address of the proxy; an IPv6 address without brackets. */
  readonly hostname: string;
  /** The TCP port of the proxy. */
  readonly port: number;
  /** Options for TLS to the proxy; `undefined` for plain TCP. */
  readonly tls?: TlsOptions | undefined;
  /** The handshake with the proxy. */
  readonly handshake: TunnelHandshake;
}

/** The handshake with a proxy that opens a tunnel. No I/O. */
export interface TunnelHandshake {
  /** The first bytes to send. */
  readonly request: Uint8Array;
  /** How many bytes of the last chunk belong to the handshake. The others come from the host. */
  readonly consumed: number;
  /**
   * Reads the next bytes of the proxy.
   *
   * @returns Bytes to send; `"open"` when the tunnel is open; `undefined` while more bytes are needed.
   * @throws {Error} If the proxy opens no tunnel.
   */
  read(chunk: Uint8Array): Uint8Array | "open" | undefined;
}
