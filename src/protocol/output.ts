/**
 * Where frames are written before one `transport.write` sends them all.
 *
 * @module
 */

import { allocate } from "./allocate.ts";
import { viewWords } from "./chunk_view.ts";

/** What takes the bytes of an {@linkcode Output}: a transport. */
export interface Writable {
  /** See `Transport.write`. */
  write(bytes: Uint8Array, stable: boolean): void;
  /** See `Transport.writeStart`. */
  writeStart?(bytes: Uint8Array, length: number): void;
}

/** The capacity of a new output. */
const FIRST_CAPACITY = 1024;
/**
 * A capacity that an idle output may keep. Up to this size, a transport that needs its bytes longer
 * copies them, which costs a fifth of a fresh buffer (16 KiB: 0.5 µs for 3).
 */
const KEPT_CAPACITY = 64 * 1024;
/** From this size on, a payload goes by reference instead of being copied behind its header. */
export const BY_REFERENCE = 64 * 1024;

/** Whether the first `length` bytes may keep a buffer alive: it is at most 1.5 times as large. */
function isMost(bytes: Uint8Array, length: number): boolean {
  return length + (length >> 1) >= bytes.length;
}

/** Payloads that go between the bytes before and after `at`. */
interface Reference {
  readonly at: number;
  readonly payload: Uint8Array;
}

/**
 * A growing run of bytes, with large payloads kept by reference in between.
 *
 * The fields are open so that a frame is written without a call per byte: take an offset from
 * {@linkcode reserve}, write to {@linkcode bytes}, then set {@linkcode length}.
 */
export class Output implements Iterable<Uint8Array> {
  /** The buffer; its first `length` bytes are written. Replaced when it grows. */
  bytes: Uint8Array = new Uint8Array(FIRST_CAPACITY);
  /** How many bytes of the buffer are written. */
  length = 0;
  /** Bytes in all, payloads kept by reference included. */
  get size(): number {
    return this.length + this.#referenced;
  }
  #words: DataView | null = null;
  #references: Reference[] | null = null;
  #referenced = 0;

  /** The buffer as words. */
  get words(): DataView {
    return this.#words ??= viewWords(this.bytes);
  }

  /** Makes room for `size` more bytes and returns where they go. `length` stays as it is. */
  reserve(size: number): number {
    const needed = this.length + size;
    if (needed > this.bytes.length) this.#grow(needed);
    return this.length;
  }

  #grow(needed: number): void {
    const { length: capacity } = this.bytes;
    // What is larger than may be kept goes out soon, and may wait then: most of it should be used.
    const larger = capacity < KEPT_CAPACITY ? capacity * 2 : capacity + (capacity >> 2);
    const bytes = allocate(Math.max(needed, larger));
    bytes.set(this.length === this.bytes.length ? this.bytes : this.bytes.subarray(0, this.length));
    this.#replace(bytes);
  }

  #replace(bytes: Uint8Array): void {
    this.bytes = bytes;
    this.#words = null;
  }

  /** Copies bytes to the end. */
  append(bytes: Uint8Array): void {
    const at = this.reserve(bytes.length);
    this.bytes.set(bytes, at);
    this.length = at + bytes.length;
  }

  /** Puts a payload at the end without copying it; it must not change until it is sent. */
  refer(payload: Uint8Array): void {
    (this.#references ??= []).push({ at: this.length, payload });
    this.#referenced += payload.length;
  }

  /** What is written, payloads by reference aside, in memory that is not much more than it. */
  written(): Uint8Array {
    const { bytes, length } = this;
    return isMost(bytes, length) ? bytes.subarray(0, length) : bytes.slice(0, length);
  }

  /** Sends everything, in order, and is empty again. */
  flush(target: Writable): void {
    const { bytes, length } = this;
    const references = this.#references;
    this.clear();
    // A buffer that is too large to keep is the transport's from now on, if most of it is used.
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

  /** Takes everything out as one run of bytes of its own, and is empty again. */
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

  /** The pieces in order; valid until the next change. */
  *[Symbol.iterator](): Generator<Uint8Array> {
    let sent = 0;
    for (const { at, payload } of this.#references ?? []) {
      if (at > sent) yield this.bytes.subarray(sent, at);
      yield payload;
      sent = at;
    }
    if (this.length > sent) yield this.bytes.subarray(sent, this.length);
  }

  /** Forgets everything, and a buffer that has grown beyond what is worth keeping. */
  clear(): void {
    this.length = 0;
    this.#references = null;
    this.#referenced = 0;
    if (this.bytes.length > KEPT_CAPACITY) this.#replace(new Uint8Array(FIRST_CAPACITY));
  }
}
