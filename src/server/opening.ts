/**
 * A WebSocket handshake, from the parsed request to the response: finds the route, checks the rules,
 * calls the handler, and writes a 101 or a refusal. Works for HTTP/1 and HTTP/2.
 *
 * A refusal is an error. An `HttpError` becomes an HTTP response. A `ProtocolError` closes the
 * connection without one, as draft75 and draft76 require.
 *
 * @module
 */
import type { AgreedDeflate } from "../connection/compression.ts";
import type { EndedBy } from "../connection/connection_end.ts";
import { cork, corked, uncork } from "../connection/cork.ts";
import { createServerProtocol } from "../connection/create_protocol.ts";
import { HeldBytes } from "../connection/held_bytes.ts";
import { Linger } from "../connection/linger.ts";
import { HttpError, ProtocolError, Refusal, type RefusalReason } from "../errors.ts";
import { caught, isThenable, requireSync } from "../guard.ts";
import { type ChallengeParts, challengeResponse, KEY3_LENGTH } from "../handshake/challenge.ts";
import { checkHandshakeField } from "../handshake/head_writer.ts";
import { isDraft, upgradeRequired, type WebSocketVersion } from "../handshake/versions.ts";
import type { Link, Timed } from "../timing/timing_wheel.ts";
import type { TransportEvents } from "../transport/transport.ts";
import type { AnyHandler } from "./handler.ts";
import { limitsOf } from "./handler_limits.ts";
import { type HandshakeResult, negotiate } from "./negotiation.ts";
import { checkOrigin, checkRunning, logSilentEnd } from "./request_checks.ts";
import { matchRoute } from "./routes.ts";
import type { ServerConnection } from "./server_connection.ts";

const EMPTY = new Uint8Array(0);

/** A phase of a connection before it is a WebSocket. Another phase may follow it. */
export interface OpeningPhase extends TransportEvents, Timed {
  /** Adds a field to the 101. @throws {TypeError} If it is malformed, or the 101 was sent. */
  setHeader(name: string, value: string): void;
  /** Closes the connection at once, without a response. */
  abort(): void;
  /** Refuses the request because the server shuts down. */
  shutdown(): void;
}

/**
 * Writes the responses to handshakes, as HTTP/1 or HTTP/2. Connections may share one responder.
 */
export interface Responder {
  /**
   * Checks a handshake by the rules of its version.
   *
   * @returns The first two keys of draft76; `null` in other versions.
   * @throws {Refusal | ProtocolError} If a rule is broken.
   */
  check(connection: ServerConnection): ChallengeParts | null;
  /** Writes the response that opens the WebSocket. */
  accept(connection: ServerConnection, handler: AnyHandler, result: HandshakeResult): void;
  /**
   * Writes the response to an error: the status of an `HttpError`, else 500. Does not close the
   * connection.
   *
   * @returns The status.
   */
  refuse(connection: ServerConnection, error: unknown): number;
}

/**
 * - `deciding`: calling the handler's synchronous hooks
 * - `preparing`: waiting for the handler's `prepare()`
 * - `key3`: the 101 of draft76 was sent; receiving the 8 bytes after the request head
 * - `over`: refused
 * - `left`: established, or closing
 */
type State = "deciding" | "preparing" | "key3" | "over" | "left";

/** One connection's handshake. */
export class Opening implements OpeningPhase {
  /** See {@linkcode Timed}. */
  deadline = 0;
  /** See {@linkcode Timed}. */
  before: Link | null = null;
  /** See {@linkcode Timed}. */
  after: Link | null = null;
  readonly #connection: ServerConnection;
  readonly #responder: Responder;
  #state: State = "deciding";
  /** Unused bytes after the head. Created on first use. */
  #held: HeldBytes | null = null;
  /** Fields of the 101 that the handler has set. */
  #fields: [name: string, value: string][] | null = null;
  /** The first two keys of draft76. */
  #challenge: ChallengeParts | null = null;
  /** Whether the client has sent FIN. */
  #ended = false;

  /** @param connection The connection; it has a head. @param responder Writes the response. */
  constructor(connection: ServerConnection, responder: Responder) {
    this.#connection = connection;
    this.#responder = responder;
  }

  /** See {@linkcode OpeningPhase.setHeader}. */
  setHeader(name: string, value: string): void {
    if (this.#state !== "deciding" && this.#state !== "preparing") {
      throw new TypeError(`Cannot set header ${name}: the response was already sent`);
    }
    checkHandshakeField(name, value);
    (this.#fields ??= []).push([name, value]);
  }

  // --- Events of the transport ------------------------------------------------------------------

  /** See {@linkcode TransportEvents.data}. */
  data(chunk: Uint8Array): void {
    const { transport, writer } = this.#connection;
    cork();
    try {
      writer.environment.traffic.bytesIn += chunk.length;
      if (this.#state === "preparing") this.#hold(chunk, false);
      else if (this.#state === "key3") this.#readKey3(chunk, transport.transfersChunks === true);
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
    this.#ended = true;
    if (this.#state === "key3") this.abort();
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
    const isPaused = this.#state === "preparing";
    this.#leave();
    endSocket(this.#connection, isPaused);
    transport.destroy();
  }

  /** Ends the opening. @returns False if it had ended before. */
  #leave(): boolean {
    if (this.#state === "left") return false;
    if (this.#state !== "over") this.#count("gone");
    this.#state = "left";
    this.#connection.context.wheel.remove(this);
    this.#connection.refused();
    return true;
  }

  /** See {@linkcode Timed.expire}: `handshakeTimeout` has passed. */
  expire(): void {
    if (this.#state === "preparing") {
      this.refuse(new Refusal(503, "prepare() took too long", { reason: "timeout" }));
    } else {
      logSilentEnd(
        this.#connection,
        "key3 must arrive within handshakeTimeout; a proxy may have dropped it",
      );
      this.#drop("timeout");
    }
  }

  /** See {@linkcode OpeningPhase.shutdown}. A pending `prepare()` settles before the refusal. */
  shutdown(): void {
    if (this.#state === "key3") this.#drop("stopping");
  }

  /** Refuses a handshake after its 101 was sent. */
  #drop(reason: RefusalReason): void {
    this.#count(reason);
    this.#state = "over";
    this.abort();
  }

  // --- The decision -----------------------------------------------------------------------------

  /**
   * Finds the handler and calls its hooks. Call `admit` before.
   *
   * @param version The protocol version.
   * @param rest The bytes that arrived after the head.
   * @param owned Whether a reference to them may be kept.
   */
  decide(version: WebSocketVersion, rest: Uint8Array, owned: boolean): void {
    try {
      const connection = this.#connection;
      const { head, context } = connection;
      if (head === null) return;
      context.handshakeRates?.admit(connection.remoteAddress);
      const match = matchRoute(context.routes, head);
      connection.version = version;
      connection.match = match;
      this.#challenge = this.#responder.check(connection);
      if (rest.length > 0) this.#hold(rest, owned);
      const handler = new match.handler(context.application, connection, match.options);
      connection.handler = handler;
      requireSync("initialize", handler.initialize(match.options));
      this.#ask(handler);
    } catch (error) {
      this.refuse(error);
    }
  }

  #ask(handler: AnyHandler): void {
    const connection = this.#connection;
    const { context, version } = connection;
    if (isDraft(version) && !requireSync("allowDraft76", handler.allowDraft76())) {
      throw upgradeRequired(context.settings.versions.filter((other) => !isDraft(other)));
    }
    checkOrigin(connection, handler);
    // The hooks may have closed the connection.
    if (this.#isOver) return;
    const prepared: unknown = handler.prepare();
    if (!isThenable(prepared)) return this.#acceptInContext(handler);
    if (!this.#isOver) {
      this.#state = "preparing";
      connection.transport.pause();
    }
    Promise.resolve(prepared).then(
      () => corked(() => this.#prepared(handler)),
      (error) => corked(() => this.refuse(error)),
    );
  }

  get #isOver(): boolean {
    return this.#state === "over" || this.#state === "left";
  }

  #prepared(handler: AnyHandler): void {
    if (this.#isOver) return;
    try {
      checkRunning(this.#connection);
      this.#state = "deciding";
      this.#connection.transport.resume();
      this.#acceptInContext(handler);
      if (this.#ended) this.end();
    } catch (refusal) {
      this.refuse(refusal);
    }
  }

  // --- The response -----------------------------------------------------------------------------

  /** Calls the hooks after `prepare()` in the context that it may have set. */
  #acceptInContext(handler: AnyHandler): void {
    const { hookContext } = this.#connection;
    if (hookContext === null) this.#accept(handler);
    else hookContext(() => this.#accept(handler));
  }

  #accept(handler: AnyHandler): void {
    const connection = this.#connection;
    const { head, version, context } = connection;
    if (head === null) return;
    const limits = limitsOf(handler, context.settings);
    if (limits !== context.settings) {
      connection.environment = connection.writer.environment = {
        ...connection.environment,
        limits,
      };
    }
    const { subprotocol, deflate } = negotiate(handler, head, version);
    connection.subprotocol = subprotocol;
    if (this.#isOver) return;
    this.#responder.accept(connection, handler, {
      subprotocol,
      deflate,
      headers: this.#fields ?? undefined,
    });
    if (this.#isOver) return;
    const held = this.#takeHeld();
    if (version !== "draft76") return this.#done(held, true, deflate);
    this.#state = "key3";
    this.#readKey3(held, true);
  }

  #hold(bytes: Uint8Array, owned: boolean): void {
    this.#held ??= new HeldBytes();
    this.#held.push(bytes, owned);
  }

  #takeHeld(): Uint8Array {
    const held = this.#held?.take() ?? EMPTY;
    this.#held = null;
    return held;
  }

  #readKey3(chunk: Uint8Array, owned: boolean): void {
    const missing = KEY3_LENGTH - (this.#held?.length ?? 0);
    this.#hold(chunk.subarray(0, missing), false);
    if (chunk.length < missing) return;
    const key3 = this.#takeHeld();
    if (this.#challenge === null) return;
    this.#connection.writer.output().append(challengeResponse(this.#challenge, key3));
    this.#done(chunk.subarray(missing), owned);
  }

  #done(rest: Uint8Array, owned: boolean, deflate?: AgreedDeflate): void {
    this.#state = "left";
    const { version, context, environment } = this.#connection;
    context.wheel.remove(this);
    this.#connection.accepted(
      createServerProtocol(version, environment.limits, deflate?.parameters),
      rest,
      owned,
    );
  }

  /** Refuses the request. @param thrown The error. It is logged unless it is an `HttpError`. */
  refuse(thrown: unknown): void {
    const connection = this.#connection;
    const error = caught(thrown);
    const isForClient = error instanceof HttpError || error instanceof ProtocolError;
    if (!isForClient) connection.report(error);
    if (this.#isOver) return;
    const isSilent = error instanceof ProtocolError;
    const isPaused = this.#state === "preparing";
    this.#state = "over";
    if (isSilent) logSilentEnd(connection, error.message);
    const status = isSilent ? undefined : this.#responder.refuse(connection, error);
    this.#count(reasonOf(error), status);
    if (isSilent) return this.abort();
    connection.writer.flush();
    if (this.#leave()) endSocket(connection, isPaused);
  }

  #count(reason: RefusalReason, status?: number): void {
    this.#connection.failedToOpen(endedBy(reason));
    this.#connection.context.refused(this.#connection, reason, status);
  }
}

/** Closes the socket of a connection that is no WebSocket, after the written bytes. */
export function endSocket(connection: ServerConnection, isPaused: boolean): void {
  const { transport, context } = connection;
  if (isPaused) transport.resume();
  new Linger(transport, {
    wheel: context.wheel,
    timeout: context.settings.closeTimeout,
    owner: connection,
  });
  transport.releasePeer?.();
}

/** Returns the refusal reason of an error. */
function reasonOf(error: unknown): RefusalReason {
  if (error instanceof Refusal) return error.reason;
  // Thrown for draft75 and draft76, which send no response to a malformed request.
  if (error instanceof ProtocolError) return "handshake";
  return error instanceof HttpError ? "handler" : "error";
}

/** Returns who has ended a handshake. */
function endedBy(reason: RefusalReason): EndedBy {
  if (reason === "gone") return "network";
  if (reason === "timeout") return "timeout";
  if (reason === "stopping") return "shutdown";
  return reason === "handshake" ? "protocol" : "server";
}
