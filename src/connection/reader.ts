/**
 * The input of a connection: passes chunks to the protocol, as long as the receiver has room.
 *
 * @module
 */
import type { Protocol, Sink } from "../protocol/protocol.ts";
import type { InternalTransport } from "../transport/transport.ts";
import type { FloodControl } from "./flood_control.ts";
import { HeldBytes } from "./held_bytes.ts";
import type { Flow } from "./keepalive.ts";
import type { Writer } from "./writer.ts";

/** The receiver of messages: a server's dispatcher or a client's message queue. */
export interface Receiver extends Sink {
  /** Whether there is room for one more event. */
  readonly hasRoom: boolean;
  /** The peer broke a rule. Called after all events before it. */
  violation(error: Error): void;
}

/** Options of {@linkcode Reader}. */
export interface ReaderOptions {
  /** The protocol of the version. */
  readonly protocol: Protocol;
  /** The receiver of messages. */
  readonly receiver: Receiver;
  /**
   * Reading stops while this writer is congested. If it is `null`, reading never stops for output: if
   * both ends stopped reading, they would deadlock.
   */
  readonly writer: Writer | null;
}

/**
 * - `open`: reading;
 * - `paused`: not reading, because nothing can be parsed;
 * - `closed`: not reading, because of {@linkcode Reader.close}.
 */
type ReadingState = "open" | "paused" | "closed";

/**
 * Why the transport was last paused: for slow output, or for another reason. `"over"` means that the
 * second kind of pause has ended since the last {@linkcode Reader.takeFlow}.
 */
type Pause = "none" | "output" | "input" | "over";

/** The input of a connection. */
export class Reader {
  /** The rate limits; `null` if there are none. */
  flood: FloodControl | null = null;
  readonly #transport: InternalTransport;
  readonly #receiver: Receiver;
  readonly #writer: Writer | null;
  /** The protocol; `null` once nothing is parsed any more. */
  #protocol: Protocol | null;
  /** Bytes that have arrived and are not parsed yet. */
  #held: HeldBytes | null = null;
  #flow: ReadingState = "open";
  #pause: Pause = "none";
  /** Whether a part of the current chunk is still in use. */
  #kept = false;

  /** @param transport The socket. @param options The options. */
  constructor(transport: InternalTransport, { protocol, receiver, writer }: ReaderOptions) {
    this.#transport = transport;
    this.#protocol = protocol;
    this.#receiver = receiver;
    this.#writer = writer;
  }

  /** Whether the transport is paused. */
  get paused(): boolean {
    return this.#flow !== "open";
  }

  /** Whether bytes wait to be parsed. */
  get isBehind(): boolean {
    return this.#held !== null;
  }

  /** Whether the protocol may report one more event. */
  get mayParse(): boolean {
    return this.#protocol !== null && this.#receiver.hasRoom &&
      (this.#writer === null || !this.#writer.congested) &&
      (this.flood === null || !this.flood.isBlocked);
  }

  /**
   * Handles a chunk of the transport.
   *
   * @param chunk The bytes.
   * @param owned Whether a reference to them may be kept.
   */
  receive(chunk: Uint8Array, owned: boolean): void {
    this.#kept = false;
    if (this.flood !== null) this.flood.bytes(chunk.length);
    if (this.#held !== null || !this.mayParse) this.#hold(chunk, owned);
    else this.#parse(chunk, owned);
    if (owned && !this.#kept) this.#transport.release?.(chunk);
    if (this.#held !== null || !this.mayParse) this.update();
  }

  /** Called when a receiver keeps a binary message, which may be a part of the chunk. */
  keep(message: Uint8Array): void {
    // A part of the chunk follows a frame header, so its offset is not 0.
    if (message.byteOffset > 0) this.#kept = true;
  }

  #hold(bytes: Uint8Array, owned: boolean): void {
    if (this.#protocol === null) return;
    this.#kept = true;
    (this.#held ??= new HeldBytes()).push(bytes, owned);
  }

  /** Parses bytes. If the protocol stops early, the rest is held. */
  #parse(chunk: Uint8Array, owned: boolean): void {
    if (this.#protocol === null) return;
    try {
      const parsed = this.#protocol.receive(chunk, owned, this.#receiver);
      if (parsed < chunk.length) this.#hold(chunk.subarray(parsed), owned);
    } catch (error) {
      // Bytes after a broken rule have no meaning. They are read and dropped.
      this.#protocol = null;
      this.#receiver.violation(error instanceof Error ? error : new Error(String(error)));
    }
  }

  /**
   * Parses held bytes, as long as there is room.
   *
   * @returns Whether there were any, and room for them.
   */
  parseHeld(): boolean {
    if (this.#held === null || !this.mayParse) return false;
    const held = this.#held.take();
    this.#held = null;
    this.#parse(held, true);
    return true;
  }

  /** Counts a message, a ping or a pong for the rate. @returns False if the peer was refused. */
  admitMessage(): boolean {
    return this.flood === null || this.flood.message();
  }

  /** Refuses the peer. Nothing more is parsed. */
  refuse(error: Error): void {
    if (this.#protocol === null) return;
    this.#protocol = this.#held = null;
    this.#receiver.violation(error);
  }

  /** Pauses the transport until {@linkcode Reader.open}. */
  close(): void {
    if (this.#protocol === null) return;
    if (this.#flow === "open") this.#transport.pause();
    this.#pause = "input";
    this.#flow = "closed";
  }

  /** Ends the pause of {@linkcode Reader.close}. */
  open(): void {
    if (this.#flow !== "closed") return;
    this.#flow = "paused";
    this.update();
  }

  /** Pauses or resumes the transport, whichever is due. */
  update(): void {
    const pause = this.#protocol !== null &&
      (this.#flow === "closed" || this.#held !== null || !this.mayParse);
    if (pause === this.paused) return;
    this.#flow = pause ? "paused" : "open";
    if (pause) {
      this.#pause = this.#writer?.congested ? "output" : "input";
      this.#transport.pause();
    } else {
      this.#pause = this.#pause === "input" ? "over" : "none";
      this.#transport.resume();
    }
  }

  /** Returns whether we read from the peer, while output is not congested. */
  takeFlow(): Flow {
    if (this.paused) return "busy";
    const isResumed = this.#pause === "over";
    this.#pause = "none";
    return isResumed ? "resumed" : "reading";
  }

  /** Stops parsing. What the peer still sends is read and dropped. */
  stop(): void {
    this.#protocol = this.#held = null;
    this.flood?.stop();
    this.update();
  }
}
