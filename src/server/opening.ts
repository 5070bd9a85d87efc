/**
 * The opening of a connection: request head → route → handler → 101, or a refusal, or plain HTTP.
 *
 * It lives from the first byte to the 101. Refusals are errors: an `HttpError` is answered, and a
 * `ProtocolError` ends the connection without an answer, which is what draft75 and draft76 ask for.
 *
 * @module
 */
import { caught, isThenable, requireSync } from "../guard.ts";
import type { Connection } from "./server_connection.ts";
import { type AgreedDeflate, agreeOnDeflate } from "../connection/compression.ts";
import { checkHost, parseForwarded } from "./trusted_proxy.ts";
import { HttpError, ProtocolError } from "../errors.ts";
import { corked } from "../connection/cork.ts";
import type { WebSocketHandler } from "./handler.ts";
import { checkDraft75, draft75Response } from "../handshake/draft75.ts";
import {
  type ChallengeParts,
  challengeResponse,
  checkDraft76,
  draft76Response,
  KEY3_LENGTH,
  webSocketLocation,
} from "../handshake/draft76.ts";
import { checkBodiless } from "../handshake/bodiless.ts";
import { parseExtensions } from "../handshake/extensions.ts";
import type { HeadReader } from "../handshake/head_reader.ts";
import { writeLatin1 } from "../handshake/latin1.ts";
import type { RequestHead } from "../handshake/request_head.ts";
import { checkHandshakeField } from "../handshake/response.ts";
import { checkRfc6455, originOf, rfc6455Response } from "../handshake/rfc6455.ts";
import { offeredSubprotocols } from "../handshake/subprotocols.ts";
import { detectVersion, isDraft, upgradeRequired } from "../handshake/versions.ts";
import { refusalResponse } from "../http/error_response.ts";
import { HttpExchange } from "../http/exchange.ts";
import { OPTIONS_ANSWER } from "../http/options_answer.ts";
import { createProtocol } from "../protocol/create.ts";
import { type Match, matchRoute } from "./routes.ts";
import { type RefusalReason, refusalReason, type RefusalStage } from "../metrics/counters.ts";

const EMPTY = new Uint8Array(0);

/**
 * - `head`: the request head is arriving, or its handler decides at once;
 * - `preparing`: the handler's `prepare()` is pending;
 * - `key3`: draft76's 101 is out, and its last 8 bytes are arriving;
 * - `http`: a plain HTTP exchange;
 * - `over`: accepted, refused or gone.
 */
type State = "head" | "preparing" | "key3" | "http" | "over";

/** One connection's opening. */
export class Opening {
  readonly #connection: Connection;
  /** Lent by the context, as long as the head is arriving. */
  #reader: HeadReader | null = null;
  #state: State = "head";
  /** What would refuse it now. */
  #stage: RefusalStage = "request";
  /** Bytes behind the head that wait. */
  #held: Uint8Array = EMPTY;
  /** Extra fields of the 101. */
  #fields: [name: string, value: string][] = [];
  /** draft76's first two keys. */
  #challenge: ChallengeParts | null = null;
  #exchange: HttpExchange | null = null;
  #ended = false;

  /** @param connection The connection that opens. */
  constructor(connection: Connection) {
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

  // --- What happens -----------------------------------------------------------------------------

  /** See `TransportEvents.data`. */
  data(chunk: Uint8Array, given: boolean): void {
    if (this.#state === "head") this.#readHead(chunk, given);
    else if (this.#state === "preparing") this.#hold(chunk);
    else if (this.#state === "key3") this.#readKey3(chunk, given);
    else if (this.#state === "http") this.#exchange?.data(chunk);
  }

  /** The client sends nothing more. */
  end(): void {
    this.#ended = true;
    if (this.#state === "head" || this.#state === "key3") this.#connection.abort();
    else if (this.#state === "http") this.#exchange?.end();
  }

  /** The connection is over. */
  gone(): void {
    if (!this.#isOver && this.#state !== "http") this.#count("gone");
    this.#state = "over";
    this.#exchange?.gone();
  }

  /** The setting `handshakeTimeout` has passed. */
  late(): void {
    if (this.#state === "head") {
      this.#refuse(new HttpError(408, "the request took too long"), "timeout");
    } else if (this.#state === "preparing") {
      this.#refuse(new HttpError(503, "prepare() took too long"), "timeout");
    } else if (this.#state === "http") this.#exchange?.late();
    else {
      this.#logSilent("key3 must come within handshakeTimeout; a proxy may have kept it");
      this.#drop("timeout");
    }
  }

  /** The server stops. */
  shutdown(): void {
    if (this.#state === "head") {
      this.#refuse(new HttpError(503, "the server is shutting down"), "stopping");
    } else if (this.#state === "key3") this.#drop("stopping");
  }

  // --- The request ------------------------------------------------------------------------------

  #readHead(chunk: Uint8Array, given: boolean): void {
    try {
      const { context } = this.#connection;
      const reader = this.#reader ??= context.takeHeadReader();
      const head = reader.read(chunk);
      if (head === undefined) return;
      this.#connection.head = head;
      const { consumed } = reader;
      this.#reader = null;
      context.giveHeadReader(reader);
      this.#route(head, consumed === chunk.length ? EMPTY : chunk.subarray(consumed), given);
    } catch (error) {
      this.#refuse(error);
    }
  }

  #route(head: RequestHead, rest: Uint8Array, given: boolean): void {
    const connection = this.#connection;
    const { settings, routes } = connection.context;
    this.#checkRunning();
    checkHost(head, settings);
    connection.forwarded = parseForwarded(head, connection.transport, settings);
    if (connection.forwarded !== null && !connection.context.readmit(connection)) {
      throw new HttpError(503, "too many connections (maxConnectionsPerAddress)");
    }
    if (head.target === "*") {
      connection.context.counters.requests++;
      return this.#finish(OPTIONS_ANSWER);
    }
    const version = detectVersion(head, settings.versions);
    if (version === undefined) return this.#servePlain(head, rest);
    const match = matchRoute(routes, head);
    connection.version = version;
    connection.match = match;
    this.#stage = "handshake";
    this.#checkVersion(head);
    this.#construct(match, rest, given);
  }

  #checkRunning(): void {
    if (this.#connection.owner?.stopping) {
      throw new HttpError(503, "the server is shutting down");
    }
  }

  #checkVersion(head: RequestHead): void {
    const { version, secure, context } = this.#connection;
    if (!isDraft(version)) checkRfc6455(head);
    else if (context.settings.secureDraftsOnly && !secure) {
      throw new HttpError(403, `${version} is spoken over TLS only`);
    } else if (version === "draft76") this.#challenge = checkDraft76(head);
    else checkDraft75(head);
    checkBodiless(head, version);
  }

  // --- The handler ------------------------------------------------------------------------------

  #construct(match: Match, rest: Uint8Array, given: boolean): void {
    const connection = this.#connection;
    const { context, version } = connection;
    this.#stage = "handler";
    const handler = new match.handler(context.application, connection, match.options);
    connection.handler = handler;
    requireSync("initialize", handler.initialize(match.options));
    if (isDraft(version) && !requireSync("allowDraft76", handler.allowDraft76())) {
      this.#stage = "handshake";
      throw upgradeRequired(context.settings.versions.filter((other) => !isDraft(other)));
    }
    this.#stage = "origin";
    this.#checkOrigin(handler);
    this.#stage = "handler";
    // Any of the hooks may have ended the connection.
    if (this.#isOver) return;
    const prepared: unknown = handler.prepare();
    if (!isThenable(prepared)) return this.#accept(handler, rest, given);
    if (!this.#isOver) {
      this.#state = "preparing";
      this.#held = rest.slice();
      connection.holdReading();
    }
    Promise.resolve(prepared).then(
      () => corked(() => this.#prepared(handler)),
      (error) => corked(() => this.#refuse(error)),
    );
  }

  get #isOver(): boolean {
    return this.#state === "over";
  }

  #checkOrigin(handler: WebSocketHandler): void {
    const { head, version } = this.#connection;
    const origin = head === null ? undefined : originOf(head, version);
    if (origin === undefined || requireSync("checkOrigin", handler.checkOrigin(origin))) return;
    const own = `${schemeOf(handler)}://${head?.host ?? ""}`;
    throw new HttpError(403, `the origin ${JSON.stringify(origin)} may not connect to ${own}`);
  }

  #prepared(handler: WebSocketHandler): void {
    if (this.#isOver) return;
    try {
      this.#checkRunning();
      const held = this.#held;
      this.#held = EMPTY;
      this.#connection.releaseReading();
      this.#accept(handler, held, true);
      if (this.#ended) this.end();
    } catch (refusal) {
      this.#refuse(refusal);
    }
  }

  // --- The answer -------------------------------------------------------------------------------

  #accept(handler: WebSocketHandler, rest: Uint8Array, given: boolean): void {
    const connection = this.#connection;
    const { head, version } = connection;
    if (head === null) return;
    const subprotocol = this.#selectSubprotocol(handler, head);
    const deflate = isDraft(version) ? undefined : this.#negotiateDeflate(handler, head);
    const answer = this.#answer(handler, head, { subprotocol, extensions: deflate?.response });
    if (this.#isOver) return;
    this.#write(answer);
    if (version !== "draft76") return this.#done(rest, given, deflate);
    this.#state = "key3";
    this.#readKey3(rest, given);
  }

  #answer(
    handler: WebSocketHandler,
    head: RequestHead,
    { subprotocol: protocol, extensions }: {
      subprotocol: string | undefined;
      extensions: string | undefined;
    },
  ): string {
    const { version } = this.#connection;
    const headers = this.#fields;
    if (!isDraft(version)) {
      const key = head.get("sec-websocket-key") ?? "";
      return rfc6455Response({ key, extensions, protocol, headers });
    }
    const location = webSocketLocation(schemeOf(handler), head);
    const answer = { origin: head.get("origin"), location, protocol, headers };
    return version === "draft76" ? draft76Response(answer) : draft75Response(answer);
  }

  #negotiateDeflate(handler: WebSocketHandler, head: RequestHead): AgreedDeflate | undefined {
    const offered = head.get("sec-websocket-extensions");
    // Also where compression is off: what is malformed is refused.
    const offers = offered === undefined ? [] : parseExtensions(offered);
    const options = requireSync("getCompressionOptions", handler.getCompressionOptions());
    if (options === undefined || offers.length === 0) return undefined;
    return agreeOnDeflate(offers, options);
  }

  #selectSubprotocol(handler: WebSocketHandler, head: RequestHead): string | undefined {
    const offered = offeredSubprotocols(head, this.#connection.version);
    if (offered.length === 0) return undefined;
    const chosen = requireSync("selectSubprotocol", handler.selectSubprotocol(offered));
    if (chosen !== undefined && !offered.includes(chosen)) {
      throw new TypeError(`Cannot select subprotocol ${JSON.stringify(chosen)}: not offered`);
    }
    this.#connection.subprotocol = chosen;
    return chosen;
  }

  #readKey3(chunk: Uint8Array, given: boolean): void {
    const missing = KEY3_LENGTH - this.#held.length;
    if (chunk.length < missing) return this.#hold(chunk);
    const key3 = concat(this.#held, chunk.subarray(0, missing));
    this.#held = EMPTY;
    if (this.#challenge === null) return;
    this.#connection.output().append(challengeResponse(this.#challenge, key3));
    this.#done(chunk.subarray(missing), given);
  }

  #done(rest: Uint8Array, given: boolean, deflate?: AgreedDeflate): void {
    this.#state = "over";
    const { version, context } = this.#connection;
    this.#connection.accepted(
      createProtocol(version, context.settings, deflate?.parameters),
      rest,
      given,
    );
  }

  #hold(chunk: Uint8Array): void {
    this.#held = concat(this.#held, chunk);
  }

  #write(head: string): void {
    const output = this.#connection.output();
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
      this.#exchange = new HttpExchange(connection, head, settings.fetch);
      this.#exchange.data(rest);
      return;
    }
    matchRoute(routes, head);
    throw upgradeRequired(settings.versions);
  }

  #count(reason: RefusalReason): void {
    this.#connection.context.counters.refused[reason]++;
  }

  /** Ends a handshake that can't be answered any more. */
  #drop(reason: RefusalReason): void {
    this.#count(reason);
    this.#state = "over";
    this.#connection.abort();
  }

  #refuse(thrown: unknown, reason?: RefusalReason): void {
    const connection = this.#connection;
    const error = caught(thrown);
    const isForClient = error instanceof HttpError || error instanceof ProtocolError;
    if (!isForClient) connection.report(error);
    if (this.#isOver) return;
    this.#count(reason ?? this.#reasonFor(error));
    const isAnswered = this.#state === "key3";
    this.#state = "over";
    if (error instanceof ProtocolError) this.#logSilent(error.message);
    if (error instanceof ProtocolError || isAnswered) return connection.abort();
    this.#finish(refusalResponse(error, connection));
  }

  /** The client learns nothing, so that the log is all that tells why. */
  #logSilent(because: string): void {
    const { context, version, head } = this.#connection;
    const path = JSON.stringify(head?.path ?? "");
    const what = `Ended a ${version} handshake for ${path} without an answer`;
    context.limitedLog.write("handshake", `${what}: ${because}`);
  }

  #finish(answer: string): void {
    this.#state = "over";
    this.#write(answer);
    this.#connection.leave();
  }

  #reasonFor(error: unknown): RefusalReason {
    const isUnavailable = error instanceof HttpError && error.status === 503;
    if (isUnavailable && this.#connection.owner?.stopping) return "stopping";
    return refusalReason(error, this.#stage);
  }
}

function schemeOf(handler: WebSocketHandler): "ws" | "wss" {
  return requireSync("getWebSocketScheme", handler.getWebSocketScheme());
}

function concat(first: Uint8Array, second: Uint8Array): Uint8Array {
  if (first.length === 0) return second.slice();
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}
