/**
 * The reading half of a connection: chunks → the protocol's events, as far as there is room for
 * them.
 *
 * @module
 */
import type { Protocol, Sink } from "../protocol/protocol.ts";
import type { InternalTransport } from "../transport/transport.ts";
import { HeldBytes } from "./held_bytes.ts";
import type { Writer } from "./writer.ts";

/** Who receives what a connection reads: a server's dispatcher or a client's queue of messages. */
export interface Receiver extends Sink {
  /** Whether there is room for one more event. */
  readonly hasRoom: boolean;
  /** The peer broke a rule, after everything that was reported before. */
  violation(error: Error): void;
}

/** What a reader is made of. */
export interface ReaderOptions {
  /** The wire format. */
  readonly protocol: Protocol;
  /** Who receives what is read. */
  readonly receiver: Receiver;
  /**
   * Whose output must be taken before more is read; `null` to go on reading while output waits. If
   * both ends stopped, neither would ever go on.
   */
  readonly writer: Writer | null;
}

/** The input of one connection, at either end. */
export class Reader {
  readonly #transport: InternalTransport;
  readonly #receiver: Receiver;
  readonly #writer: Writer | null;
  /** The wire format; `null` once nothing is parsed any more. */
  #protocol: Protocol | null;
  /** Bytes that arrived and are not parsed yet. */
  #held: HeldBytes | null = null;
  /** Whether the transport is paused. */
  #paused = false;
  /** Whether nothing more is accepted from the transport for now. */
  #closed = false;
  /** Whether a part of the chunk that is being received was given away. */
  #kept = false;

  /** @param transport The runtime's connection. @param options What the reader is made of. */
  constructor(transport: InternalTransport, { protocol, receiver, writer }: ReaderOptions) {
    this.#transport = transport;
    this.#protocol = protocol;
    this.#receiver = receiver;
    this.#writer = writer;
  }

  /** Whether the transport is paused. */
  get paused(): boolean {
    return this.#paused;
  }

  /** Whether bytes wait to be parsed. */
  get isBehind(): boolean {
    return this.#held !== null;
  }

  /** Whether the protocol may report one more event. */
  get mayParse(): boolean {
    return this.#protocol !== null && this.#receiver.hasRoom &&
      (this.#writer === null || !this.#writer.congested);
  }

  /**
   * Takes a chunk of the transport.
   *
   * @param chunk The bytes.
   * @param owned Whether their memory may be kept.
   */
  receive(chunk: Uint8Array, owned: boolean): void {
    this.#kept = false;
    if (this.#held !== null || !this.mayParse) this.#hold(chunk, owned);
    else this.#parse(chunk, owned);
    if (owned && !this.#kept) this.#transport.release?.(chunk);
    if (this.#held !== null || !this.mayParse) this.update();
  }

  /** A binary message belongs to its receiver from now on: it may be a part of the chunk. */
  keep(message: Uint8Array): void {
    // A part stands behind a header, and what has memory of its own begins with it.
    if (message.byteOffset > 0) this.#kept = true;
  }

  #hold(bytes: Uint8Array, owned: boolean): void {
    if (this.#protocol === null) return;
    this.#kept = true;
    (this.#held ??= new HeldBytes()).push(bytes, owned);
  }

  /** Has the protocol report what is in the bytes; those behind a stop are held. */
  #parse(chunk: Uint8Array, owned: boolean): void {
    if (this.#protocol === null) return;
    try {
      const taken = this.#protocol.receive(chunk, owned, this.#receiver);
      if (taken < chunk.length) this.#hold(chunk.subarray(taken), owned);
    } catch (error) {
      // What follows a broken rule has no meaning: it is read and dropped.
      this.#protocol = null;
      this.#receiver.violation(error instanceof Error ? error : new Error(String(error)));
    }
  }

  /**
   * Parses bytes that are held, as far as there is room.
   *
   * @returns Whether there were any that could be parsed.
   */
  parseHeld(): boolean {
    if (this.#held === null || !this.mayParse) return false;
    const held = this.#held.take();
    this.#held = null;
    this.#parse(held, true);
    return true;
  }

  /** Accepts nothing more from the transport, until {@linkcode Reader.open}. */
  close(): void {
    this.#closed = true;
    this.update();
  }

  /** Accepts what the transport brings again. */
  open(): void {
    this.#closed = false;
    this.update();
  }

  /** Pauses or resumes the transport. */
  update(): void {
    const pause = this.#protocol !== null &&
      (this.#closed || this.#held !== null || !this.mayParse);
    if (pause === this.#paused) return;
    this.#paused = pause;
    if (pause) this.#transport.pause();
    else this.#transport.resume();
  }

  /** Parses nothing more: what the peer still sends is read and dropped. */
  stop(): void {
    this.#protocol = null;
    this.#held = null;
    this.update();
  }
}
