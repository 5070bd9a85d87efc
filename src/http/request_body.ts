/**
 * The body of a request as a stream with backpressure.
 *
 * @module
 */
import { HeldBytes } from "../connection/held_bytes.ts";
import type { BodyFraming } from "./body_framing.ts";

/** The part of the connection that a body uses. */
export interface BodySource {
  /** How many bytes may wait for the application before reading stops. */
  readonly maxQueuedSize: number;
  /** Stops reading from the client. */
  pause(): void;
  /** Reads on. */
  resume(): void;
  /** Called when the application waits for the client. */
  waiting(): void;
  /** Called when it does not wait any more. */
  arrived(): void;
}

/** The most bytes of a body that are read and dropped because the application did not read them. */
const MAX_DROPPED = 256 * 1024;

/**
 * - `open`: content is kept for the application
 * - `dropped`: content is dropped
 * - `failed`: the body is malformed, or will not arrive
 */
type State = "open" | "dropped" | "failed";

/** Receives a body, and gives it to the application when that reads. */
export class RequestBody {
  /** What the application reads; `null` if the request has no body. */
  readonly stream: ReadableStream<Uint8Array> | null;
  /** Whether the application has begun to read. */
  isRead = false;
  readonly #framing: BodyFraming;
  readonly #source: BodySource;
  /** Content that waits for the application: one buffer, in whatever pieces it came. */
  #held: HeldBytes | null = null;
  #controller: ReadableStreamDefaultController<Uint8Array> | null = null;
  /** Ends a pull of the stream; `null` if the application does not wait. */
  #pulled: (() => void) | null = null;
  #state: State = "open";
  #paused = false;
  #dropped = 0;

  /** @param framing Takes the framing off. @param source The connection. */
  constructor(framing: BodyFraming, source: BodySource) {
    this.#framing = framing;
    this.#source = source;
    this.stream = framing.complete ? null : new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#controller = controller;
      },
      pull: () => this.#pull(),
      cancel: () => this.drop(),
    }, { highWaterMark: 0 });
  }

  /** Whether the whole body has arrived. */
  get complete(): boolean {
    return this.#framing.complete;
  }

  /** Whether so much of a dropped body is left that the connection should be closed. */
  get isTooLongToDrop(): boolean {
    return this.#dropped + (this.complete ? 0 : this.#framing.missing) > MAX_DROPPED;
  }

  /**
   * Receives the next bytes.
   *
   * @param owned Whether a reference to them may be kept.
   * @returns The bytes after the body.
   * @throws {Refusal} See {@linkcode BodyFraming.read}.
   */
  data(chunk: Uint8Array, owned: boolean): Uint8Array {
    this.#framing.read(chunk);
    const { content, consumed } = this.#framing;
    const rest = chunk.subarray(consumed);
    // The application may transfer the memory of what it gets.
    if (content.length > 0) this.#receive(content, owned && rest.length === 0);
    if (this.complete && this.#isEmpty) this.#close();
    return rest;
  }

  #receive(content: Uint8Array, owned: boolean): void {
    if (this.#state !== "open") {
      this.#dropped += content.length;
      return;
    }
    const held = this.#held ??= new HeldBytes();
    held.push(content, owned);
    if (this.#pulled !== null) this.#give();
    else if (!this.#paused && held.length >= this.#source.maxQueuedSize) {
      this.#paused = true;
      this.#source.pause();
    }
  }

  #pull(): void | Promise<void> {
    this.isRead = true;
    if (!this.#isEmpty) return this.#give();
    this.#source.waiting();
    return new Promise((resolve) => {
      this.#pulled = resolve;
    });
  }

  /** Gives everything that waits to the application. */
  #give(): void {
    this.#controller?.enqueue(this.#take());
    this.#endPull();
    if (this.complete) this.#close();
    this.resume();
  }

  get #isEmpty(): boolean {
    return this.#held === null || this.#held.length === 0;
  }

  #take(): Uint8Array {
    return this.#held?.take() ?? new Uint8Array(0);
  }

  #endPull(): void {
    if (this.#pulled === null) return;
    this.#source.arrived();
    this.#pulled();
    this.#pulled = null;
  }

  #close(): void {
    if (this.#state === "open") this.#controller?.close();
    this.#controller = null;
    this.#endPull();
  }

  /** Has the connection read on, if this body has stopped it. */
  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#source.resume();
  }

  /** Drops what has arrived and what follows. @param error What the application gets if it reads. */
  drop(error?: Error): void {
    if (this.#state !== "open") return;
    this.#state = "dropped";
    this.#dropped += this.#take().length;
    if (error !== undefined) this.#controller?.error(error);
    this.#controller = null;
    this.#endPull();
    this.resume();
  }

  /** Ends the stream with an error. Nothing is read any more. */
  fail(error: unknown): void {
    if (this.#state === "failed") return;
    if (this.#state === "open") this.#controller?.error(error);
    this.#state = "failed";
    this.#controller = null;
    this.#held = null;
    this.#endPull();
  }
}
