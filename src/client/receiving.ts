/**
 * The reading half of a client's connection: events → whoever calls `readMessage`. What nobody has
 * asked for yet waits, up to `maxQueuedSize`; then the reading stops.
 *
 * @module
 */
import { corked } from "../connection/cork.ts";
import { Reading } from "../connection/reader.ts";

/** Someone who waits for a message. */
interface Reader {
  readonly resolve: (message: string | Uint8Array | undefined) => void;
  readonly reject: (error: Error) => void;
}

/** What a session is to its input. */
export abstract class Receiving extends Reading {
  readonly #readers: Reader[] = [];
  /** What readers get when nothing is left and nothing will come; `null` before. */
  #end: { readonly error: Error | undefined } | null = null;
  /** The payload of the last ping that output in the way kept from being answered. */
  #unanswered: Uint8Array | null = null;

  /** The server's closing frame is there. */
  protected abstract peerClosed(code: number | undefined, reason: string): void;
  /** All that can be parsed now has been. */
  protected abstract caughtUp(): void;
  /** A ping has arrived. */
  protected abstract pinged(payload: Uint8Array): void;
  /** A pong has arrived. */
  protected abstract ponged(payload: Uint8Array): void;

  /**
   * Unlike a server, a client goes on reading while the other end takes no output: if both stopped,
   * neither would ever go on.
   */
  protected override get mayParse(): boolean {
    return this.isLive && this.hasRoom;
  }

  /** See `WebSocketClientConnection.readMessage`. */
  read(): Promise<string | Uint8Array | undefined> {
    const message = this.inbox?.shift();
    if (message !== undefined) {
      if (this.paused || this.inbox?.held) this.goOn();
      // Nothing else is put there.
      return Promise.resolve(message as string | Uint8Array);
    }
    if (this.#end === null) {
      return new Promise((resolve, reject) => this.#readers.push({ resolve, reject }));
    }
    const { error } = this.#end;
    return error === undefined ? Promise.resolve(undefined) : Promise.reject(error);
  }

  /** Parses what is held, as far as there is room now. */
  protected goOn(): void {
    corked(() => {
      const held = this.mayParse ? this.inbox?.release() : undefined;
      if (held) this.parse(held, true);
      this.updateReading();
      this.caughtUp();
    });
  }

  /** Nothing more will come: those who wait hear of it now, and the others behind what waits. */
  protected endReading(error: Error | undefined): void {
    this.inbox?.release();
    this.#unanswered = null;
    this.#end = { error };
    for (const { resolve, reject } of this.#readers.splice(0)) {
      if (error === undefined) resolve(undefined);
      else reject(error);
    }
  }

  // --- Events of the protocol -------------------------------------------------------------------

  /** See `Sink.text`. */
  override text(message: string): boolean {
    return this.#arrived(message);
  }

  /** See `Sink.binary`. */
  override binary(message: Uint8Array): boolean {
    this.keep(message);
    return this.#arrived(message);
  }

  #arrived(message: string | Uint8Array): boolean {
    if (this.phase === "open" || this.phase === "lost") {
      const reader = this.#readers.shift();
      if (reader === undefined) this.box().push(message);
      else reader.resolve(message);
    }
    return this.mayParse;
  }

  /** See `Sink.ping`. */
  override ping(payload: Uint8Array): boolean {
    if (this.phase === "open") {
      // "the endpoint MAY elect to send a Pong frame for only the most recently processed Ping
      // frame" (RFC 6455 §5.5.3): so pings can't fill the memory.
      if (this.congested) this.#unanswered = payload.slice();
      else this.#answer(payload);
      this.pinged(payload);
    }
    return this.mayParse;
  }

  /** Answers the last ping, now that there is room for it. */
  protected answerPing(): void {
    const payload = this.#unanswered;
    this.#unanswered = null;
    if (payload !== null && this.phase === "open") this.#answer(payload);
  }

  #answer(payload: Uint8Array): void {
    this.wire?.writePong(this.output(), payload);
    this.flushLarge();
  }

  /** See `Sink.pong`. */
  override pong(payload: Uint8Array): boolean {
    if (this.phase === "open") this.ponged(payload);
    return this.mayParse;
  }

  /** See `Sink.close`. */
  override close(code: number | undefined, reason: string): boolean {
    this.peerClosed(code, reason);
    return false;
  }
}
