/**
 * The part of a connection that plain HTTP uses.
 *
 * @module
 */
import type { RequestHead } from "../handshake/request_head.ts";
import type { FetchInfo } from "./fetch.ts";
import type { BodySource } from "./request_body.ts";
import type { ServedRequest } from "./served_request.ts";

/** Has a request, and sends the response. */
export interface ResponseWriter extends Pick<BodySource, "maxQueuedSize" | "pause" | "resume"> {
  /** The request. */
  readonly head: RequestHead;
  /** The longest body of a request, in bytes. */
  readonly maxBodySize: number;
  /** The second argument of the setting `fetch`. */
  readonly info: FetchInfo;
  /** The value of `Date`. */
  readonly date: string;
  /** Whether the server shuts down, so that the connection ends after the response. */
  readonly isStopping: boolean;
  /** Whether output waits because the client reads slowly. */
  readonly isCongested: boolean;
  /** Whether the client has received output since the timer was started. */
  readonly isProgressing: boolean;
  /** Writes text, one character for each byte. */
  writeText(text: string): void;
  /** Writes bytes. */
  write(bytes: Uint8Array): void;
  /** Resolves when more can be written. Rejects if the connection closes. */
  ready(): Promise<void>;
  /** Calls `HttpExchange.timedOut` after `handshakeTimeout`. */
  startTimer(): void;
  /** Stops the timer. */
  stopTimer(): void;
  /** Makes a Web `Request` of the request. */
  toRequest(body: ReadableStream<Uint8Array> | null): ServedRequest;
  /** Logs an error of the application. */
  report(error: unknown): void;
  /** The exchange is over. @param keepAlive Whether another request may follow, or the end. */
  finish(keepAlive: boolean): void;
  /** Closes the connection at once. */
  abort(): void;
  /**
   * Called once, when the response is written or will not be.
   *
   * @param status The status of the response, if there was one.
   * @param complete Whether the whole response was written.
   */
  ended(status: number | undefined, complete: boolean): void;
}
