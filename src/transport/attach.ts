/**
 * Makes transports from the sockets of `node:http` and `node:https`, on all runtimes.
 *
 * @module
 */
import { nodeTransport } from "./node.ts";
import type { NodeSocket } from "./node_types.ts";
import type { Transport } from "./transport.ts";

/**
 * A socket of an HTTP server. A `net.Socket`, a `tls.TLSSocket` and any other `stream.Duplex` fit.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import type { UpgradeSocket } from "@waterspout/websocket";
 *
 * function isGone({ destroyed }: UpgradeSocket): boolean {
 *   return destroyed === true;
 * }
 * assert(isGone.length === 1);
 * ```
 */
export interface UpgradeSocket {
  /** Whether the socket stays writable after the peer's FIN. The transport turns it on. */
  allowHalfOpen: boolean;
  /** Whether the socket is closed. */
  readonly destroyed?: boolean;
  /** Whether the peer's FIN was read. */
  readonly readableEnded?: boolean;
  /** The size of all writes that are not complete. */
  readonly writableLength: number;
  /** Whether this is a `tls.TLSSocket`. */
  readonly encrypted?: boolean;
  /** The peer's IP address. */
  readonly remoteAddress?: string | undefined;
  /** The peer's port. */
  readonly remotePort?: number | undefined;
  /** This end's IP address. */
  readonly localAddress?: string | undefined;
  /** This end's port. */
  readonly localPort?: number | undefined;
  /** Adds a listener. */
  on(event: string, listener: (argument: unknown) => void): unknown;
  /** Writes bytes. */
  write(bytes: Uint8Array, callback?: (error?: Error | null) => void): boolean;
  /** Sends FIN after all writes. */
  end(): unknown;
  /** Closes the socket at once. */
  destroy(): unknown;
  /** Stops reading. */
  pause(): unknown;
  /** Starts reading again. */
  resume(): unknown;
  /** Sets TCP_NODELAY. */
  setNoDelay?(on?: boolean): unknown;
  /** Sets SO_KEEPALIVE. */
  setKeepAlive?(on?: boolean, initialDelay?: number): unknown;
  /** Sets the idle timeout, in milliseconds. */
  setTimeout?(timeout: number): unknown;
}

/** A response of an HTTP server. */
interface PendingResponse {
  once(event: "close", listener: () => void): unknown;
}

/** A socket with an undocumented property: the response that is using it. */
interface AnsweringSocket extends UpgradeSocket {
  readonly _httpMessage?: PendingResponse | null;
}

/**
 * Waits for the responses to earlier requests on the same connection, which must be sent first (RFC 9112
 * §9.3.2). Node and Deno emit `upgrade` without waiting for them.
 *
 * @param socket A socket from an `upgrade` event.
 * @param callback Called when no response is pending, or when the socket is closed.
 */
export function whenAnswered(socket: UpgradeSocket, callback: () => void): void {
  const { _httpMessage: response } = socket as AnsweringSocket;
  if (!response || socket.destroyed === true) return callback();
  let isOver = false;
  const next = () => {
    if (isOver) return;
    isOver = true;
    whenAnswered(socket, callback);
  };
  // An `error` without a listener would end the process. `close` follows.
  socket.on("error", () => {});
  socket.on("close", next);
  response.once("close", next);
}

/**
 * Makes a {@linkcode Transport} of a socket from an `upgrade` event.
 *
 * @returns `undefined` if the socket is closed or the peer has sent FIN. Then the socket is destroyed.
 */
export function upgradedTransport(socket: UpgradeSocket): Transport | undefined {
  if (socket.destroyed === true || socket.readableEnded === true) {
    socket.destroy();
    return undefined;
  }
  // Turns off `server.timeout`, which is for requests.
  socket.setTimeout?.(0);
  const transport = nodeTransport(socket as NodeSocket);
  return socket.destroyed ? undefined : transport;
}
