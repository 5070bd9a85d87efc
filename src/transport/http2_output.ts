/**
 * The output of a session of HTTP/2, which all of its streams share.
 *
 * A write on a stream completes when flow control allows it. On Node and Bun, the bytes must also have
 * left for the socket. On Deno, the socket queues any number of bytes. So a client with a large window
 * that reads nothing could make the server hold up to 2 GiB. This file prevents that.
 *
 * @module
 */
import type { Http2StreamSession } from "./http2_types.ts";

/** How many bytes to send between two checks of the socket, because a check is slow. */
const INTERVAL = 64 * 1024;

/** If more bytes than this wait in the socket, the streams stop writing. */
const MAX_WAITING = 256 * 1024;

/** A stream that waits for the socket. */
export interface SocketWaiter {
  /** Called when the socket has room again. */
  socketDrained(): void;
}

/** Stops the streams of a session while much waits in its socket. */
export class SessionOutput {
  readonly #session: Http2StreamSession;
  #unasked = 0;
  /** Made when first needed. */
  #waiters: Set<SocketWaiter> | null = null;

  /** @param session The session. */
  constructor(session: Http2StreamSession) {
    this.#session = session;
  }

  /** Counts bytes that were sent. @returns Whether the sender must wait until the socket is drained. */
  isCongestedAfter(size: number, sender: SocketWaiter): boolean {
    this.#unasked += size;
    const waiters = this.#waiters;
    const isWaiting = waiters !== null && waiters.size > 0;
    if (!isWaiting && this.#unasked < INTERVAL) return false;
    this.#unasked = 0;
    // The socket of a destroyed session cannot be used. Its streams are closed soon.
    if (this.#session.destroyed === true) return false;
    if (!isWaiting && (this.#session.socket.writableLength ?? 0) <= MAX_WAITING) return false;
    this.#listen().add(sender);
    return true;
  }

  #listen(): Set<SocketWaiter> {
    if (this.#waiters !== null) return this.#waiters;
    this.#session.socket.on?.("drain", () => this.#drained());
    return this.#waiters = new Set();
  }

  #drained(): void {
    const waiters = [...this.#waiters ?? []];
    this.#waiters?.clear();
    for (const waiter of waiters) waiter.socketDrained();
  }

  /** Stops waiting. */
  forget(sender: SocketWaiter): void {
    this.#waiters?.delete(sender);
  }
}
