/**
 * The part of a connection that plain HTTP uses.
 *
 * @module
 */
import type { RequestHead } from "../handshake/request_head.ts";

/** Has a request, and sends the response. */
export interface ResponseWriter {
  /** The request. */
  readonly head: RequestHead;
  /** The longest body of a request, in bytes. */
  readonly maxBodySize: number;
  /** Writes bytes. */
  write(bytes: Uint8Array): void;
  /** Resolves when more can be written. Rejects if the connection closes. */
  ready(): Promise<void>;
  /** Calls `HttpExchange.timedOut` after `handshakeTimeout`. */
  startTimer(): void;
  /** Stops the timer. */
  stopTimer(): void;
  /** Has TCP find out whether the client is still there, if pings are not turned off. */
  keepAlive(): void;
  /** Whether the client has received output since the timer was started. */
  isProgressing(): boolean;
  /** The request as a Web `Request`, without its body. */
  toRequest(): Request;
  /** Logs an error of the application. */
  report(error: unknown): void;
  /** Closes the connection after the written bytes. */
  finish(): void;
  /** Closes the connection at once. */
  abort(): void;
  /**
   * Called once at the end of the exchange.
   *
   * @param status The status of the response, if there was one.
   * @param complete Whether the whole response was written.
   */
  ended(status: number | undefined, complete: boolean): void;
}
