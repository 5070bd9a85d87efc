/**
 * A connection that speaks HTTP/1: reads request heads, and passes each request on as plain HTTP or as
 * a WebSocket handshake, which `opening.ts` decides on.
 *
 * @module
 */
import { cork, uncork } from "../connection/cork.ts";
import { Refusal } from "../errors.ts";
import type { HeadReader } from "../handshake/head_reader.ts";
import type { RequestHead } from "../handshake/request_head.ts";
import { detectVersion, upgradeRequired } from "../handshake/versions.ts";
import { statusOf } from "../http/error_response.ts";
import { HttpExchange } from "../http/exchange.ts";
import { OPTIONS_RESPONSE } from "../http/options_response.ts";
import type { Link, Timed } from "../timing/timing_wheel.ts";
import type { TransportEvents } from "../transport/transport.ts";
import { http1Responder, writeHead } from "./http1_responder.ts";
import { endSocket, Opening, type OpeningPhase } from "./opening.ts";
import { plainResponse } from "./plain_response.ts";
import { admit } from "./request_checks.ts";
import { matchRoute } from "./routes.ts";
import type { ServerConnection } from "./server_connection.ts";

const EMPTY = new Uint8Array(0);

/**
 * - `head`: receiving a request head
 * - `http`: a plain HTTP exchange
 * - `left`: in the handshake, or closing
 */
type State = "head" | "http" | "left";

/** One connection that speaks HTTP/1. */
export class HttpConnection implements TransportEvents, Timed, OpeningPhase {
  /** See {@linkcode Timed}. */
  deadline = 0;
  /** See {@linkcode Timed}. */
  before: Link | null = null;
  /** See {@linkcode Timed}. */
  after: Link | null = null;
  readonly #connection: ServerConnection;
  /** Lent by the context until the head is complete. */
  #reader: HeadReader<RequestHead> | null = null;
  #state: State = "head";
  #exchange: HttpExchange | null = null;
  /** Whether a byte has arrived. */
  #hasData = false;

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
      this.#hasData = true;
      writer.environment.traffic.bytesIn += chunk.length;
      if (this.#state === "head") this.#readHead(chunk, transport.transfersChunks === true);
      else if (this.#state === "http") this.#exchange?.data(chunk);
    } finally {
      uncork();
    }
  }

  /** See {@linkcode TransportEvents.drain}. */
  drain(): void {
    this.#connection.writer.drain();
  }

  /** See {@linkcode TransportEvents.end}. */
  end(): void {
    if (this.#state === "head") this.abort();
    else if (this.#state === "http") this.#exchange?.end();
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
    if (this.#leave()) endSocket(this.#connection);
    transport.destroy();
  }

  /** Closes the connection after the written bytes. */
  finish(): void {
    this.#connection.writer.flush();
    if (this.#leave()) endSocket(this.#connection);
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

  /** See {@linkcode Timed.expire}: `handshakeTimeout` has passed. */
  expire(): void {
    if (this.#state === "http") this.#exchange?.timedOut();
    // A client that has sent nothing gets no response.
    else if (!this.#hasData) this.abort();
    else this.#refuse(new Refusal(408, "the request took too long", { reason: "timeout" }));
  }

  /** See {@linkcode OpeningPhase.shutdown}. */
  shutdown(): void {
    if (!this.#hasData) this.abort();
    else if (this.#state === "head") {
      this.#refuse(new Refusal(503, "the server is shutting down", { reason: "stopping" }));
    }
  }

  // --- A request --------------------------------------------------------------------------------

  #readHead(chunk: Uint8Array, owned: boolean): void {
    try {
      const { context } = this.#connection;
      const reader = this.#reader ??= context.takeHeadReader();
      const head = reader.read(chunk);
      if (head === undefined) return;
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
    if (version === undefined) return this.#servePlain(head, rest);
    this.#handOver().decide(version, rest, owned);
  }

  /** Begins the handshake, or a refusal. */
  #handOver(): Opening {
    const opening = new Opening(this.#connection, http1Responder);
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
    const { counters, accessLog } = connection.context;
    counters.requests++;
    this.#state = "http";
    writeHead(connection.writer, OPTIONS_RESPONSE);
    this.finish();
    accessLog?.request(connection, statusOf(OPTIONS_RESPONSE), true);
  }

  #servePlain(head: RequestHead, rest: Uint8Array): void {
    const connection = this.#connection;
    const { settings, routes, counters } = connection.context;
    if (settings.fetch === undefined) {
      matchRoute(routes, head);
      throw upgradeRequired(settings.versions);
    }
    const exchange = new HttpExchange(plainResponse(connection, head, this), settings.fetch);
    this.#state = "http";
    counters.requests++;
    this.#exchange = exchange;
    exchange.data(rest);
  }
}
