/**
 * One client of a server: its handshake, its WebSocket connection and its handler.
 *
 * @module
 */
import { Connection } from "../connection/connection.ts";
import { type ConnectionEnd, type EndedBy, unclosed } from "../connection/connection_end.ts";
import { SERVER } from "../connection/connection_options.ts";
import { Lifetime } from "../connection/lifetime.ts";
import { type Message, toPing, toSendable } from "../connection/message.ts";
import { isSource, type MessageSource } from "../connection/message_source.ts";
import { OutgoingMessage } from "../connection/outgoing_message.ts";
import { Writer, type WriterEvents } from "../connection/writer.ts";
import { ProtocolError, WebSocketClosedError } from "../errors.ts";
import { caught, guard, toError } from "../guard.ts";
import { checkCloseCode } from "../protocol/close_frame.ts";
import type { Protocol } from "../protocol/protocol.ts";
import type { Published } from "../pubsub/broadcast.ts";
import { items, type SmallSet } from "../pubsub/small_set.ts";
import type { Subscriber, SubscriptionPolicies } from "../pubsub/subscriber.ts";
import type { Subscribed, SubscribeOptions } from "../pubsub/subscription.ts";
import type { Transport } from "../transport/transport.ts";
import type { HandlerConnection } from "./connection_info.ts";
import { callIn, type HookContext } from "./hook_context.ts";
import type { Context, Owned, Owner, ServerEnvironment } from "./context.ts";
import { CLOSE, HANDSHAKE, OPEN } from "./diagnostics.ts";
import { Dispatcher } from "./dispatcher.ts";
import { EarlyMessages } from "./early_messages.ts";
import { type AnyHandler, WebSocketHandler } from "./handler.ts";
import { HttpConnection } from "./http_connection.ts";
import type { OpeningPhase } from "./opening.ts";
import { RequestingClient } from "./requesting_client.ts";

/** One client, from accept until its socket is closed. */
export class ServerConnection extends RequestingClient
  implements HandlerConnection, Subscriber, Owned, WriterEvents {
  /** See {@linkcode Owned}. */
  index = -1;
  /** The state that all connections of the application share. */
  readonly context: Context;
  /** The server that accepted the connection; `undefined` if there is none. */
  readonly owner: Owner | undefined;
  /** The output of the handshake and of the WebSocket. */
  readonly writer: Writer;
  /** The established WebSocket; `null` before and if the handshake fails. */
  connection: Connection | null = null;
  /** The handler; `null` before its construction. */
  handler: AnyHandler | null = null;
  /** The limits, the counters and the timers. */
  environment: ServerEnvironment;
  /** See {@linkcode Subscriber.topics}. */
  topics: SmallSet<string> = undefined;
  /** See {@linkcode Subscriber.policies}. */
  policies: SubscriptionPolicies | null = null;
  /** See `WebSocketHandler.runHooksIn`. */
  hookContext: HookContext | null = null;

  /** The current phase of the opening; `null` once the handshake is over. */
  #opening: OpeningPhase | null = null;
  /** Messages written during the handshake. Created on first use. */
  #early: EarlyMessages | null = null;
  /** Calls the handler; `null` until the connection is established. */
  #dispatcher: Dispatcher | null = null;
  /** Whether `open()` was called and `onClose()` has not settled. */
  #owesClose = false;
  /** The source of `signal` and `closed`. Created on first use, or when the handshake fails. */
  #lifetime: Lifetime | null = null;
  /** Whether the socket is closed. */
  #gone = false;

  /** @param context Routes and settings. @param transport The socket. @param owner Its server. */
  constructor(context: Context, transport: Transport, owner?: Owner) {
    super(transport);
    this.context = context;
    this.owner = owner;
    this.environment = context.environmentOf(transport);
    this.writer = new Writer(transport, this.environment, this);
  }

  /** Starts to read requests. @param timeLeft The rest of `handshakeTimeout` after TLS. */
  start(timeLeft?: number): void {
    this.startWith(new HttpConnection(this), timeLeft);
  }

  /**
   * Starts with a phase, for example the handshake of a request that was received elsewhere. The phase
   * becomes the receiver of the transport's events.
   *
   * @param timeLeft The rest of `handshakeTimeout`, in milliseconds. Default: `handshakeTimeout`.
   */
  startWith(phase: OpeningPhase, timeLeft?: number): void {
    const { wheel, settings } = this.context;
    this.#opening = phase;
    if (timeLeft !== undefined) wheel.set(phase, timeLeft);
    else if (settings.handshakeTimeout > 0) wheel.set(phase, settings.handshakeTimeout);
    this.transport.events = phase;
  }

  /** Continues with another phase, which gets the time that the last phase has left. */
  continueWith(phase: OpeningPhase, before: OpeningPhase): void {
    this.#opening = phase;
    this.context.wheel.replace(before, phase);
    this.transport.events = phase;
  }

  // --- What a handler can read ------------------------------------------------------------------

  /** See `WebSocketHandler.closeCode`. */
  get closeCode(): number | undefined {
    return this.connection?.closeCode;
  }

  /** See `WebSocketHandler.closeReason`. */
  get closeReason(): string {
    return this.connection?.closeReason ?? "";
  }

  /** Whether the handshake is in progress. */
  get isOpening(): boolean {
    return this.#opening !== null;
  }

  /** See {@linkcode HandlerConnection.end}. */
  get end(): ConnectionEnd | undefined {
    return this.connection?.ended ?? this.#lifetime?.ended;
  }

  /** See {@linkcode HandlerConnection.signal}. */
  get signal(): AbortSignal {
    return (this.#lifetime ??= new Lifetime(this.end)).signal;
  }

  /** See {@linkcode HandlerConnection.closed}. */
  get closed(): Promise<ConnectionEnd> {
    return (this.#lifetime ??= new Lifetime(this.end)).closed;
  }

  /** See {@linkcode HandlerConnection.latency}. */
  get latency(): number | undefined {
    return this.#dispatcher?.latency;
  }

  /** See {@linkcode HandlerConnection.topicNames}. */
  get topicNames(): readonly string[] {
    return items(this.topics);
  }

  /** Adds a field to the 101. @throws {TypeError} If it is too late, or the field is malformed. */
  setHeader(name: string, value: string): void {
    if (this.#opening !== null) return this.#opening.setHeader(name, value);
    throw new TypeError(`Cannot set header ${name}: the response was already sent`);
  }

  // --- What a handler can do --------------------------------------------------------------------

  /** See {@linkcode Subscriber.protocol}. */
  get protocol(): Protocol | null {
    return this.writer.protocol;
  }

  /** See {@linkcode Subscriber.isSlow}. */
  get isSlow(): boolean {
    return this.writer.isSlow;
  }

  /** See {@linkcode HandlerConnection.bufferedAmount}. */
  get bufferedAmount(): number {
    return this.writer.bufferedAmount + (this.#early?.size ?? 0);
  }

  /** See `WebSocketHandler.writeMessage`. */
  writeMessage(message: Message | MessageSource): Promise<void> {
    if (typeof message !== "string" && isSource(message)) {
      const pieces = new OutgoingMessage(message, (thrown) => this.failed(thrown));
      if (this.#opening === null) return this.writer.writePieces(pieces);
      return (this.#early ??= new EarlyMessages()).addPieces(pieces);
    }
    if (this.writer.protocol === null) return this.#writeEarly(message);
    return this.writer.writeMessage(message);
  }

  /** See {@linkcode Subscriber.writeFrame}. */
  writeFrame(frame: Uint8Array): void {
    this.writer.writeFrame(frame);
  }

  /** Keeps a message until the handshake is complete. Rejects if the handshake has failed. */
  #writeEarly(message: Message): Promise<void> {
    const payload = toSendable(message, this.version);
    if (this.#opening === null) return this.writer.refuse();
    const early = this.#early ??= new EarlyMessages();
    if (early.add(payload, this.context.settings)) return this.writer.ready();
    this.#abortOpening("overflow");
    return this.writer.refuse();
  }

  /** See `WebSocketHandler.ping`. */
  ping(payload: string | Uint8Array): void {
    const bytes = toPing(payload, this.version);
    this.connection?.ping(bytes);
  }

  /** See `WebSocketHandler.close`. */
  close(code?: number, reason = ""): void {
    checkCloseCode(code, reason);
    if (this.connection !== null) this.connection.close(code, reason);
    else this.#abortOpening("server");
  }

  /** See `WebSocketHandler.abort`. */
  abort(): void {
    if (this.connection !== null) this.connection.abort();
    else this.#abortOpening("server");
  }

  /** Ends the handshake, if it is in progress. */
  #abortOpening(by: EndedBy): void {
    if (this.#opening === null) return;
    this.failedToOpen(by);
    this.#opening.abort();
  }

  /** See {@linkcode HandlerConnection.runHooksIn}. */
  runHooksIn(context: HookContext): void {
    this.hookContext = context;
  }

  /** See `WebSocketHandler.setNodelay`. */
  setNoDelay(on: boolean): void {
    this.transport.setNoDelay(on);
  }

  /** See `WebSocketHandler.subscribe`. */
  subscribe(topic: string, options?: SubscribeOptions): Promise<Subscribed> {
    return this.context.topics.subscribe(this, topic, options);
  }

  /** See `WebSocketHandler.unsubscribe`. */
  unsubscribe(topic: string): void {
    this.context.topics.unsubscribe(this, topic);
  }

  /** See `WebSocketHandler.publish`. */
  publish(topic: string, message: Message): Published {
    return this.context.topics.publish(topic, message, this);
  }

  // --- The end of the handshake -----------------------------------------------------------------

  /**
   * Establishes the WebSocket: sends the early messages, calls `open()`, and reads on.
   *
   * @param rest The bytes that arrived after the handshake.
   * @param owned Whether `rest` may be kept after the call.
   */
  accepted(protocol: Protocol, rest: Uint8Array, owned: boolean): void {
    const { context, match } = this;
    const early = this.#early;
    this.#early = this.#opening = null;
    const dispatcher = new Dispatcher(this);
    const connection = this.connection = new Connection(this.transport, {
      role: SERVER,
      protocol,
      writer: this.writer,
      receiver: dispatcher,
      environment: this.environment,
    });
    this.#dispatcher = dispatcher;
    early?.send(this.writer);
    if (!connection.isOpen) return;
    dispatcher.limit(connection);
    this.#owesClose = true;
    if (match !== null) context.counters.open(match.pattern, this.version);
    context.accessLog?.handshake(this);
    if (HANDSHAKE.isObserved) HANDSHAKE.publish(this, 101);
    dispatcher.call((handler) =>
      OPEN.isObserved
        ? OPEN.run(() => handler.open(...this.pathArgs), handler)
        : handler.open(...this.pathArgs)
    );
    if (rest.length > 0) connection.reader.receive(rest, owned);
    this.head?.share(context.heads);
  }

  /** See {@linkcode WriterEvents.overflow}. Until then, `EarlyMessages` has the limit. */
  overflow(): void {}
  /** See {@linkcode WriterEvents.congested}. */
  congested(): void {}
  /** See {@linkcode WriterEvents.drained}. */
  drained(): void {}

  /** Called when the handshake of a handler has failed. The first cause counts. */
  failedToOpen(by: EndedBy): void {
    if (this.handler !== null) (this.#lifetime ??= new Lifetime()).end(unclosed(by, undefined));
  }

  /** Called if the handshake is refused or fails, and after plain HTTP. */
  refused(): void {
    this.#early?.stop(this.writer.closedError());
    this.#opening = this.#early = null;
    this.writer.stop();
  }

  // --- Errors -----------------------------------------------------------------------------------

  /** Logs an exception of a callback, and closes the connection with 1011. */
  failed(thrown: unknown): void {
    const { connection } = this;
    const error = caught(thrown);
    // A handler that awaits `writeMessage` throws this error when the client leaves. It is no fault.
    if (!connection?.isOpen && error instanceof WebSocketClosedError) return;
    this.report(error);
    connection?.fail(new ProtocolError(1011, "internal error"), "server", toError(error));
  }

  /** Logs an error of the application. */
  report(error: unknown): void {
    this.context.report(this, error);
  }

  /** See {@linkcode HandlerConnection.logException}. */
  logException(error: unknown): void {
    this.context.log(`Uncaught exception in ${JSON.stringify(this.head?.path ?? "")}:`, error);
  }

  /** See `WebSocketHandler.asyncCallback`. */
  guard<Result>(callback: () => Result): Result | undefined {
    return guard(callback, (error) => this.failed(error));
  }

  // --- The end ----------------------------------------------------------------------------------

  /** See {@linkcode Owned.shutdown}. All received messages are handled first. */
  shutdown(code: number, reason: string): void {
    if (this.#dispatcher === null) this.#opening?.shutdown();
    else this.#dispatcher.closeWhenIdle(code, reason);
  }

  /** Called when no more messages can be written. */
  closing(): void {
    this.context.topics.unsubscribeAll(this);
  }

  /** Called when no more messages will be delivered. Calls `onClose()`, once. */
  ended(end: ConnectionEnd): void {
    this.#lifetime?.end(end);
    if (!this.#owesClose) return;
    if (this.match !== null) {
      this.context.counters.close(this.match.pattern, this.version, end.code);
    }
    this.context.accessLog?.close(this, end);
    if (!this.#hasOnClose) {
      this.#owesClose = false;
      return this.#release();
    }
    // In a microtask: the handler may be inside the call that has ended the connection.
    queueMicrotask(() => this.#callOnClose(end));
  }

  /** Whether `onClose()` does anything. A microtask for one that does not takes 0.3 µs on Node. */
  get #hasOnClose(): boolean {
    return this.handler?.onClose !== WebSocketHandler.prototype.onClose || CLOSE.isObserved;
  }

  #callOnClose(end: ConnectionEnd): void {
    const handler = this.handler as AnyHandler; // its `open()` was called
    const { hookContext } = this;
    const call = (): unknown =>
      CLOSE.isObserved ? CLOSE.run(() => handler.onClose(), handler, end) : handler.onClose();
    guard((): unknown => callIn(hookContext, call), (error) => this.failed(error), () => {
      this.#owesClose = false;
      this.#release();
    });
  }

  /** Called when the socket is closed. */
  gone(): void {
    this.#gone = true;
    this.context.forget(this);
    this.#release();
  }

  /** Tells the server when both the socket is closed and the handler is done. */
  #release(): void {
    const isOver = this.connection === null || !this.connection.isLive;
    if (this.#gone && isOver && !this.#owesClose) this.owner?.forget(this);
  }

  /** See {@linkcode Owned.terminate}. */
  terminate(): void {
    if (this.connection !== null) this.connection.abort("shutdown");
    else this.#abortOpening("shutdown");
    this.transport.destroy(); // A closed connection may wait for FIN.
    this.#owesClose = false;
    this.#release();
  }
}
