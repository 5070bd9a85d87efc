/**
 * What a connection brings to its handler: one callback at a time, and in order.
 *
 * @module
 */
import type { Connection } from "../connection/connection.ts";
import type { ConnectionEnd } from "../connection/connection_end.ts";
import type { ConnectionReceiver } from "../connection/connection_options.ts";
import { corked } from "../connection/cork.ts";
import { type Event, Inbox, PeerClose, PeerPing, PeerPong } from "../connection/inbox.ts";
import { ProtocolError } from "../errors.ts";
import { isThenable } from "../guard.ts";
import { DONE } from "../timing/turns.ts";
import { type AnyHandler, WebSocketHandler } from "./handler.ts";
import type { ServerConnection } from "./server_connection.ts";

/** The callbacks of one handler. */
export class Dispatcher implements ConnectionReceiver {
  /** What it receives from; set as soon as it is there. */
  connection: Connection | null = null;
  readonly #server: ServerConnection;
  /** Events that wait for the handler; `null` as long as none ever did. */
  #inbox: Inbox | null = null;
  /** How many promises of the handler are pending. */
  #pending = 0;
  /** What to close with once everything that was read is handled. */
  #lastWord: { readonly code: number; readonly reason: string } | null = null;

  /** @param server Whose handler is called. */
  constructor(server: ServerConnection) {
    this.#server = server;
  }

  // --- Events of the protocol -------------------------------------------------------------------

  /** See `Sink.text`. */
  text(message: string): boolean {
    return this.#arrived(message);
  }

  /** See `Sink.binary`. */
  binary(message: Uint8Array): boolean {
    this.connection?.reader.keep(message);
    return this.#arrived(message);
  }

  #arrived(message: string | Uint8Array): boolean {
    const { connection } = this;
    if (connection === null) return false;
    connection.countMessage();
    if (this.isBehind) this.#push(message);
    else this.#deliver(message);
    return connection.reader.mayParse;
  }

  /** See `Sink.ping`: the pong goes out at once, and `onPing()` waits for its turn. */
  ping(payload: Uint8Array): boolean {
    this.connection?.pong(payload);
    // The default does nothing: there is no reason to keep a ping for it.
    const isHeard = this.#server.handler?.onPing !== WebSocketHandler.prototype.onPing;
    return this.#hear(isHeard ? new PeerPing(payload) : null);
  }

  /** See `Sink.pong`. */
  pong(payload: Uint8Array): boolean {
    const isHeard = this.#server.handler?.onPong !== WebSocketHandler.prototype.onPong;
    return this.#hear(isHeard ? new PeerPong(payload) : null);
  }

  #hear(event: PeerPing | PeerPong | null): boolean {
    const { connection } = this;
    if (connection === null) return false;
    if (event !== null && connection.isOpen) {
      if (this.isBehind) this.#push(event);
      else this.#take(event);
    }
    return connection.reader.mayParse;
  }

  /** See `Sink.close`: in its place behind the messages that wait. */
  close(code: number | undefined, reason: string): boolean {
    const { connection } = this;
    if (connection === null) return false;
    // While closing, nothing that a busy handler still writes could be sent.
    const isBehind = connection.state === "closing" ? this.#waiting > 0 : this.isBehind;
    if (isBehind) {
      this.#push(new PeerClose(code, reason));
      connection.closeWaits(code, reason);
    } else connection.peerClosed(code, reason);
    return false;
  }

  /** See `Receiver.violation`: in its place behind the messages that wait. */
  violation(error: Error): void {
    if (this.isBehind) this.#push(error);
    else this.#fail(error);
  }

  #fail(error: Error): void {
    if (error instanceof ProtocolError) this.connection?.fail(error, "protocol");
    else this.#server.failed(error);
  }

  // --- Taking turns -----------------------------------------------------------------------------

  /** How many events wait. */
  get #waiting(): number {
    return this.#inbox === null ? 0 : this.#inbox.length;
  }

  /** See `ConnectionReceiver.isBehind`: the handler is busy, or events wait for it. */
  get isBehind(): boolean {
    return this.#pending > 0 || this.#waiting > 0;
  }

  /** See `Receiver.hasRoom`. */
  get hasRoom(): boolean {
    const inbox = this.#inbox;
    return inbox === null || inbox.length === 0 ||
      inbox.size < this.#server.context.settings.maxQueuedSize;
  }

  #push(event: Event): void {
    (this.#inbox ??= new Inbox()).push(event);
  }

  /**
   * Delivers what waits, as far as the handler is free. A client that is slow gets no more done.
   */
  resume(): void {
    const { connection } = this;
    if (connection === null) return;
    while (connection.isLive && this.#pending === 0 && !connection.writer.congested) {
      const event = this.#inbox?.shift();
      if (event !== undefined) this.#take(event);
      else if (!connection.reader.parseHeld()) break;
    }
    this.#closeIfIdle(connection);
    connection.settle();
  }

  #take(event: Event): void {
    if (typeof event === "string" || event instanceof Uint8Array) this.#deliver(event);
    else if (event instanceof PeerPing) this.call((handler) => handler.onPing(event.payload));
    else if (event instanceof PeerPong) this.call((handler) => handler.onPong(event.payload));
    else if (event instanceof PeerClose) this.connection?.peerClosed(event.code, event.reason);
    else this.#fail(event);
  }

  #deliver(message: string | Uint8Array): void {
    try {
      const result: unknown = this.#server.handler?.onMessage(message);
      if (result !== undefined) this.#wait(result);
    } catch (error) {
      this.#server.failed(error);
    }
  }

  /** Calls a hook of the handler; a promise that it returns holds back the events behind it. */
  call(hook: (handler: AnyHandler) => unknown): void {
    try {
      this.#wait(this.#server.handler === null ? undefined : hook(this.#server.handler));
    } catch (error) {
      this.#server.failed(error);
    }
  }

  #wait(result: unknown): void {
    if (result === DONE || !isThenable(result)) return;
    this.#pending++;
    Promise.resolve(result).then(() => this.#settled(), (error) => {
      this.#server.failed(error);
      this.#settled();
    });
  }

  #settled(): void {
    this.#pending--;
    corked(() => {
      this.resume();
      this.connection?.armCloseTimer();
    });
  }

  /** See `ConnectionReceiver.drained`. */
  drained(): void {
    const server = this.#server;
    if (this.connection?.isOpen) {
      // Before anything newer is published.
      if (server.policies !== null) server.context.topics.catchUp(server);
      this.call((handler) => handler.onDrain());
    }
    this.resume();
  }

  // --- The end ----------------------------------------------------------------------------------

  /** Starts the closing handshake of a shutdown once everything that was read is handled. */
  closeWhenIdle(code: number, reason: string): void {
    const { connection } = this;
    if (!connection?.isOpen) return;
    this.#lastWord = { code, reason };
    connection.reader.close();
    this.#closeIfIdle(connection);
  }

  #closeIfIdle(connection: Connection): void {
    if (this.#lastWord === null || this.isBehind || connection.reader.isBehind) return;
    const { code, reason } = this.#lastWord;
    this.#lastWord = null;
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
    this.#server.ended(end);
  }

  /** See `ConnectionReceiver.gone`. */
  gone(): void {
    this.#server.gone();
  }
}
