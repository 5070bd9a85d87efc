/**
 * A connection that speaks HTTP/1. It reads requests, one after the other. Each is a plain HTTP request
 * or a WebSocket handshake, which `opening.ts` handles.
 *
 * A request is read only after the response to the previous request is written. A refusal closes the
 * connection: after a malformed request, nobody knows where the next one starts.
 *
 * @module
 */
import { cork, corked, uncork } from "../connection/cork.ts";
import { Refusal } from "../errors.ts";
import type { HeadReader } from "../handshake/head_reader.ts";
import type { RequestHead } from "../handshake/request_head.ts";
import { detectVersion, upgradeRequired } from "../handshake/versions.ts";
import { HeldBytes } from "../connection/held_bytes.ts";
import { statusOf } from "../http/error_response.ts";
import { HttpExchange } from "../http/exchange.ts";
import { optionsResponse } from "../http/options_response.ts";
import type { Link, Timed } from "../timing/timing_wheel.ts";
import type { TransportEvents } from "../transport/transport.ts";
import { http1Responder, writeHead } from "./http1_responder.ts";
import { endSocket, Opening, type OpeningPhase } from "./opening.ts";
import { type PlainConnection, PlainResponse } from "./plain_response.ts";
import { admit } from "./request_checks.ts";
import { matchRoute } from "./routes.ts";
import type { ServerConnection } from "./server_connection.ts";

const EMPTY = new Uint8Array(0);

/**
 * - `head`: receiving a request head, or waiting for its first byte
 * - `http`: a plain HTTP exchange
 * - `left`: in the handshake, or closing
 */
type State = "head" | "http" | "left";

const CR = 0x0d;
const LF = 0x0a;

function isLineEnd(byte: number): boolean {
  return byte === CR || byte === LF;
}

/** One connection that speaks HTTP/1. */
export class HttpConnection implements TransportEvents, Timed, OpeningPhase, PlainConnection {
  /** See {@linkcode Timed}. */
  deadline = 0;
  /** See {@linkcode Timed}. */
  before: Link | null = null;
  /** See {@linkcode Timed}. */
  after: Link | null = null;
  readonly #connection: ServerConnection;
  /** Borrowed from the context until the head is complete. */
  #reader: HeadReader<RequestHead> | null = null;
  #state: State = "head";
  #exchange: HttpExchange | null = null;
  /** The exchange, until {@linkcode #start}. */
  #unstarted: HttpExchange | null = null;
  /** Bytes after the current request. Created on first use. */
  #held: HeldBytes | null = null;
  /** Whether a byte of the current request has arrived. */
  #hasData = false;
  /** Whether a request was answered. */
  #isReused = false;
  /** Whether the timer is set for the current request of a connection that is reused. */
  #isTimed = false;
  /** Whether the client has sent FIN. */
  #ended = false;
  /** Whether the transport is paused. */
  #paused = false;

  /** @param connection The new connection. */
  constructor(connection: ServerConnection) {
    this.#connection = connection;
  }

  /** See {@linkcode OpeningPhase.setHeader}. */
  setHeader(name: string): void {
    throw new TypeError(`Cannot set header ${name}: no handshake has begun`);
  }

  // --- Events of the transport ------------------------------------------------------------------

  /** See {@linkcode TransportEvents.data}. */
  data(chunk: Uint8Array): void {
    const { transport, writer } = this.#connection;
    cork();
    try {
      writer.environment.traffic.bytesIn += chunk.length;
      this.#receive(chunk, transport.transfersChunks === true);
    } finally {
      uncork();
    }
  }

  #receive(chunk: Uint8Array, owned: boolean): void {
    let rest = chunk;
    // The exchange may be complete with the last byte of the body.
    if (this.#state === "http") rest = this.#exchange?.data(chunk, owned) ?? rest;
    if (rest.length === 0) return;
    if (this.#state === "http") this.#hold(rest, owned);
    else if (this.#state === "head") {
      if (!this.#hasData) this.#begin(rest);
      this.#readHead(rest, owned);
      this.#start(true);
    }
  }

  /**
   * Starts the exchange if a request has arrived.
   *
   * @param isNew Whether it arrived in the current event. Requests of other connections may follow.
   */
  #start(isNew: boolean): void {
    const exchange = this.#unstarted;
    if (exchange === null) return;
    const { transport } = this.#connection;
    this.#unstarted = null;
    if (isNew && transport.defer !== undefined) transport.defer(exchange);
    else void exchange.start();
  }

  /** Called when a request begins. Ignores empty lines, which some clients send after a body. */
  #begin(chunk: Uint8Array): void {
    const { context } = this.#connection;
    // Nearly every chunk begins with a method.
    this.#hasData = !this.#isReused || !isLineEnd(chunk[0] ?? CR) ||
      !chunk.every(isLineEnd);
    if (!this.#isReused || !this.#hasData) return;
    context.accessLog?.begin(this.#connection, chunk.length);
  }

  /** Limits the time of a request after the first. A request that arrives whole needs no timer. */
  #limitTime(): void {
    if (!this.#isReused || !this.#hasData || this.#isTimed) return;
    this.#isTimed = true;
    this.#setTimer(this.#connection.context.settings.handshakeTimeout);
  }

  #setTimer(timeout: number): void {
    const { wheel } = this.#connection.context;
    if (timeout > 0) wheel.set(this, timeout);
    else wheel.remove(this);
  }

  #hold(bytes: Uint8Array, owned: boolean): void {
    const held = this.#held ??= new HeldBytes();
    held.push(bytes, owned);
    if (held.length >= this.#connection.context.settings.maxQueuedSize) this.pause();
  }

  /** See {@linkcode PlainConnection.heldSize}. */
  get heldSize(): number {
    return this.#held?.length ?? 0;
  }

  /** See {@linkcode PlainConnection.pause}. */
  pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.#connection.transport.pause();
  }

  /** See {@linkcode PlainConnection.resume}. */
  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#connection.transport.resume();
  }

  /** See {@linkcode TransportEvents.drain}. */
  drain(): void {
    const { writer, context } = this.#connection;
    writer.drain();
    if (this.#isIdle) this.#setTimer(context.settings.keepAliveTimeout);
  }

  /** Whether the connection waits for another request. */
  get #isIdle(): boolean {
    return this.#isReused && !this.#hasData;
  }

  /** See {@linkcode TransportEvents.end}. */
  end(): void {
    this.#ended = true;
    if (this.#state === "http") this.#exchange?.end();
    else if (this.#isReused) this.finish();
    else this.abort();
  }

  /** See {@linkcode TransportEvents.closed}. */
  closed(): void {
    this.#leave();
    this.#connection.gone();
  }

  // --- The end ----------------------------------------------------------------------------------

  /** See {@linkcode OpeningPhase.abort}. */
  abort(): void {
    const { transport } = this.#connection;
    if (this.#leave()) endSocket(this.#connection, this.#paused);
    transport.destroy();
  }

  /** Closes the connection after the written bytes. */
  finish(): void {
    this.#connection.writer.flush();
    if (this.#leave()) endSocket(this.#connection, this.#paused);
  }

  /** Closes an idle connection. The last response may still be on its way. */
  #endIdle(): void {
    if (this.#connection.writer.bufferedAmount > 0) this.finish();
    else this.abort();
  }

  /** Stops reading requests. @returns False if it had stopped before. */
  #leave(): boolean {
    const connection = this.#connection;
    if (this.#state === "left") return false;
    const { context } = connection;
    if (this.#state === "head" && this.#hasData) context.refused(connection, "gone");
    this.#state = "left";
    context.wheel.remove(this);
    this.#exchange?.gone();
    connection.refused();
    return true;
  }

  /** See {@linkcode Timed.expire}: `handshakeTimeout` or `keepAliveTimeout` has passed. */
  expire(): void {
    const { writer, context } = this.#connection;
    if (this.#state === "http") this.#exchange?.timedOut();
    else if (this.#hasData) {
      this.#refuse(new Refusal(408, "the request took too long", { reason: "timeout" }));
    } else if (writer.isProgressing) {
      // Let the client receive the previous response.
      writer.watchProgress();
      this.#setTimer(context.settings.handshakeTimeout);
    } // A client that has sent nothing gets no response.
    else this.abort();
  }

  /** See {@linkcode OpeningPhase.shutdown}. A request that is being answered is completed. */
  shutdown(): void {
    if (this.#state !== "head") return;
    if (!this.#hasData) this.#endIdle();
    else this.#refuse(new Refusal(503, "the server is shutting down", { reason: "stopping" }));
  }

  // --- A request --------------------------------------------------------------------------------

  #readHead(chunk: Uint8Array, owned: boolean): void {
    try {
      const { context } = this.#connection;
      const reader = this.#reader ??= context.takeHeadReader();
      const head = reader.read(chunk);
      if (head === undefined) return this.#limitTime();
      this.#connection.head = head;
      const { consumed } = reader;
      this.#reader = null;
      context.giveHeadReader(reader);
      this.#dispatch(head, consumed === chunk.length ? EMPTY : chunk.subarray(consumed), owned);
    } catch (error) {
      this.#refuse(error);
    }
  }

  #dispatch(head: RequestHead, rest: Uint8Array, owned: boolean): void {
    const connection = this.#connection;
    admit(connection, head);
    if (head.target === "*") return this.#respondToOptions();
    const version = detectVersion(head, connection.context.settings.versions);
    if (version === undefined) return this.#servePlain(head, rest, owned);
    this.#handOver().decide(version, rest, owned);
  }

  /** Begins the handshake, or a refusal. */
  #handOver(): Opening {
    this.#limitTime();
    const opening = new Opening(this.#connection, http1Responder);
    // An opening, a WebSocket and a refusal read, whatever waited while the last request was answered.
    this.resume();
    this.#state = "left";
    this.#connection.continueWith(opening, this);
    return opening;
  }

  #refuse(error: unknown): void {
    if (this.#state === "head") this.#handOver().refuse(error);
    else this.#connection.report(error);
  }

  #respondToOptions(): void {
    const connection = this.#connection;
    const { counters, accessLog, date } = connection.context;
    const response = optionsResponse(date.value);
    counters.requests++;
    this.#state = "http";
    writeHead(connection.writer, response);
    this.finish();
    accessLog?.request(connection, { status: statusOf(response), complete: true, unread: 0 });
  }

  #servePlain(head: RequestHead, rest: Uint8Array, owned: boolean): void {
    const connection = this.#connection;
    const { settings, routes, counters, wheel } = connection.context;
    if (settings.fetch === undefined) {
      matchRoute(routes, head);
      throw upgradeRequired(settings.versions);
    }
    const exchange = new HttpExchange(new PlainResponse(connection, head, this), settings.fetch);
    this.#state = "http";
    counters.requests++;
    this.#exchange = this.#unstarted = exchange;
    if (this.#isReused) wheel.remove(this);
    // Without output, only TCP keep-alive notices that the client's machine is gone.
    if (!this.#isReused && settings.pingInterval > 0) {
      connection.transport.setKeepAlive(true, settings.pingInterval);
    }
    this.#receive(rest, owned);
    if (this.#ended) exchange.end();
  }

  /** See {@linkcode PlainConnection.finishExchange}. */
  finishExchange(keepAlive: boolean): void {
    const connection = this.#connection;
    if (this.#state !== "http") return;
    const held = this.#held?.take() ?? EMPTY;
    const isLast = !keepAlive || connection.owner?.stopping === true ||
      (this.#ended && held.length === 0);
    if (isLast) return this.finish();
    this.#prepareForNext();
    if (held.length > 0) corked(() => this.#readNext(held));
    else this.#waitForNext();
    this.resume();
  }

  #prepareForNext(): void {
    const connection = this.#connection;
    this.#state = "head";
    this.#exchange = this.#held = null;
    this.#hasData = this.#isTimed = false;
    this.#isReused = true;
    connection.handler = null;
    connection.forgetRequest();
  }

  #waitForNext(): void {
    const { writer, context } = this.#connection;
    const { keepAliveTimeout, handshakeTimeout } = context.settings;
    writer.flush();
    writer.watchProgress();
    // The client may not have received the response yet: `drain` follows.
    this.#setTimer(writer.bufferedAmount > 0 ? handshakeTimeout : keepAliveTimeout);
  }

  /** Reads what has arrived during the exchange. */
  #readNext(held: Uint8Array): void {
    this.#begin(held);
    this.#readHead(held, true);
    this.#start(false);
    if (this.#ended && this.#state === "head") this.end();
  }
}
