/**
 * Events that wait while a handler is busy, and the bytes behind them.
 *
 * @module
 */

/** The peer's closing frame, in its place behind the messages. */
export class PeerClose {
  /** The code that the peer sent. */
  readonly code: number | undefined;
  /** The reason that the peer sent. */
  readonly reason: string;

  /** @param code The code that the peer sent. @param reason The reason that the peer sent. */
  constructor(code: number | undefined, reason: string) {
    this.code = code;
    this.reason = reason;
  }
}

/** What waits: a message, the peer's closing frame, or what broke the protocol. */
export type Waiting = string | Uint8Array | PeerClose | Error;

/** What one waiting event is counted with, beside its size. */
const OVERHEAD = 64;

function sizeOf(event: Waiting): number {
  return OVERHEAD + (typeof event === "string" || event instanceof Uint8Array ? event.length : 0);
}

/** A queue of events in order, and behind them the bytes that are not parsed yet. */
export class Inbox {
  /** The size of what waits, in bytes. */
  size = 0;
  /** Bytes behind the events, not parsed yet. */
  held: Uint8Array | null = null;
  #events: Waiting[] = [];
  #next = 0;

  /** How many events wait. */
  get length(): number {
    return this.#events.length - this.#next;
  }

  /** Adds an event at the end. */
  push(event: Waiting): void {
    this.#events.push(event);
    this.size += sizeOf(event);
  }

  /** Takes the first event out. */
  shift(): Waiting | undefined {
    const event = this.#events[this.#next];
    if (event === undefined) return undefined;
    this.#next++;
    this.size -= sizeOf(event);
    if (this.#next === this.#events.length) {
      this.#events = [];
      this.#next = 0;
    } else if (this.#next >= 1024 && this.#next * 2 > this.#events.length) {
      // Linear in all: each event is moved at most once per halving.
      this.#events.splice(0, this.#next);
      this.#next = 0;
    }
    return event;
  }

  /**
   * Keeps bytes behind those that are held already.
   *
   * @param bytes The bytes.
   * @param given Whether their memory may be kept.
   */
  hold(bytes: Uint8Array, given: boolean): void {
    if (this.held === null) {
      this.held = given ? bytes : bytes.slice();
      return;
    }
    const both = new Uint8Array(this.held.length + bytes.length);
    both.set(this.held);
    both.set(bytes, this.held.length);
    this.held = both;
  }

  /** Takes the held bytes out. */
  release(): Uint8Array | null {
    const held = this.held;
    this.held = null;
    return held;
  }

  /** Drops the events; the bytes behind them stay. */
  dropEvents(): void {
    this.#events = [];
    this.#next = 0;
    this.size = 0;
  }
}
