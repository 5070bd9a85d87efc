/**
 * How a connection reads, at either end: chunks → the protocol's events, as far as there is room
 * for them.
 *
 * @module
 */
import { Inbox } from "./inbox.ts";
import { Outgoing, type OutputLimits } from "./writer.ts";
import type { Sink } from "../protocol/protocol.ts";

/** How much may wait in either direction, in bytes. */
export interface FlowLimits extends OutputLimits {
  /** What is decoded ahead of who takes it; at it, reading stops. */
  readonly maxQueuedSize: number;
}

/**
 * Whether something of the chunk that is being received is kept. Of the module and not of each
 * connection: one chunk is received at a time, or one inside of another.
 */
let isKept = false;

/** What a connection is to the bytes that arrive. */
export abstract class Reading extends Outgoing implements Sink {
  /** Whether the peer sends nothing more: it sent FIN, or the socket is gone. */
  protected ended = false;
  /** Whether the transport is paused. */
  protected paused = false;
  /** What waits to be taken; `null` as long as nothing ever did. */
  protected inbox: Inbox | null = null;

  protected abstract override get limits(): FlowLimits;
  /** Whether the protocol may report one more event. */
  protected abstract get mayParse(): boolean;
  /** The peer broke a rule; what it sent before may still wait. */
  protected abstract broken(error: Error): void;

  /** See {@linkcode Sink.text}. */
  abstract text(message: string): boolean;
  /** See {@linkcode Sink.binary}. */
  abstract binary(message: Uint8Array): boolean;
  /** See {@linkcode Sink.ping}. */
  abstract ping(payload: Uint8Array): boolean;
  /** See {@linkcode Sink.pong}. */
  abstract pong(payload: Uint8Array): boolean;
  /** See {@linkcode Sink.close}. */
  abstract close(code: number | undefined, reason: string): boolean;

  /** Whether frames are parsed. */
  protected get isLive(): boolean {
    return this.phase === "open" || this.phase === "closing" || this.phase === "lost";
  }

  /** Whether less waits than may. */
  protected get hasRoom(): boolean {
    const { inbox } = this;
    return inbox === null || inbox.length === 0 || inbox.size < this.limits.maxQueuedSize;
  }

  /** The inbox, made when it is first needed. */
  protected box(): Inbox {
    return this.inbox ??= new Inbox();
  }

  /** Takes a chunk of the transport while the connection is open. */
  protected take(chunk: Uint8Array): void {
    const { transport } = this;
    const given = transport.transfersChunks;
    // A handler may feed another connection, whose transport is its own.
    const outer = isKept;
    isKept = false;
    try {
      this.receive(chunk, given);
      if (given && !isKept) transport.release?.(chunk);
    } finally {
      isKept = outer;
    }
  }

  /** A binary message is the receiver's own: it may be a part of the chunk. */
  protected keep(message: Uint8Array): void {
    // A part stands behind a header, and what has memory of its own begins with it.
    if (message.byteOffset > 0) isKept = true;
  }

  #hold(bytes: Uint8Array, given: boolean): void {
    isKept = true;
    this.box().hold(bytes, given);
  }

  /** Takes bytes of an open connection. */
  protected receive(chunk: Uint8Array, given: boolean): void {
    const isBehind = this.inbox !== null && this.inbox.held !== null;
    if (isBehind || !this.mayParse) this.#hold(chunk, given);
    else this.parse(chunk, given);
    if (this.inbox !== null || this.congested) this.updateReading();
  }

  /** Has the protocol report what is in the bytes; those behind a stop are held. */
  protected parse(chunk: Uint8Array, given: boolean): void {
    if (this.wire === null) return;
    try {
      const taken = this.wire.receive(chunk, given, this);
      if (taken < chunk.length && this.isLive) this.#hold(chunk.subarray(taken), given);
    } catch (error) {
      this.broken(error instanceof Error ? error : new Error(String(error)));
    }
  }

  /** Pauses or resumes the transport. */
  protected updateReading(): void {
    const held = this.inbox !== null && this.inbox.held !== null;
    const pause = this.isLive && (held || !this.mayParse);
    if (pause === this.paused) return;
    this.paused = pause;
    if (pause) this.transport.pause();
    else this.transport.resume();
  }

  /** What the peer still sends is read and dropped. */
  protected readAndDrop(): void {
    if (this.paused) this.transport.resume();
    this.paused = false;
  }
}
