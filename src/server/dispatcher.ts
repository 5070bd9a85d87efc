/**
 * Calls the callbacks of a handler, one at a time and in order.
 *
 * @module
 */
import type { Connection } from "../connection/connection.ts";
import type { ConnectionEnd } from "../connection/connection_end.ts";
import type { ConnectionReceiver } from "../connection/connection_options.ts";
import { corked, expectMore } from "../connection/cork.ts";
import { FloodControl } from "../connection/flood_control.ts";
import { type Event, Inbox, PeerClose, PeerPing, PeerPong } from "../connection/inbox.ts";
import type { IncomingStream } from "../connection/message_stream.ts";
import { RoundTrip } from "../connection/round_trip.ts";
import { ProtocolError } from "../errors.ts";
import type { MessageMemory } from "../protocol/message_memory.ts";
import { isThenable } from "../guard.ts";
import { DONE } from "../timing/turns.ts";
import { type AnyHandler, WebSocketHandler } from "./handler.ts";
import { MESSAGE, MESSAGE_STREAM } from "./diagnostics.ts";
import { callIn, type HookContext } from "./hook_context.ts";
import { IncomingStreams, type StreamDelivery } from "./incoming_streams.ts";
import type { ServerConnection } from "./server_connection.ts";

/** The receiver of a server's connection. It queues events while the handler is busy. */
export class Dispatcher implements ConnectionReceiver, StreamDelivery {
  /** See `Sink.pieces`: set if the handler reads messages as streams. */
  readonly pieces: IncomingStreams | undefined;
  readonly #server: ServerConnection;
  /** Events that wait for the handler. Made when first needed. */
  #inbox: Inbox | null = null;
  /** The number of pending promises of callbacks, plus the streams that the handler is reading. */
  #pending = 0;
  /** Measures round-trip times. Created at the first ping. */
  #roundTrip: RoundTrip | null = null;
  /** The close frame of a shutdown, which is sent after all received messages are handled. */
  #shutdownClose: { readonly code: number; readonly reason: string } | null = null;

  /** @param server The connection with the handler. */
  constructor(server: ServerConnection) {
    this.#server = server;
    const isStreaming = this.#handler.onMessageStream !== undefined;
    this.pieces = isStreaming ? new IncomingStreams(this) : undefined;
  }

  /** The connection. */
  get connection(): Connection {
    // It has no events while it is being constructed.
    return this.#server.connection as Connection;
  }

  get #handler(): AnyHandler {
    // A handshake is accepted only with a handler.
    return this.#server.handler as AnyHandler;
  }

  /** See `Sink.memory`: defined if the handler borrows messages. */
  get memory(): MessageMemory | undefined {
    const { environment, context } = this.#server;
    const isBorrowing = environment.limits.borrowMessages && this.pieces === undefined;
    return isBorrowing ? context.messageMemory : undefined;
  }

  /** Starts to limit how fast the client sends, if it has a rate. */
  limit(connection: Connection): void {
    const { environment: { limits, wheel }, context } = this.#server;
    if (limits.messageRate === undefined && limits.byteRate === undefined) return;
    connection.reader.flood = new FloodControl(limits, wheel, {
      throttled: () => void context.counters.throttled++,
      resumed: () => corked(() => this.resume()),
      refused: (error) => connection.reader.refuse(error),
    });
  }

  // --- Events of the protocol -------------------------------------------------------------------

  /** See `Sink.text`. */
  text(message: string): boolean {
    return this.#arrived(message);
  }

  /** See `Sink.binary`. */
  binary(message: Uint8Array): boolean {
    this.connection.reader.keep(message);
    return this.#arrived(message);
  }

  #arrived(message: string | Uint8Array): boolean {
    const { connection } = this;
    if (!connection.reader.admitMessage()) return false;
    connection.countMessage();
    if (this.isBehind) this.#push(message);
    else this.#deliver(message);
    return connection.reader.mayParse;
  }

  /** See `Sink.ping`. The pong is sent at once. `onPing()` waits for its turn. */
  ping(payload: Uint8Array): boolean {
    if (!this.connection.reader.admitMessage()) return false;
    this.connection.pong(payload);
    // The default callback does nothing, so the ping can be dropped here.
    const isUsed = this.#handler.onPing !== WebSocketHandler.prototype.onPing;
    return this.#controlArrived(isUsed ? new PeerPing(payload) : null);
  }

  /** See `Sink.pong`. */
  pong(payload: Uint8Array): boolean {
    if (!this.connection.reader.admitMessage()) return false;
    const { context } = this.#server;
    const latency = this.#roundTrip?.received(payload, context.wheel.now());
    if (latency !== undefined) context.counters.latency.observe(latency);
    const isUsed = this.#handler.onPong !== WebSocketHandler.prototype.onPong;
    return this.#controlArrived(isUsed ? new PeerPong(payload) : null);
  }

  /** See `ConnectionReceiver.pinged`. */
  pinged(payload: Uint8Array): void {
    this.#roundTrip ??= new RoundTrip();
    this.#roundTrip.sent(payload, this.#server.context.wheel.now());
  }

  /** See `WebSocketHandler.latency`. */
  get latency(): number | undefined {
    return this.#roundTrip?.latency;
  }

  #controlArrived(event: PeerPing | PeerPong | null): boolean {
    const { connection } = this;
    if (event !== null && connection.isOpen) {
      if (this.isBehind) this.#push(event);
      else this.#take(event);
    }
    return connection.reader.mayParse;
  }

  /** See `Sink.close`. The close frame is handled after the waiting messages. */
  close(code: number | undefined, reason: string): boolean {
    const { connection } = this;
    // While closing, a busy handler cannot send anything. So wait only for waiting messages.
    const isBehind = connection.state === "closing" ? this.#waiting > 0 : this.isBehind;
    if (isBehind) {
      this.#push(new PeerClose(code, reason));
      connection.closeWaits(code, reason);
      // Bytes after a close frame are ignored, but FIN matters. A paused socket would not read it.
      connection.reader.stop();
    } else connection.peerClosed(code, reason);
    return false;
  }

  /** See `Receiver.violation`. The error is handled after the waiting messages. */
  violation(error: Error): void {
    if (this.isBehind) this.#push(error);
    else this.#fail(error);
  }

  #fail(error: Error): void {
    if (error instanceof ProtocolError) this.connection.fail(error, "protocol");
    else this.#server.failed(error);
  }

  // --- Taking turns -----------------------------------------------------------------------------

  /** How many events wait for the handler. */
  get #waiting(): number {
    return this.#inbox === null ? 0 : this.#inbox.length;
  }

  /** See `ConnectionReceiver.isBehind`. */
  get isBehind(): boolean {
    return this.#isBusy || this.#waiting > 0;
  }

  get #isBusy(): boolean {
    return this.#pending > 0 && !this.#isFeeding;
  }

  /** See {@linkcode IncomingStreams.isFeeding}. */
  get #isFeeding(): boolean {
    return this.pieces !== undefined && this.pieces.isFeeding;
  }

  /** See `Receiver.hasRoom`. */
  get hasRoom(): boolean {
    const inbox = this.#inbox;
    const streamed = this.pieces === undefined ? 0 : this.pieces.waiting;
    const size = inbox === null ? streamed : inbox.size + streamed;
    return size === 0 || size < this.#server.environment.limits.maxQueuedSize;
  }

  #push(event: Event): void {
    (this.#inbox ??= new Inbox()).push(event);
    expectMore();
  }

  /**
   * Delivers waiting events until the handler is busy or the client reads too slowly.
   */
  resume(): void {
    const { connection } = this;
    while (!this.#isBusy && !connection.writer.congested) {
      const event = this.#inbox?.shift();
      if (event !== undefined) this.#take(event);
      else if (!connection.reader.parseHeld()) break;
    }
    // While the handler is busy, its queue may have room, for instance when a rate allows more.
    connection.reader.parseHeld();
    this.#closeIfIdle(connection);
    connection.settle();
  }

  #take(event: Event): void {
    if (typeof event === "string" || event instanceof Uint8Array) this.#deliver(event);
    else if (event instanceof PeerPing) this.call((handler) => handler.onPing(event.payload));
    else if (event instanceof PeerPong) this.call((handler) => handler.onPong(event.payload));
    else if (event instanceof PeerClose) this.connection.peerClosed(event.code, event.reason);
    else if (event instanceof Error) this.#fail(event);
    else this.#deliverStream(event as IncomingStream); // the only messages in pieces here
  }

  #deliver(message: string | Uint8Array): void {
    if (this.pieces !== undefined) return this.#deliverStream(this.pieces.whole(message));
    if (typeof message !== "string" && this.memory !== undefined) {
      return this.#lend(message, this.memory);
    }
    try {
      const handler = this.#handler;
      const { hookContext } = this.#server;
      const result: unknown = hookContext === null && !MESSAGE.isObserved
        ? handler.onMessage(message)
        : callOnMessage(handler, message, hookContext);
      this.#wait(result);
    } catch (error) {
      this.#server.failed(error);
    }
  }

  /** Calls `onMessage()`. When the handler is done, the memory of the message is given back. */
  #lend(message: Uint8Array, memory: MessageMemory): void {
    this.call((handler) => {
      const result = MESSAGE.isObserved
        ? MESSAGE.run(() => handler.onMessage(message), handler, message)
        : handler.onMessage(message);
      if (isPending(result)) return Promise.resolve(result).finally(() => memory.give(message));
      memory.give(message);
      return undefined;
    });
  }

  /** Calls `onMessageStream()`. Later messages wait until its promise settles and the stream is done. */
  #deliverStream(stream: IncomingStream): void {
    this.#pending++;
    this.pieces?.deliver(stream);
    this.call((handler) => {
      const result = callOnMessageStream(handler, stream);
      if (isThenable(result)) return Promise.resolve(result).finally(() => stream.abandon());
      stream.abandon();
      return undefined;
    });
  }

  /** Calls a callback of the handler. Later events wait for a returned promise. */
  call(hook: (handler: AnyHandler) => unknown): void {
    try {
      const handler = this.#handler;
      const { hookContext } = this.#server;
      this.#wait(hookContext === null ? hook(handler) : hookContext(hook, handler));
    } catch (error) {
      this.#server.failed(error);
    }
  }

  #wait(result: unknown): void {
    if (!isPending(result)) return;
    this.#pending++;
    Promise.resolve(result).then(() => this.#settled(), (error) => {
      this.#server.failed(error);
      this.#settled();
    });
  }

  #settled(): void {
    this.#pending--;
    if (this.#waiting > 0) expectMore();
    corked(() => {
      this.resume();
      this.connection.armCloseTimer();
    });
  }

  /** See `ConnectionReceiver.drained`. */
  drained(): void {
    const server = this.#server;
    if (this.connection.isOpen) {
      // Send the kept messages of topics before newer messages.
      if (server.policies !== null) server.context.topics.catchUp(server);
      this.call((handler) => handler.onDrain());
    }
    this.resume();
  }

  // --- Messages as streams ----------------------------------------------------------------------

  /** See {@linkcode StreamDelivery.streamArrived}. */
  streamArrived(stream: IncomingStream): void {
    if (this.isBehind) this.#push(stream);
    else this.#deliverStream(stream);
  }

  /** See {@linkcode StreamDelivery.pieceTaken}. */
  pieceTaken(): void {
    corked(() => this.resume());
    // The handler makes progress.
    this.connection.armCloseTimer();
  }

  /** See {@linkcode StreamDelivery.streamArrivedWhole}. */
  streamArrivedWhole(): void {
    this.#closeIfIdle(this.connection);
  }

  /** See {@linkcode StreamDelivery.streamDone}. */
  streamDone(): void {
    this.#settled();
  }

  // --- The end ----------------------------------------------------------------------------------

  /** Starts the closing handshake of a shutdown when all received messages are handled. */
  closeWhenIdle(code: number, reason: string): void {
    const { connection } = this;
    if (!connection.isOpen) return;
    this.#shutdownClose = { code, reason };
    this.#closeIfIdle(connection);
  }

  #closeIfIdle(connection: Connection): void {
    if (this.#shutdownClose === null) return;
    // First receive the rest of the message that the handler is reading.
    if (this.#isFeeding) connection.reader.open();
    else connection.reader.close();
    if (this.#pending > 0 || this.#waiting > 0 || connection.reader.isBehind) return;
    const { code, reason } = this.#shutdownClose;
    this.#shutdownClose = null;
    connection.close(code, reason, "shutdown");
    connection.reader.open();
  }

  /** See `ConnectionReceiver.closing`. */
  closing(): void {
    this.#server.closing();
  }

  /** See `ConnectionReceiver.ended`. */
  ended(end: ConnectionEnd): void {
    this.#inbox = null;
    this.pieces?.cut(end);
    this.#server.ended(end);
  }

  /** See `ConnectionReceiver.gone`. */
  gone(): void {
    this.#server.gone();
  }
}

/** Whether later events wait for what a callback has returned. */
function isPending(result: unknown): result is PromiseLike<unknown> {
  return result !== DONE && isThenable(result);
}

/** A separate function: engines allocate the variables of a closure when its function starts. */
function callOnMessage(
  handler: AnyHandler,
  message: string | Uint8Array,
  context: HookContext | null,
): unknown {
  const call = (): unknown => handler.onMessage(message);
  return callIn(
    context,
    () => MESSAGE.isObserved ? MESSAGE.run(call, handler, message) : call(),
  );
}

function callOnMessageStream(handler: AnyHandler, { kind, readable }: IncomingStream): unknown {
  const hook = (): unknown => handler.onMessageStream?.(readable);
  return MESSAGE_STREAM.isObserved ? MESSAGE_STREAM.run(hook, handler, kind) : hook();
}
