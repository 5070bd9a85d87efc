/**
 * The part of Node's sockets that is used.
 *
 * @module
 */

/** Called when the system has taken a write, or never will. */
export type WriteCallback = (error?: Error | null) => void;

/** The part of libuv's handle that is used. */
export interface NodeHandle {
  /** The bytes that the system has not taken of the writes that it was given. */
  readonly writeQueueSize?: number;
  /** The bytes that were read. */
  readonly bytesRead?: number;
  /** The handle below TLS. */
  readonly _parent?: NodeHandle | null;
  /** Reads into a buffer of the caller's. */
  useUserBuffer?(buffer: Uint8Array): void;
  /** Reads, until {@linkcode NodeHandle.readStop}. */
  readStart?(): unknown;
  /** Reads no more. */
  readStop?(): unknown;
}

/** The part of `net.Socket` and `tls.TLSSocket` that is used. */
export interface NodeSocket {
  /** Whether the socket stays writable after the peer's FIN. */
  allowHalfOpen: boolean;
  /** Whether this is a `tls.TLSSocket`. */
  readonly encrypted?: boolean;
  /** The bytes of the writes that the system has not taken in full. */
  readonly writableLength: number;
  /** Node's own handle, which is not documented: it may lack. */
  readonly _handle?: NodeHandle | null;
  /** The socket below TLS, which is not documented either. */
  readonly _parent?: Pick<NodeSocket, "remoteAddress" | "remotePort"> | null;
  /** The peer's IP address; `undefined` on a unix socket and once closed. */
  readonly remoteAddress?: string | undefined;
  /** The peer's port. */
  readonly remotePort?: number | undefined;
  /** This end's IP address; `undefined` on a unix socket. */
  readonly localAddress?: string | undefined;
  /** This end's port. */
  readonly localPort?: number | undefined;
  /** Whether it is closed. */
  readonly destroyed?: boolean;
  /** Adds a listener. */
  on(event: string, listener: (argument: unknown) => void): unknown;
  /** Writes bytes, keeping a reference to what the system does not take at once. */
  write(bytes: Uint8Array, callback?: WriteCallback): boolean;
  /** Sends FIN after all that is written. */
  end(): unknown;
  /** Closes the socket at once. */
  destroy(): unknown;
  /** Stops reading. */
  pause(): unknown;
  /** Reads on. */
  resume(): unknown;
  /** Sets TCP_NODELAY. */
  setNoDelay(on?: boolean): unknown;
  /** Sets SO_KEEPALIVE, and TCP_KEEPIDLE in milliseconds. */
  setKeepAlive(on?: boolean, initialDelay?: number): unknown;
}
