/**
 * The seam between the core and a runtime: one TCP, TLS or unix-socket connection, and what it
 * reports. Adapters translate; every decision about WebSocket is on the other side.
 *
 * @module
 */

/**
 * Where one end of a connection is.
 *
 * @example
 * ```ts
 * import { Application } from "@waterspout/websocket";
 *
 * await using server = new Application([]).listen({
 *   port: 0,
 *   hostname: "127.0.0.1",
 * });
 * await server.listening;
 * const { transport, hostname, port } = server.addr;
 * console.assert(transport === "tcp" && hostname === "127.0.0.1" && port > 0);
 * ```
 */
export interface Address {
  /** `"tcp"`, or `"unix"` for a unix socket. */
  readonly transport: "tcp" | "unix";
  /** The IP address, or the path of the unix socket (empty where it has none). */
  readonly hostname: string;
  /** The TCP port; 0 for a unix socket. */
  readonly port: number;
}

/**
 * What a {@linkcode Transport} reports. Nothing is called after `closed`, nor from inside a call of
 * one of the transport's own methods.
 */
export interface TransportEvents {
  /**
   * Bytes have arrived. They are only read during the call, and may be changed in place by it.
   */
  data(chunk: Uint8Array): void;
  /**
   * All output has been taken by the system, after a `write` had left some in `bufferedAmount`; not
   * after `end()`. On Deno, which has no synchronous write, that is after every run of writes.
   */
  drain(): void;
  /** The peer will send nothing more (it sent FIN); what is written still reaches it. */
  end(): void;
  /** The connection is gone, for both directions; exactly once. */
  closed(error?: Error): void;
}

/** One connection of a runtime, as the core sees it. */
export interface Transport {
  /** Who hears of what happens. Reading begins when it is first set: an acceptor does so at once. */
  events: TransportEvents;
  /** Bytes written and not yet taken by the system. Its cost does not depend on how many wait. */
  readonly bufferedAmount: number;
  /** The peer's address. On Bun and Node, known after `closed` only if it was read before. */
  readonly remoteAddress: Address;
  /** This end's address. */
  readonly localAddress: Address;
  /** Whether the connection is TLS. */
  readonly secure: boolean;
  /**
   * Sends bytes, all of them and in order, queueing what the system does not take at once. Never
   * throws; after `end`, `destroy` or `closed` it does nothing.
   *
   * @param bytes What to send.
   * @param stable Whether the bytes will never change, so that the transport may keep a reference.
   * If not, they are only valid during the call, and the transport copies what it must keep.
   */
  write(bytes: Uint8Array, stable: boolean): void;
  /** Stops the delivery of data and of the peer's end: none until `resume`. */
  pause(): void;
  /** Takes the delivery of data up again. */
  resume(): void;
  /** Sends FIN after all that is queued; `closed` follows once the peer ends too or is reset. */
  end(): void;
  /** Ends the connection at once, dropping what is queued; `closed` follows. */
  destroy(): void;
  /** Sets TCP_NODELAY; nothing on a unix socket. */
  setNoDelay(on: boolean): void;
  /**
   * Sets SO_KEEPALIVE; nothing on a unix socket.
   *
   * @param delay The silence before the first probe, in milliseconds, where the runtime has a say;
   * Deno has none, so that there the system's own counts (Linux: two hours).
   */
  setKeepAlive(on: boolean, delay?: number): void;
}

/** What the adapters of this package can do beside. A transport of somebody else's need not. */
export interface InternalTransport extends Transport {
  /**
   * Whether a chunk may be kept after `data` returns: the transport will not use it again. Default:
   * false.
   */
  readonly transfersChunks?: boolean;
  /**
   * Sends the first `length` bytes as {@linkcode Transport.write} sends those that are not stable,
   * without a view of them, which costs as much as a short copy. If you override `write`, override
   * `writeStart` too.
   */
  writeStart?(bytes: Uint8Array, length: number): void;
  /**
   * Takes a chunk back of which nothing is kept, and frees at once what the collector would find
   * later.
   */
  release?(chunk: Uint8Array): void;
}

/** Called for each accepted connection; sets `transport.events` before it returns. */
export type Acceptor = (transport: Transport) => void;

/**
 * A TLS handshake that an adapter reports on, in one of two ways. What comes later, or after the
 * connection was destroyed, is ignored.
 */
export interface TlsHandshake {
  /** It is over, and the connection can be served. */
  accepted(transport: Transport): void;
  /** It has failed, or the connection is gone. */
  failed(error: unknown): void;
}

/** Who decides on TLS handshakes: how many there may be at a time, and how long each may take. */
export interface TlsGate {
  /**
   * Asks whether a TCP connection may begin its TLS handshake.
   *
   * @param peer The address of the other end.
   * @param destroy Ends the connection at once.
   * @returns The handshake to report on; `undefined` if the connection is to be ended at once.
   */
  begin(peer: Address, destroy: () => void): TlsHandshake | undefined;
}

/** Where and how to listen, as `Deno.serve` takes it. */
export interface ListenerOptions {
  /** The TCP port; 0 lets the system choose. Default: 0. */
  readonly port?: number;
  /** The address to bind. Default: `"0.0.0.0"`, all of this machine. */
  readonly hostname?: string;
  /** A unix socket's path, instead of a port. */
  readonly path?: string;
  /** Lets several processes share the port (SO_REUSEPORT). */
  readonly reusePort?: boolean;
  /**
   * The certificate chain in PEM; with `key`, the listener speaks TLS. Once `cert` or `key` is there,
   * even as `undefined`, both must be: there is no way back to plain TCP.
   */
  readonly cert?: string;
  /** The private key in PEM. */
  readonly key?: string;
  /** Told of a failure to accept one connection (EMFILE, a TLS handshake); the listener goes on. */
  readonly onError?: (error: Error) => void;
}

/** A listening socket of a runtime. */
export interface Listener {
  /** The bound address. On Node, known at once for an IP address and after `listening` for a name. */
  readonly address: Address;
  /** Settles when the socket listens, or rejects with why it can't. */
  readonly listening: Promise<void>;
  /** Stops accepting; connections go on. Idempotent. */
  close(): void;
  /** Lets the process exit although the listener is open, or holds it again. */
  unref(): void;
}

/** How to speak TLS to a server. */
export interface TlsOptions {
  /**
   * The certificates to trust, in PEM: beside the runtime's own on Deno, instead of them on Bun and
   * Node.
   */
  readonly ca?: string;
  /** Whether to accept any certificate, as for a test server; false unless told. */
  readonly insecure?: boolean;
  /** The name that the server's certificate must have; that of the host unless told. */
  readonly serverName?: string;
  /** This end's certificate chain in PEM, for a server that asks for one; with `key`. */
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
  /** A unix socket's path, instead of a host and a port. */
  readonly path?: string | undefined;
  /** With it, the connection is TLS. */
  readonly tls?: TlsOptions | undefined;
  /** Gives the attempt up when it aborts; a connection that is made is not touched. */
  readonly signal?: AbortSignal | undefined;
}
