/**
 * Events that wait while a handler is busy.
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

/** A ping, which was answered already. */
export class PeerPing {
  /** What the peer sent with it. */
  readonly payload: Uint8Array;

  /** @param payload What the peer sent with it. */
  constructor(payload: Uint8Array) {
    this.payload = payload;
  }
}

/** A pong. */
export class PeerPong {
  /** What the peer sent with it. */
  readonly payload: Uint8Array;

  /** @param payload What the peer sent with it. */
  constructor(payload: Uint8Array) {
    this.payload = payload;
  }
}

/** What waits: a message, a ping or pong, the peer's closing frame, or a broken rule. */
export type Event = string | Uint8Array | PeerPing | PeerPong | PeerClose | Error;

/** What a waiting event is counted with beside its content. */
const OVERHEAD = 64;
/**
 * What a typed array is counted with: V8 takes 200 bytes for an array and its buffer, and the
 * memory behind it 120 more; Bun takes 64.
 */
const ARRAY_OVERHEAD = 320;

function sizeOf(event: Event): number {
  if (typeof event === "string") return OVERHEAD + event.length;
  const bytes = event instanceof PeerPing || event instanceof PeerPong ? event.payload : event;
  return bytes instanceof Uint8Array ? ARRAY_OVERHEAD + bytes.length : OVERHEAD;
}

/** A queue of events in order. */
export class Inbox {
  /** The size of what waits, in bytes. */
  size = 0;
  /** From `#next` on; those before are delivered. */
  #events: (Event | undefined)[] = [];
  #next = 0;

  /** How many events wait. */
  get length(): number {
    return this.#events.length - this.#next;
  }

  /** Adds an event at the end. */
  push(event: Event): void {
    this.#events.push(event);
    this.size += sizeOf(event);
  }

  /** Takes the first event out. */
  shift(): Event | undefined {
    const event = this.#events[this.#next];
    if (event === undefined) return undefined;
    // What is delivered is not kept, however long others wait behind it.
    this.#events[this.#next++] = undefined;
    this.size -= sizeOf(event);
    if (this.#next === this.#events.length) this.clear();
    else if (this.#next >= 1024 && this.#next * 2 > this.#events.length) {
      // Linear in all: each event is moved at most once per halving.
      this.#events.splice(0, this.#next);
      this.#next = 0;
    }
    return event;
  }

  /** Drops the events. */
  clear(): void {
    this.#events = [];
    this.#next = 0;
    this.size = 0;
  }
}
