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

/** What a waiting text or other event is counted with, beside its size. */
const OVERHEAD = 64;
/**
 * What a binary message is counted with: V8 takes 200 bytes for an array and its buffer, and the
 * memory behind it 120 more; Bun takes 64.
 */
const BINARY_OVERHEAD = 320;

function sizeOf(event: Waiting): number {
  if (typeof event === "string") return OVERHEAD + event.length;
  return event instanceof Uint8Array ? BINARY_OVERHEAD + event.length : OVERHEAD;
}

/** Whether bytes are at least half of the memory that they keep alive. */
function isMost({ length, buffer }: Uint8Array): boolean {
  return length * 2 >= buffer.byteLength;
}

/** A queue of events in order, and behind them the bytes that are not parsed yet. */
export class Inbox {
  /** The size of what waits, in bytes. */
  size = 0;
  /** Bytes behind the events, not parsed yet. */
  held: Uint8Array | null = null;
  /** Where bytes are held that have come in several chunks. */
  #room: Uint8Array | null = null;
  /** From `#next` on; those before are delivered. */
  #events: (Waiting | undefined)[] = [];
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
    // What is delivered is not kept, however long others wait behind it.
    this.#events[this.#next++] = undefined;
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
    const { held } = this;
    if (held === null) {
      this.held = given && isMost(bytes) ? bytes : bytes.slice();
      return;
    }
    const size = held.length + bytes.length;
    let room = this.#room;
    if (room === null || room.length < size) {
      // Linear in all: what is held is copied once for each half that it has grown.
      room = this.#room = new Uint8Array(size + (size >> 1));
      room.set(held);
    }
    room.set(bytes, held.length);
    this.held = room.subarray(0, size);
  }

  /** Takes the held bytes out. */
  release(): Uint8Array | null {
    const { held } = this;
    this.held = this.#room = null;
    return held;
  }

  /** Drops the events; the bytes behind them stay. */
  dropEvents(): void {
    this.#events = [];
    this.#next = 0;
    this.size = 0;
  }
}
