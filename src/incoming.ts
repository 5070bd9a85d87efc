/**
 * The reading half of a connection: chunks → events → the handler, one at a time and in order.
 *
 * @module
 */
import { beginRead, endRead } from "./flush.ts";
import type { WebSocketHandler } from "./handler.ts";
import { Inbox, PeerClose } from "./inbox.ts";
import { DONE, Outgoing } from "./outgoing.ts";
import type { Sink } from "./protocol/protocol.ts";

/** Whether a value is to be awaited. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null &&
    typeof (value as PromiseLike<unknown>).then === "function";
}

/** What {@linkcode Connection} is to its input. */
export abstract class Incoming extends Outgoing implements Sink {
  /** The handler; there from its construction on. */
  handler: WebSocketHandler | null = null;

  /** Whether the peer sends nothing more: it sent FIN, or the socket is gone. */
  protected ended = false;
  /** Whether a promise of the handler is pending. */
  protected busy = false;
  /** Whether the transport is paused. */
  protected paused = false;
  /** Events that wait for the handler; `null` as long as none ever did. */
  #inbox: Inbox | null = null;

  /** The peer's closing frame is there, and everything before it was delivered. */
  protected abstract peerClosed(code: number | undefined, reason: string): void;
  /** The peer broke a rule, and everything before that was delivered. */
  protected abstract fail(error: Error): void;
  /** A callback of the handler threw or rejected. */
  protected abstract failed(error: unknown): void;
  /** The handler is not busy, and has all that can be delivered now. */
  protected abstract caughtUp(): void;
  /** A message has arrived. */
  protected abstract noteMessage(): void;

  // --- Events of the protocol -------------------------------------------------------------------

  /** See {@linkcode Sink.text}. */
  text(message: string): boolean {
    return this.#arrived(message);
  }

  /** See {@linkcode Sink.binary}. */
  binary(message: Uint8Array): boolean {
    return this.#arrived(message);
  }

  /** See {@linkcode Sink.ping}: the pong goes out at once, also while the handler is busy. */
  ping(payload: Uint8Array): boolean {
    if (this.phase === "open" && this.wire !== null) {
      this.wire.writePong(this.output(), payload);
      this.flushLarge();
      this.call((handler) => handler.onPing(payload.slice()));
    }
    return this.#mayParse();
  }

  /** See {@linkcode Sink.pong}. */
  pong(payload: Uint8Array): boolean {
    if (this.phase === "open") this.call((handler) => handler.onPong(payload.slice()));
    return this.#mayParse();
  }

  /** See {@linkcode Sink.close}: in its place behind the messages that wait. */
  close(code: number | undefined, reason: string): boolean {
    if (this.#mustWait) this.#box().push(new PeerClose(code, reason));
    else this.peerClosed(code, reason);
    return false;
  }

  #arrived(message: string | Uint8Array): boolean {
    if (this.phase === "open") {
      this.noteMessage();
      if (this.#mustWait) this.#box().push(message);
      else this.#deliver(message);
    }
    return this.#mayParse();
  }

  // --- Parsing, as far as the handler and the client let it ------------------------------------

  /** Whether frames are parsed. */
  protected get isLive(): boolean {
    return this.phase === "open" || this.phase === "closing";
  }

  /** Whether a new event must wait for the handler or for those before it. */
  get #mustWait(): boolean {
    return this.phase === "open" && (this.busy || (this.#inbox !== null && this.#inbox.length > 0));
  }

  /** Whether anything waits for the handler, parsed or not. */
  protected get isBehind(): boolean {
    return this.#mustWait || (this.#inbox !== null && this.#inbox.held !== null);
  }

  #mayParse(): boolean {
    if (!this.isLive || this.congested) return false;
    return this.#inbox === null || this.#inbox.size < this.core.settings.maxQueuedSize;
  }

  #box(): Inbox {
    return this.#inbox ??= new Inbox();
  }

  /** Takes bytes of an open connection. */
  protected receive(chunk: Uint8Array, given: boolean): void {
    if (this.#inbox !== null && this.#inbox.held !== null) this.#inbox.hold(chunk, given);
    else if (!this.#mayParse()) this.#box().hold(chunk, given);
    else this.#parse(chunk, given);
    if (this.#inbox !== null || this.congested) this.updateReading();
  }

  #parse(chunk: Uint8Array, given: boolean): void {
    if (this.wire === null) return;
    try {
      const taken = this.wire.receive(chunk, given, this);
      if (taken < chunk.length && this.isLive) this.#box().hold(chunk.subarray(taken), given);
    } catch (error) {
      const broken = error instanceof Error ? error : new Error(String(error));
      if (this.#mustWait) this.#box().push(broken);
      else this.fail(broken);
    }
  }

  /** Delivers what waits. */
  protected pump(): void {
    const inbox = this.#inbox;
    while (inbox !== null && this.isLive && !this.congested) {
      if (this.busy && this.phase === "open") break;
      const event = inbox.shift();
      if (event === undefined) {
        const held = inbox.release();
        if (held === null) break;
        this.#parse(held, true);
      } else if (event instanceof PeerClose) this.peerClosed(event.code, event.reason);
      else if (event instanceof Error) this.fail(event);
      else if (this.phase === "open") this.#deliver(event);
    }
    if (!this.busy) this.caughtUp();
    this.updateReading();
  }

  /** Pauses or resumes the transport. */
  protected updateReading(): void {
    const held = this.#inbox !== null && this.#inbox.held !== null;
    const pause = this.isLive && (held || !this.#mayParse());
    if (pause === this.paused) return;
    this.paused = pause;
    if (pause) this.transport.pause();
    else this.transport.resume();
  }

  /** Drops the events that wait; the bytes behind them stay. */
  protected dropEvents(): void {
    this.#inbox?.dropEvents();
  }

  /** What the peer still sends is read and dropped. */
  protected stopReading(): void {
    this.#inbox = null;
    if (this.paused) this.transport.resume();
    this.paused = false;
  }

  // --- The handler's callbacks ------------------------------------------------------------------

  #deliver(message: string | Uint8Array): void {
    try {
      const result = this.handler?.onMessage(message);
      if (result !== undefined && result !== DONE) this.#wait(result);
    } catch (error) {
      this.failed(error);
    }
  }

  /** Calls a hook of the handler; a promise that it returns holds back the events behind it. */
  protected call(hook: (handler: WebSocketHandler) => unknown): void {
    try {
      const result = this.handler === null ? undefined : hook(this.handler);
      if (result !== DONE) this.#wait(result);
    } catch (error) {
      this.failed(error);
    }
  }

  #wait(result: unknown): void {
    if (!isThenable(result)) return;
    this.busy = true;
    result.then(() => this.#settled(), (error) => {
      this.failed(error);
      this.#settled();
    });
  }

  #settled(): void {
    this.busy = false;
    beginRead();
    this.pump();
    endRead();
  }
}
