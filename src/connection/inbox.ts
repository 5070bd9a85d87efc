/**
 * A queue of events, for a handler that is busy.
 *
 * @module
 */

/** A close frame of the peer. */
export class PeerClose {
  /** The close code, if any. */
  readonly code: number | undefined;
  /** The reason. */
  readonly reason: string;

  /** @param code The close code, if any. @param reason The reason. */
  constructor(code: number | undefined, reason: string) {
    this.code = code;
    this.reason = reason;
  }
}

/** A ping of the peer. The pong was sent already. */
export class PeerPing {
  /** The payload. */
  readonly payload: Uint8Array;

  /** @param payload The payload. */
  constructor(payload: Uint8Array) {
    this.payload = payload;
  }
}

/** A pong of the peer. */
export class PeerPong {
  /** The payload. */
  readonly payload: Uint8Array;

  /** @param payload The payload. */
  constructor(payload: Uint8Array) {
    this.payload = payload;
  }
}

/** A message in pieces. It counts the size of its waiting pieces itself. */
export interface PiecedMessage {
  /** Whether it is text or binary. */
  readonly kind: "text" | "binary";
}

/** A message, whole or in pieces, a ping, a pong, a close frame, or the error for a broken rule. */
export type Event = string | Uint8Array | PiecedMessage | PeerPing | PeerPong | PeerClose | Error;

/** The size of an event without its content, in bytes. */
const OVERHEAD = 64;
/**
 * The size of a typed array without its content, in bytes: 320 on V8, of which 200 are the array
 * and its buffer. Bun takes 64.
 */
const ARRAY_OVERHEAD = 320;

function sizeOf(event: Event): number {
  if (typeof event === "string") return OVERHEAD + event.length;
  const bytes = event instanceof PeerPing || event instanceof PeerPong ? event.payload : event;
  return bytes instanceof Uint8Array ? ARRAY_OVERHEAD + bytes.length : OVERHEAD;
}

/** A queue of events. */
export class Inbox {
  /** The size of all events, in bytes. */
  size = 0;
  /** The events start at `#next`; the places before it are free. */
  #events: (Event | undefined)[] = [];
  #next = 0;

  /** The number of events. */
  get length(): number {
    return this.#events.length - this.#next;
  }

  /** Adds an event at the end. */
  push(event: Event): void {
    this.#events.push(event);
    this.size += sizeOf(event);
  }

  /** Removes and returns the first event; `undefined` if the queue is empty. */
  shift(): Event | undefined {
    const event = this.#events[this.#next];
    if (event === undefined) return undefined;
    // Do not keep a delivered event in memory.
    this.#events[this.#next++] = undefined;
    this.size -= sizeOf(event);
    if (this.#next === this.#events.length) this.clear();
    else if (this.#next >= 1024 && this.#next * 2 > this.#events.length) {
      // Amortized O(1): fewer events are moved than were removed.
      this.#events.splice(0, this.#next);
      this.#next = 0;
    }
    return event;
  }

  /** Removes all events. */
  clear(): void {
    this.#events = [];
    this.#next = 0;
    this.size = 0;
  }
}
