/**
 * A buffer of frames, which one `transport.write` sends.
 *
 * @module
 */

import { allocate } from "./allocate.ts";
import { keepable } from "./message_memory.ts";

/** The part of a transport that {@linkcode Output.flush} uses. */
export interface Writable {
  /** See `Transport.write`. */
  write(bytes: Uint8Array, stable: boolean): void;
  /** See `Transport.writeStart`. */
  writeStart?(bytes: Uint8Array, length: number): void;
}

/** The capacity of a new output, in bytes. */
const FIRST_CAPACITY = 1024;
/**
 * The largest buffer that an idle output keeps, in bytes. Up to this size, a transport copies the bytes
 * if it cannot send them at once. For 16 KiB, the copy takes 0.5 µs; a new buffer takes 3.
 */
const KEPT_CAPACITY = 64 * 1024;
/** From this size on, a payload is kept by reference instead of copied. In bytes. */
export const BY_REFERENCE = 64 * 1024;

/** Returns whether a buffer is at most 1.5 times as large as its first `length` bytes. */
function isMost(bytes: Uint8Array, length: number): boolean {
  return length + (length >> 1) >= bytes.length;
}

/** A payload to send before the byte at `at`. */
interface Reference {
  readonly at: number;
  readonly payload: Uint8Array;
}

/**
 * A buffer that grows, and references to large payloads.
 *
 * To write a frame, take an offset from {@linkcode reserve}, write to {@linkcode bytes}, and set
 * {@linkcode length}. The fields are public, since a call for each byte would be slow.
 */
export class Output implements Iterable<Uint8Array> {
  /** The buffer. Its first `length` bytes are written. Replaced when it grows. */
  bytes: Uint8Array = new Uint8Array(FIRST_CAPACITY);
  /** How many bytes of the buffer are written. */
  length = 0;
  #references: Reference[] | null = null;
  #referenced = 0;

  /** How many bytes wait, including referenced payloads. */
  get size(): number {
    return this.length + this.#referenced;
  }

  /** Makes room for `size` more bytes. Returns their offset. Does not change `length`. */
  reserve(size: number): number {
    const needed = this.length + size;
    if (needed > this.bytes.length) this.#grow(needed);
    return this.length;
  }

  #grow(needed: number): void {
    const { length: capacity } = this.bytes;
    // A buffer above KEPT_CAPACITY is given to the transport, so most of it should be used.
    const larger = capacity < KEPT_CAPACITY ? capacity * 2 : capacity + (capacity >> 2);
    const bytes = allocate(Math.max(needed, larger));
    bytes.set(this.length === this.bytes.length ? this.bytes : this.bytes.subarray(0, this.length));
    this.bytes = bytes;
  }

  /** Copies bytes to the end. */
  append(bytes: Uint8Array): void {
    const at = this.reserve(bytes.length);
    this.bytes.set(bytes, at);
    this.length = at + bytes.length;
  }

  /**
   * Adds a payload to the end without copying it, unless it is borrowed. It must not change until it is
   * sent.
   */
  refer(payload: Uint8Array): void {
    (this.#references ??= []).push({ at: this.length, payload: keepable(payload) });
    this.#referenced += payload.length;
  }

  /**
   * Returns the bytes written so far, without referenced payloads. Their buffer is at most 1.5 times as
   * large.
   */
  written(): Uint8Array {
    const { bytes, length } = this;
    const view = bytes.subarray(0, length);
    return isMost(bytes, length) ? view : new Uint8Array(view);
  }

  /** Sends everything in order. The output is empty afterwards. */
  flush(target: Writable): void {
    const { bytes, length } = this;
    const references = this.#references;
    this.clear();
    // `clear` drops a buffer that is too large to keep. Then the transport may keep it.
    const stable = bytes !== this.bytes && isMost(bytes, length);
    let sent = 0;
    if (references !== null) {
      for (const { at, payload } of references) {
        if (at > sent) target.write(bytes.subarray(sent, at), stable);
        target.write(payload, true);
        sent = at;
      }
    }
    if (length === sent) return;
    if (sent > 0 || stable || target.writeStart === undefined) {
      target.write(bytes.subarray(sent, length), stable);
    } else target.writeStart(bytes, length);
  }

  /** Returns a copy of everything. The output is empty afterwards. */
  take(): Uint8Array {
    const whole = new Uint8Array(this.size);
    let at = 0;
    for (const part of this) {
      whole.set(part, at);
      at += part.length;
    }
    this.clear();
    return whole;
  }

  /** Iterates over the pieces in order. They are valid until the next change. */
  *[Symbol.iterator](): Generator<Uint8Array> {
    let sent = 0;
    for (const { at, payload } of this.#references ?? []) {
      if (at > sent) yield this.bytes.subarray(sent, at);
      yield payload;
      sent = at;
    }
    if (this.length > sent) yield this.bytes.subarray(sent, this.length);
  }

  /** Removes everything. Replaces the buffer if it is too large to keep. */
  clear(): void {
    this.length = 0;
    this.#references = null;
    this.#referenced = 0;
    if (this.bytes.length > KEPT_CAPACITY) this.bytes = new Uint8Array(FIRST_CAPACITY);
  }
}
