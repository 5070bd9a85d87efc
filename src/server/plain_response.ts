/**
 * Connects a plain HTTP exchange to its connection.
 *
 * @module
 */
import type { RequestHead } from "../handshake/request_head.ts";
import type { FetchInfo } from "../http/fetch.ts";
import type { ResponseWriter } from "../http/response_writer.ts";
import { ServedRequest } from "../http/served_request.ts";
import type { Timed } from "../timing/timing_wheel.ts";
import { writeHead } from "./http1_responder.ts";
import type { ServerConnection } from "./server_connection.ts";

/** The part of an `HttpConnection` that is used. The timer calls its `expire`. */
export interface PlainConnection extends Timed {
  /** How many bytes of later requests have arrived. */
  readonly heldSize: number;
  /** Stops reading. */
  pause(): void;
  /** Reads on. */
  resume(): void;
  /** Ends the exchange. @param keepAlive Whether another request may follow. */
  finishExchange(keepAlive: boolean): void;
  /** Closes the connection at once. */
  abort(): void;
}

/** Sends the response to one request. */
export class PlainResponse implements ResponseWriter {
  /** See {@linkcode ResponseWriter.head}. */
  readonly head: RequestHead;
  /** See {@linkcode ResponseWriter.info}. */
  readonly info: FetchInfo;
  readonly #connection: ServerConnection;
  readonly #http: PlainConnection;

  /** @param connection The connection. @param head The request. @param http Reads the requests. */
  constructor(connection: ServerConnection, head: RequestHead, http: PlainConnection) {
    this.#connection = connection;
    this.#http = http;
    this.head = head;
    this.info = { remoteAddr: connection.remoteAddress, secure: connection.secure };
  }

  /** See {@linkcode ResponseWriter.maxBodySize}. */
  get maxBodySize(): number {
    return this.#connection.context.settings.maxBodySize;
  }

  /** See {@linkcode ResponseWriter.maxQueuedSize}. */
  get maxQueuedSize(): number {
    return this.#connection.context.settings.maxQueuedSize;
  }

  /** See {@linkcode ResponseWriter.date}. */
  get date(): string {
    return this.#connection.context.date.value;
  }

  /** See {@linkcode ResponseWriter.isStopping}. */
  get isStopping(): boolean {
    return this.#connection.owner?.stopping === true;
  }

  /** See {@linkcode ResponseWriter.isCongested}. */
  get isCongested(): boolean {
    return this.#connection.writer.congested;
  }

  /** See {@linkcode ResponseWriter.isProgressing}. */
  get isProgressing(): boolean {
    return this.#connection.writer.isProgressing;
  }

  /** See {@linkcode ResponseWriter.writeText}. */
  writeText(text: string): void {
    writeHead(this.#connection.writer, text);
  }

  /** See {@linkcode ResponseWriter.write}. */
  write(bytes: Uint8Array): void {
    this.#connection.writer.writeRaw(bytes);
  }

  /** See {@linkcode ResponseWriter.ready}. */
  ready(): Promise<void> {
    return this.#connection.writer.ready();
  }

  /** See {@linkcode ResponseWriter.pause}. */
  pause(): void {
    this.#http.pause();
  }

  /** See {@linkcode ResponseWriter.resume}. */
  resume(): void {
    this.#http.resume();
  }

  /** See {@linkcode ResponseWriter.startTimer}. */
  startTimer(): void {
    const { writer, context } = this.#connection;
    const { handshakeTimeout } = context.settings;
    writer.watchProgress();
    if (handshakeTimeout > 0) context.wheel.set(this.#http, handshakeTimeout);
  }

  /** See {@linkcode ResponseWriter.stopTimer}. */
  stopTimer(): void {
    this.#connection.context.wheel.remove(this.#http);
  }

  /** See {@linkcode ResponseWriter.toRequest}. */
  toRequest(body: ReadableStream<Uint8Array> | null): ServedRequest {
    const scheme = this.info.secure ? "https" : "http";
    if (body === null) return this.head.toRequest(scheme, makeRequest);
    return this.head.toRequest(
      scheme,
      (url, init) => new ServedRequest(url, { ...init, body, ...{ duplex: "half" } }),
    );
  }

  /** See {@linkcode ResponseWriter.report}. */
  report(error: unknown): void {
    this.#connection.report(error);
  }

  /** See {@linkcode ResponseWriter.finish}. */
  finish(keepAlive: boolean): void {
    this.#http.finishExchange(keepAlive);
  }

  /** See {@linkcode ResponseWriter.abort}. */
  abort(): void {
    this.#http.abort();
  }

  /** See {@linkcode ResponseWriter.ended}. */
  ended(status: number | undefined, complete: boolean): void {
    const connection = this.#connection;
    const { accessLog } = connection.context;
    if (accessLog === null) return;
    // Bytes are counted when they are flushed.
    connection.writer.flush();
    accessLog.request(connection, { status, complete, unread: this.#http.heldSize });
  }
}

function makeRequest(url: string, init?: RequestInit): ServedRequest {
  return new ServedRequest(url, init);
}
