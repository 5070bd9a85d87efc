/**
 * The opening of a connection: request head → route → handler → 101, or a refusal, or plain HTTP.
 *
 * It lives from accept to the 101. Refusals are errors: an `HttpError` is answered, and a
 * `ProtocolError` ends the connection without an answer, which is what draft75 and draft76 ask for.
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
import { OPTIONS_ANSWER } from "../http/options_answer.ts";
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
 * - `head`: the request head is arriving, or its handler decides at once;
 * - `preparing`: the handler's `prepare()` is pending;
 * - `key3`: draft76's 101 is out, and its last 8 bytes are arriving;
 * - `http`: a plain HTTP exchange;
 * - `over`: refused;
 * - `left`: the connection is established, or on its way out.
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
  /** Lent by the context, as long as the head is arriving. */
  #reader: HeadReader<RequestHead> | null = null;
  #state: State = "head";
  /** Bytes behind the head that wait. */
  readonly #held = new HeldBytes();
  /** Extra fields of the 101. */
  readonly #fields: [name: string, value: string][] = [];
  /** draft76's first two keys. */
  #challenge: ChallengeParts | null = null;
  #exchange: HttpExchange | null = null;
  /** Whether a byte has arrived. */
  #hasData = false;
  /** Whether the client sends nothing more. */
  #ended = false;
  /** Whether the transport is paused. */
  #paused = false;

  /** @param connection The connection that opens. */
  constructor(connection: ServerConnection) {
    this.#connection = connection;
  }

  /** Adds a field to the 101. @throws {TypeError} If it is malformed, or the 101 is out. */
  setHeader(name: string, value: string): void {
    if (this.#state !== "head" && this.#state !== "preparing") {
      throw new TypeError(`Cannot set header ${name}: the handshake is answered`);
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

  /** See {@linkcode TransportEvents.end}: the client sends nothing more. */
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

  /** Ends the connection at once and with no answer: there is no handshake to close. */
  abort(): void {
    if (this.#leave()) this.#linger();
    this.#connection.transport.destroy();
  }

  /** Ends the connection after what was written. */
  finish(): void {
    this.#connection.writer.flush();
    if (this.#leave()) this.#linger();
  }

  /** Nothing opens any more. @returns Whether it did until now. */
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
    // Who says nothing gets no answer.
    if (!this.#hasData) this.abort();
    else if (this.#state === "head") {
      this.#refuse(new Refusal(408, "the request took too long", { reason: "timeout" }));
    } else if (this.#state === "preparing") {
      this.#refuse(new Refusal(503, "prepare() took too long", { reason: "timeout" }));
    } else if (this.#state === "http") this.#exchange?.timedOut();
    else {
      logSilentEnd(
        this.#connection,
        "key3 must come within handshakeTimeout; a proxy may have kept it",
      );
      this.#drop("timeout");
    }
  }

  /** The server stops. */
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
      this.#answer(OPTIONS_ANSWER);
      return connection.context.accessLog?.request(connection, statusOf(OPTIONS_ANSWER), true);
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
    // Any of the hooks may have ended the connection.
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

  // --- The answer -------------------------------------------------------------------------------

  #accept(handler: AnyHandler, rest: Uint8Array, owned: boolean): void {
    const connection = this.#connection;
    const { head, version } = connection;
    if (head === null) return;
    const { answer, subprotocol, deflate } = negotiate(handler, {
      head,
      version,
      headers: this.#fields,
    });
    connection.subprotocol = subprotocol;
    if (this.#isOver) return;
    this.#write(answer);
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

  // --- Everything else --------------------------------------------------------------------------

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

  /** Ends a handshake that can't be answered any more. */
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
    // Whoever was told of the refusal may have ended the connection.
    if (this.#state === "left") return;
    this.#state = "over";
    this.#write(answer);
    this.finish();
  }
}

/** The reason that is counted for what was thrown. */
function reasonOf(error: unknown): RefusalReason {
  if (error instanceof Refusal) return error.reason;
  // draft75 and draft76 do not answer a request that breaks their rules.
  if (error instanceof ProtocolError) return "handshake";
  return error instanceof HttpError ? "handler" : "error";
}
