/**
 * The part of `node:http2` that this package uses.
 *
 * @module
 */

/**
 * The socket below a session: the part that is used.
 *
 * @example
 * ```ts
 * import type { Http2Socket } from "@waterspout/websocket";
 *
 * const socket: Http2Socket = { remoteAddress: "192.0.2.1", remotePort: 50000 };
 * console.assert(socket.localPort === undefined);
 * ```
 */
export interface Http2Socket {
  /** The peer's IP address; `undefined` on a unix socket. */
  readonly remoteAddress?: string | undefined;
  /** The peer's port. */
  readonly remotePort?: number | undefined;
  /** This end's IP address. */
  readonly localAddress?: string | undefined;
  /** This end's port. */
  readonly localPort?: number | undefined;
  /** How many bytes wait in the socket. */
  readonly writableLength?: number;
  /** Adds a listener. */
  on?(event: string, listener: (argument: unknown) => void): unknown;
}

/**
 * The part of `http2.Http2Session` that a stream uses.
 *
 * @example
 * ```ts
 * import type { Http2StreamSession } from "@waterspout/websocket";
 *
 * const session: Http2StreamSession = { encrypted: true, socket: { remoteAddress: "192.0.2.1" } };
 * console.assert(session.socket.remoteAddress === "192.0.2.1");
 * ```
 */
export interface Http2StreamSession {
  /** Whether the session is over TLS. */
  readonly encrypted?: boolean | undefined;
  /** Whether the session is closed. */
  readonly destroyed?: boolean;
  /** The socket below the session. */
  readonly socket: Http2Socket;
  /** Announces settings to the peer. */
  settings?(settings: { readonly enableConnectProtocol: boolean }): void;
}

/**
 * The part of `http2.Http2Stream` that is used.
 *
 * @example
 * ```ts
 * import type { Http2Stream } from "@waterspout/websocket";
 *
 * function isGone({ aborted, destroyed }: Http2Stream): boolean {
 *   return aborted || destroyed;
 * }
 * console.assert(isGone.length === 1);
 * ```
 */
export interface Http2Stream {
  /** The session; `undefined` once the stream is closed. */
  readonly session?: Http2StreamSession | undefined;
  /** Whether the peer has reset the stream, or the session is gone. */
  readonly aborted: boolean;
  /** Whether the stream is closed. */
  readonly destroyed: boolean;
  /** The code of `RST_STREAM`; 0 if there was none. */
  readonly rstCode?: number | undefined;
  /** `localClose` is 1 once END_STREAM was sent. */
  readonly state?: { readonly localClose?: number | undefined } | undefined;
  /** Adds a listener. */
  on(event: string, listener: (argument: unknown) => void): unknown;
  /** Writes bytes. Keeps a reference to them until `callback` is called. */
  write(bytes: Uint8Array, callback?: (error?: Error | null) => void): boolean;
  /** Sends END_STREAM after all writes. */
  end(): unknown;
  /** Sends RST_STREAM. */
  close(code?: number): void;
  /** Drops the stream. */
  destroy(): unknown;
  /** Stops reading. */
  pause(): unknown;
  /** Starts reading again. */
  resume(): unknown;
}

/**
 * The part of `http2.ServerHttp2Stream` that is used. `Application.handleStream` takes it.
 *
 * @example
 * ```ts
 * import type { Http2ServerStream } from "@waterspout/websocket";
 *
 * function isOpen({ closed, destroyed }: Http2ServerStream): boolean {
 *   return !closed && !destroyed;
 * }
 * console.assert(isOpen.length === 1);
 * ```
 */
export interface Http2ServerStream extends Http2Stream {
  /** Whether the stream is closed, or about to be. */
  readonly closed: boolean;
  /** Whether a response was sent. */
  readonly headersSent: boolean;
  /** Whether the request has no body. */
  readonly endAfterHeaders?: boolean;
  /** Sends the head of the response. */
  respond(fields: Record<string, string | string[]>): void;
}

/** The part of `http2.ServerHttp2Session` that is used. */
export interface Http2ServerSession extends Http2StreamSession {
  /** Adds a listener. */
  on(event: string, listener: (argument: unknown) => void): unknown;
  /** Takes no new streams (GOAWAY), and closes the session after the last stream. */
  close(): void;
  /** Closes the session at once. */
  destroy(): void;
}

/**
 * The part of `http2.ClientHttp2Session` that is used. It is the option `http2` of `websocketConnect`.
 *
 * @example
 * ```ts
 * import type { Http2ClientSession } from "@waterspout/websocket/client";
 *
 * function isUsable({ closed, destroyed }: Http2ClientSession): boolean {
 *   return !closed && !destroyed;
 * }
 * console.assert(isUsable.length === 1);
 * ```
 */
export interface Http2ClientSession extends Http2StreamSession {
  /** Whether the connection is not established yet. */
  readonly connecting: boolean;
  /** Whether the session takes no new streams. */
  readonly closed: boolean;
  /** Whether the session is closed. */
  readonly destroyed: boolean;
  /** What the server has announced. */
  readonly remoteSettings?: { readonly enableConnectProtocol?: boolean | undefined } | undefined;
  /** Adds a listener. */
  on(event: string, listener: (argument: unknown) => void): unknown;
  /** Removes a listener. */
  off(event: string, listener: (argument: unknown) => void): unknown;
  /** Sends a PING. The callback is called with its acknowledgement. */
  ping(callback: (error: Error | null) => void): unknown;
  /** Opens a stream. */
  request(fields: Record<string, string | string[]>): Http2Stream;
}
