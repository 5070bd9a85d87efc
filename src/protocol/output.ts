/**
 * Where frames are written before one `transport.write` sends them all.
 *
 * @module
 */

import { allocate } from "./allocate.ts";

/** What takes the bytes of an {@linkcode Output}: a transport. */
export interface Writable {
  /** See `Transport.write`. */
  write(bytes: Uint8Array, stable: boolean): void;
  /** See `Transport.writeStart`. */
  writeStart?(bytes: Uint8Array, length: number): void;
}

/** The capacity of a new output, in bytes. */
const FIRST_CAPACITY = 1024;
/**
 * The largest capacity that an idle output keeps, in bytes. Up to this size, a transport that needs
 * the bytes longer copies them, which takes a fifth of the time of a new buffer (16 KiB: 0.5 µs
 * instead of 3).
 */
const KEPT_CAPACITY = 64 * 1024;
/** From this size on, a payload is kept by reference instead of being copied. In bytes. */
export const BY_REFERENCE = 64 * 1024;

/** Whether the first `length` bytes may keep a buffer alive: it is at most 1.5 times as large. */
function isMost(bytes: Uint8Array, length: number): boolean {
  return length + (length >> 1) >= bytes.length;
}

/** A payload that goes between the bytes before and after `at`. */
interface Reference {
  readonly at: number;
  readonly payload: Uint8Array;
}

/**
 * A buffer of bytes that grows, with references to large payloads in between.
 *
 * Its fields are public so that a frame is written without a call per byte: take an offset from
 * {@linkcode reserve}, write to {@linkcode bytes}, then set {@linkcode length}.
 */
export class Output implements Iterable<Uint8Array> {
  /** The buffer. Its first `length` bytes are written. Replaced when it grows. */
  bytes: Uint8Array = new Uint8Array(FIRST_CAPACITY);
  /** How many bytes of the buffer are written. */
  length = 0;
  #references: Reference[] | null = null;
  #referenced = 0;

  /** How many bytes wait in all, payloads kept by reference included. */
  get size(): number {
    return this.length + this.#referenced;
  }

  /** Makes room for `size` more bytes and returns where they go. `length` stays as it is. */
  reserve(size: number): number {
    const needed = this.length + size;
    if (needed > this.bytes.length) this.#grow(needed);
    return this.length;
  }

  #grow(needed: number): void {
    const { length: capacity } = this.bytes;
    // A buffer that is too large to keep may wait in the transport: most of it should be used.
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

  /** Adds a payload to the end without copying it. It must not change until it is sent. */
  refer(payload: Uint8Array): void {
    (this.#references ??= []).push({ at: this.length, payload });
    this.#referenced += payload.length;
  }

  /** The bytes written so far, without references, in memory that is at most 1.5 times as large. */
  written(): Uint8Array {
    const { bytes, length } = this;
    return isMost(bytes, length) ? bytes.subarray(0, length) : bytes.slice(0, length);
  }

  /** Sends everything in order, and is empty again. */
  flush(target: Writable): void {
    const { bytes, length } = this;
    const references = this.#references;
    this.clear();
    // A buffer that is too large to keep is given to the transport, if most of it is used.
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

  /** Returns everything as one array with memory of its own, and is empty again. */
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

  /** The pieces in order. They are valid until the next change. */
  *[Symbol.iterator](): Generator<Uint8Array> {
    let sent = 0;
    for (const { at, payload } of this.#references ?? []) {
      if (at > sent) yield this.bytes.subarray(sent, at);
      yield payload;
      sent = at;
    }
    if (this.length > sent) yield this.bytes.subarray(sent, this.length);
  }

  /** Removes everything, and the buffer too if it is too large to keep. */
  clear(): void {
    this.length = 0;
    this.#references = null;
    this.#referenced = 0;
    if (this.bytes.length > KEPT_CAPACITY) this.bytes = new Uint8Array(FIRST_CAPACITY);
  }
}
