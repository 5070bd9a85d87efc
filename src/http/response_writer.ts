/**
 * What plain HTTP needs of the connection that it answers on.
 *
 * @module
 */
import type { RequestHead } from "../handshake/request_head.ts";

/** Where a response goes. */
export interface ResponseWriter {
  /** The request. */
  readonly head: RequestHead;
  /** The longest body of a request, in bytes. */
  readonly maxBodySize: number;
  /** Writes bytes. */
  write(bytes: Uint8Array): void;
  /** When to write more; rejects if the connection ends before. */
  ready(): Promise<void>;
  /** Gives the client `handshakeTimeout`; then `HttpExchange.timedOut` is called. */
  startTimer(): void;
  /** The client has no time to keep. */
  stopTimer(): void;
  /** Whether the client has taken output since the timer was started. */
  isProgressing(): boolean;
  /** The request as a Web `Request`, without its body. */
  toRequest(): Request;
  /** Logs an error of the application. */
  report(error: unknown): void;
  /** Ends the connection after what was written. */
  finish(): void;
  /** Ends the connection at once. */
  abort(): void;
  /** The exchange is over: with which status, and whether the whole response was written. */
  ended(status: number | undefined, complete: boolean): void;
}
