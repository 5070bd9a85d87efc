/**
 * The reading half of a server's connection: events → the handler, one at a time and in order.
 *
 * @module
 */
import { isThenable } from "../guard.ts";
import { corked } from "../connection/cork.ts";
import type { WebSocketHandler } from "./handler.ts";
import { PeerClose } from "../connection/inbox.ts";
import { DONE } from "../connection/writer.ts";
import type { Sink } from "../protocol/protocol.ts";
import { Reading } from "../connection/reader.ts";

/** What {@linkcode Connection} is to its input. */
export abstract class Incoming extends Reading implements Sink {
  /** The handler; there from its construction on. */
  handler: WebSocketHandler | null = null;

  /** How many promises of the handler are pending: of a message, and of a ping behind it. */
  #pending = 0;

  /** The peer's closing frame is there, and everything before it was delivered. */
  protected abstract peerClosed(code: number | undefined, reason: string): void;
  /** The peer broke a rule, and everything before that was delivered. */
  protected abstract fail(error: Error): void;
  /** A callback of the handler threw or rejected. */
  protected abstract failed(error: unknown): void;
  /** The last promise of the handler that was pending has settled. */
  protected abstract rested(): void;
  /** All that can be delivered now has been. */
  protected abstract caughtUp(): void;
  /** A message has arrived. */
  protected abstract noteMessage(): void;

  // --- Events of the protocol -------------------------------------------------------------------

  /** See {@linkcode Sink.text}. */
  override text(message: string): boolean {
    return this.#arrived(message);
  }

  /** See {@linkcode Sink.binary}. */
  override binary(message: Uint8Array): boolean {
    this.keep(message);
    return this.#arrived(message);
  }

  /** See {@linkcode Sink.ping}: the pong goes out at once, also while the handler is busy. */
  override ping(payload: Uint8Array): boolean {
    if (this.phase === "open" && this.wire !== null) {
      this.wire.writePong(this.output(), payload);
      this.flushLarge();
      this.call((handler) => handler.onPing(payload));
    }
    return this.mayParse;
  }

  /** See {@linkcode Sink.pong}. */
  override pong(payload: Uint8Array): boolean {
    if (this.phase === "open") this.call((handler) => handler.onPong(payload));
    return this.mayParse;
  }

  /** See {@linkcode Sink.close}: in its place behind the messages that wait. */
  override close(code: number | undefined, reason: string): boolean {
    if (this.#mustWait) this.box().push(new PeerClose(code, reason));
    else this.peerClosed(code, reason);
    return false;
  }

  #arrived(message: string | Uint8Array): boolean {
    if (this.delivers) {
      this.noteMessage();
      if (this.#isOccupied) this.box().push(message);
      else this.#deliver(message);
    }
    return this.mayParse;
  }

  // --- Parsing, as far as the handler and the client let it ------------------------------------

  /** Whether a promise of the handler is pending. */
  protected get busy(): boolean {
    return this.#pending > 0;
  }

  /** Whether the handler gets messages. */
  protected get delivers(): boolean {
    return this.phase === "open" || this.phase === "lost";
  }

  get #isOccupied(): boolean {
    return this.#pending > 0 || (this.inbox !== null && this.inbox.length > 0);
  }

  /** Whether a new event must wait for the handler or for those before it. */
  get #mustWait(): boolean {
    return this.#isOccupied && this.delivers;
  }

  /** Whether anything waits for the handler, parsed or not. */
  protected get isBehind(): boolean {
    return this.#mustWait || (this.inbox !== null && this.inbox.held !== null);
  }

  /** A client that does not take its output gets no more work done. */
  protected override get mayParse(): boolean {
    return this.isLive && !this.congested && this.hasRoom;
  }

  /** In its place behind the messages that wait. */
  protected override broken(error: Error): void {
    if (this.#mustWait) this.box().push(error);
    else this.fail(error);
  }

  /** Delivers what waits. */
  protected pump(): void {
    const inbox = this.inbox;
    while (inbox !== null && this.isLive && !this.congested) {
      if (this.busy && this.delivers) break;
      const event = inbox.shift();
      if (event === undefined) {
        const held = inbox.release();
        if (held === null) break;
        this.parse(held, true);
      } else if (event instanceof PeerClose) this.peerClosed(event.code, event.reason);
      else if (event instanceof Error) this.fail(event);
      else if (this.delivers) this.#deliver(event);
    }
    this.caughtUp();
    this.updateReading();
  }

  /** Drops the events that wait; the bytes behind them stay. */
  protected dropEvents(): void {
    this.inbox?.dropEvents();
  }

  /** What the peer still sends is read and dropped. */
  protected stopReading(): void {
    this.inbox = null;
    this.readAndDrop();
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
    this.#pending++;
    Promise.resolve(result).then(() => this.#settled(), (error) => {
      this.failed(error);
      this.#settled();
    });
  }

  #settled(): void {
    this.#pending--;
    corked(() => {
      if (this.#pending === 0) this.rested();
      this.pump();
    });
  }
}
