/**
 * The opening of a connection, from accept to the 101, a refusal or plain HTTP.
 *
 * A refusal is an error. An `HttpError` becomes an HTTP response. A `ProtocolError` closes the
 * connection without one, as draft75 and draft76 require.
 *
 * @module
 */
import type { AgreedDeflate } from "../connection/compression.ts";
import { cork, corked, uncork } from "../connection/cork.ts";
import { createServerProtocol } from "../connection/create_protocol.ts";
import { HeldBytes } from "../connection/held_bytes.ts";
import { Linger } from "../connection/linger.ts";
import type { WriterEvents } from "../connection/writer.ts";
import { HttpError, ProtocolError, Refusal, type RefusalReason } from "../errors.ts";
import { caught, isThenable, requireSync } from "../guard.ts";
import { type ChallengeParts, challengeResponse, KEY3_LENGTH } from "../handshake/challenge.ts";
import type { HeadReader } from "../handshake/head_reader.ts";
import { writeLatin1 } from "../handshake/latin1.ts";
import type { RequestHead } from "../handshake/request_head.ts";
import { checkHandshakeField } from "../handshake/head_writer.ts";
import { detectVersion, isDraft, upgradeRequired } from "../handshake/versions.ts";
import { refusalResponse, statusOf } from "../http/error_response.ts";
import { HttpExchange } from "../http/exchange.ts";
import { OPTIONS_RESPONSE } from "../http/options_response.ts";
import type { Link, Timed } from "../timing/timing_wheel.ts";
import type { TransportEvents } from "../transport/transport.ts";
import type { AnyHandler } from "./handler.ts";
import { negotiate } from "./negotiation.ts";
import { plainResponse } from "./plain_response.ts";
import {
  checkClient,
  checkHandshake,
  checkOrigin,
  checkRunning,
  logSilentEnd,
} from "./request_checks.ts";
import { type Match, matchRoute } from "./routes.ts";
import type { ServerConnection } from "./server_connection.ts";

const EMPTY = new Uint8Array(0);

/**
 * - `head`: receiving the request head, or calling the handler's synchronous hooks
 * - `preparing`: waiting for the handler's `prepare()`
 * - `key3`: the 101 of draft76 was sent; receiving the 8 bytes after the request head
 * - `http`: a plain HTTP exchange
 * - `over`: refused
 * - `left`: established, or closing
 */
type State = "head" | "preparing" | "key3" | "http" | "over" | "left";

/** One connection's opening. */
export class Opening implements TransportEvents, Timed, WriterEvents {
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
  /** Bytes after the head that are not used yet. */
  readonly #held = new HeldBytes();
  /** Fields of the 101 that the handler has set. */
  readonly #fields: [name: string, value: string][] = [];
  /** The first two keys of draft76. */
  #challenge: ChallengeParts | null = null;
  #exchange: HttpExchange | null = null;
  /** Whether a byte has arrived. */
  #hasData = false;
  /** Whether the client has sent FIN. */
  #ended = false;
  /** Whether the transport is paused. */
  #paused = false;

  /** @param connection The new connection. */
  constructor(connection: ServerConnection) {
    this.#connection = connection;
  }

  /** Adds a field to the 101. @throws {TypeError} If it is malformed, or the 101 was sent. */
  setHeader(name: string, value: string): void {
    if (this.#state !== "head" && this.#state !== "preparing") {
      throw new TypeError(`Cannot set header ${name}: the response was already sent`);
    }
    checkHandshakeField(name, value);
    this.#fields.push([name, value]);
  }

  // --- Events of the transport ------------------------------------------------------------------

  /** See {@linkcode TransportEvents.data}. */
  data(chunk: Uint8Array): void {
    const { transport } = this.#connection;
    cork();
    try {
      this.#hasData = true;
      this.#connection.writer.environment.traffic.bytesIn += chunk.length;
      this.#receive(chunk, transport.transfersChunks === true);
    } finally {
      uncork();
    }
  }

  #receive(chunk: Uint8Array, owned: boolean): void {
    if (this.#state === "head") this.#readHead(chunk, owned);
    else if (this.#state === "preparing") this.#held.push(chunk, false);
    else if (this.#state === "key3") this.#readKey3(chunk, owned);
    else if (this.#state === "http") this.#exchange?.data(chunk);
  }

  /** See {@linkcode TransportEvents.drain}. */
  drain(): void {
    this.#connection.writer.drain();
  }

  /** See {@linkcode TransportEvents.end}. */
  end(): void {
    this.#ended = true;
    if (this.#state === "head" || this.#state === "key3") this.abort();
    else if (this.#state === "http") this.#exchange?.end();
  }

  /** See {@linkcode TransportEvents.closed}. */
  closed(): void {
    this.#leave();
    this.#connection.gone();
  }

  /** See {@linkcode WriterEvents.overflow}. */
  overflow(): void {
    this.abort();
  }

  /** See {@linkcode WriterEvents.congested}. */
  congested(): void {}

  /** See {@linkcode WriterEvents.drained}. */
  drained(): void {}

  // --- The end ----------------------------------------------------------------------------------

  /** Closes the connection at once, without a response. */
  abort(): void {
    if (this.#leave()) this.#linger();
    this.#connection.transport.destroy();
  }

  /** Closes the connection after the written bytes. */
  finish(): void {
    this.#connection.writer.flush();
    if (this.#leave()) this.#linger();
  }

  /** Ends the opening. @returns False if it had ended before. */
  #leave(): boolean {
    if (this.#state === "left") return false;
    const isCounted = !this.#hasData || this.#state === "over" || this.#state === "http";
    if (!isCounted) this.#count("gone");
    this.#state = "left";
    this.#connection.context.wheel.remove(this);
    this.#exchange?.gone();
    this.#connection.refused();
    return true;
  }

  #linger(): void {
    const connection = this.#connection;
    const { transport, context } = connection;
    if (this.#paused) transport.resume();
    new Linger(transport, {
      wheel: context.wheel,
      timeout: context.settings.closeTimeout,
      gone: () => connection.gone(),
    });
  }

  /** See {@linkcode Timed.expire}: `handshakeTimeout` has passed. */
  expire(): void {
    // A client that has sent nothing gets no response.
    if (!this.#hasData) this.abort();
    else if (this.#state === "head") {
      this.#refuse(new Refusal(408, "the request took too long", { reason: "timeout" }));
    } else if (this.#state === "preparing") {
      this.#refuse(new Refusal(503, "prepare() took too long", { reason: "timeout" }));
    } else if (this.#state === "http") this.#exchange?.timedOut();
    else {
      logSilentEnd(
        this.#connection,
        "key3 must arrive within handshakeTimeout; a proxy may have dropped it",
      );
      this.#drop("timeout");
    }
  }

  /** Refuses the request because the server shuts down. */
  shutdown(): void {
    if (!this.#hasData) this.abort();
    else if (this.#state === "head") {
      this.#refuse(new Refusal(503, "the server is shutting down", { reason: "stopping" }));
    } else if (this.#state === "key3") this.#drop("stopping");
  }

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
      this.#route(head, consumed === chunk.length ? EMPTY : chunk.subarray(consumed), owned);
    } catch (error) {
      this.#refuse(error);
    }
  }

  #route(head: RequestHead, rest: Uint8Array, owned: boolean): void {
    const connection = this.#connection;
    const { settings, routes } = connection.context;
    checkRunning(connection);
    checkClient(connection, head);
    if (head.target === "*") {
      connection.context.counters.requests++;
      this.#answer(OPTIONS_RESPONSE);
      return connection.context.accessLog?.request(connection, statusOf(OPTIONS_RESPONSE), true);
    }
    const version = detectVersion(head, settings.versions);
    if (version === undefined) return this.#servePlain(head, rest);
    const match = matchRoute(routes, head);
    connection.version = version;
    connection.match = match;
    this.#challenge = checkHandshake(connection, head);
    this.#construct(match, rest, owned);
  }

  #construct(match: Match, rest: Uint8Array, owned: boolean): void {
    const connection = this.#connection;
    const { context, version } = connection;
    const handler = new match.handler(context.application, connection, match.options);
    connection.handler = handler;
    requireSync("initialize", handler.initialize(match.options));
    if (isDraft(version) && !requireSync("allowDraft76", handler.allowDraft76())) {
      throw upgradeRequired(context.settings.versions.filter((other) => !isDraft(other)));
    }
    checkOrigin(connection, handler);
    // The hooks may have closed the connection.
    if (this.#isOver) return;
    const prepared: unknown = handler.prepare();
    if (!isThenable(prepared)) return this.#accept(handler, rest, owned);
    if (!this.#isOver) {
      this.#state = "preparing";
      this.#held.push(rest, false);
      this.#paused = true;
      connection.transport.pause();
    }
    Promise.resolve(prepared).then(
      () => corked(() => this.#prepared(handler)),
      (error) => corked(() => this.#refuse(error)),
    );
  }

  get #isOver(): boolean {
    return this.#state === "over" || this.#state === "left";
  }

  #prepared(handler: AnyHandler): void {
    if (this.#isOver) return;
    try {
      checkRunning(this.#connection);
      const held = this.#held.take();
      this.#paused = false;
      this.#connection.transport.resume();
      this.#accept(handler, held, true);
      if (this.#ended) this.end();
    } catch (refusal) {
      this.#refuse(refusal);
    }
  }

  // --- The response -----------------------------------------------------------------------------

  #accept(handler: AnyHandler, rest: Uint8Array, owned: boolean): void {
    const connection = this.#connection;
    const { head, version } = connection;
    if (head === null) return;
    const { response, subprotocol, deflate } = negotiate(handler, {
      head,
      version,
      headers: this.#fields,
    });
    connection.subprotocol = subprotocol;
    if (this.#isOver) return;
    this.#write(response);
    if (version !== "draft76") return this.#done(rest, owned, deflate);
    this.#state = "key3";
    this.#readKey3(rest, owned);
  }

  #readKey3(chunk: Uint8Array, owned: boolean): void {
    const missing = KEY3_LENGTH - this.#held.length;
    this.#held.push(chunk.subarray(0, missing), false);
    if (chunk.length < missing) return;
    const key3 = this.#held.take();
    if (this.#challenge === null) return;
    this.#connection.writer.output().append(challengeResponse(this.#challenge, key3));
    this.#done(chunk.subarray(missing), owned);
  }

  #done(rest: Uint8Array, owned: boolean, deflate?: AgreedDeflate): void {
    this.#state = "left";
    const { version, context } = this.#connection;
    context.wheel.remove(this);
    this.#connection.accepted(
      createServerProtocol(version, context.settings, deflate?.parameters),
      rest,
      owned,
    );
  }

  #write(head: string): void {
    const output = this.#connection.writer.output();
    const at = output.reserve(head.length);
    output.length = writeLatin1(head, output.bytes, at);
  }

  // --- Plain HTTP and refusals ------------------------------------------------------------------

  #servePlain(head: RequestHead, rest: Uint8Array): void {
    const connection = this.#connection;
    const { settings, routes } = connection.context;
    if (settings.fetch !== undefined) {
      this.#state = "http";
      connection.context.counters.requests++;
      this.#exchange = new HttpExchange(plainResponse(connection, head, this), settings.fetch);
      this.#exchange.data(rest);
      return;
    }
    matchRoute(routes, head);
    throw upgradeRequired(settings.versions);
  }

  #count(reason: RefusalReason, status?: number): void {
    this.#connection.context.refused(this.#connection, reason, status);
  }

  /** Refuses a handshake after its 101 was sent. */
  #drop(reason: RefusalReason): void {
    this.#count(reason);
    this.#state = "over";
    this.abort();
  }

  #refuse(thrown: unknown): void {
    const connection = this.#connection;
    const error = caught(thrown);
    const isForClient = error instanceof HttpError || error instanceof ProtocolError;
    if (!isForClient) connection.report(error);
    if (this.#isOver) return;
    const isAnswered = this.#state === "key3";
    this.#state = "over";
    if (error instanceof ProtocolError) logSilentEnd(connection, error.message);
    const isSilent = error instanceof ProtocolError || isAnswered;
    const answer = isSilent ? "" : refusalResponse(error, connection);
    this.#count(reasonOf(error), isSilent ? undefined : statusOf(answer));
    if (isSilent) this.abort();
    else this.#answer(answer);
  }

  #answer(answer: string): void {
    // The access log, which was called before, may have closed the connection.
    if (this.#state === "left") return;
    this.#state = "over";
    this.#write(answer);
    this.finish();
  }
}

/** Returns the refusal reason of an error. */
function reasonOf(error: unknown): RefusalReason {
  if (error instanceof Refusal) return error.reason;
  // Thrown for draft75 and draft76, which send no response to a malformed request.
  if (error instanceof ProtocolError) return "handshake";
  return error instanceof HttpError ? "handler" : "error";
}
