/**
 * The part of Node's sockets that this package uses.
 *
 * @module
 */

/** Called when a write is complete or has failed. */
export type WriteCallback = (error?: Error | null) => void;

/** The part of libuv's handle that is used. */
export interface NodeHandle {
  /** The number of written bytes that the system has not accepted. */
  readonly writeQueueSize?: number;
  /** The number of bytes read so far. */
  readonly bytesRead?: number;
  /** The handle below TLS. */
  readonly _parent?: NodeHandle | null;
  /** Writes the peer's address to an object. Returns 0, or the number of an error. */
  getpeername?(to: { address: string; family: string; port: number }): number;
  /** Sets the buffer to read into. */
  useUserBuffer?(buffer: Uint8Array): void;
  /** Starts reading. */
  readStart?(): unknown;
  /** Stops reading. */
  readStop?(): unknown;
}

/** The part of `net.Socket` and `tls.TLSSocket` that is used. */
export interface NodeSocket {
  /** Whether the socket stays writable after the peer's FIN. */
  allowHalfOpen: boolean;
  /** Whether this is a `tls.TLSSocket`. */
  readonly encrypted?: boolean;
  /** The protocol that TLS has agreed on: `"h2"`, `"http/1.1"`. */
  readonly alpnProtocol?: string | false | null;
  /** The size of all writes that are not complete. */
  readonly writableLength: number;
  /** How many bytes the stream has read that nobody has taken. */
  readonly readableLength?: number;
  /** Node's internal handle. It is not documented and may be missing. */
  readonly _handle?: NodeHandle | null;
  /** The socket below TLS. It is not documented and may be missing. */
  readonly _parent?: Pick<NodeSocket, "remoteAddress" | "remotePort"> | null;
  /** The peer's IP address; `undefined` on a unix socket and once closed. */
  readonly remoteAddress?: string | undefined;
  /** The peer's port. */
  readonly remotePort?: number | undefined;
  /** This end's IP address; `undefined` on a unix socket. */
  readonly localAddress?: string | undefined;
  /** This end's port. */
  readonly localPort?: number | undefined;
  /** Whether the socket is closed. */
  readonly destroyed?: boolean;
  /** Adds a listener. */
  on(event: string, listener: (argument: unknown) => void): unknown;
  /** Writes bytes. Keeps a reference to those that the system does not accept at once. */
  write(bytes: Uint8Array, callback?: WriteCallback): boolean;
  /** Sends FIN after all writes. */
  end(): unknown;
  /** Closes the socket at once. */
  destroy(): unknown;
  /** With 0, starts reading and takes nothing. */
  read?(size: number): unknown;
  /** Stops reading. */
  pause(): unknown;
  /** Starts reading again. */
  resume(): unknown;
  /** Sets TCP_NODELAY. A stream that is no socket has none. */
  setNoDelay?(on?: boolean): unknown;
  /** Sets SO_KEEPALIVE, and TCP_KEEPIDLE in milliseconds. */
  setKeepAlive?(on?: boolean, initialDelay?: number): unknown;
}
