/**
 * Memory that binary messages borrow, one after the other.
 *
 * @module
 */
import { allocate } from "./allocate.ts";

/** The smallest message that borrows, in bytes. For smaller ones, new memory is as fast. */
const SMALLEST = 512;
/** The largest message that borrows, in bytes. */
const LARGEST = 1024 * 1024;
/** How many unused bytes are kept. */
const MOST_KEPT = 4 * 1024 * 1024;
/** What returned memory is filled with if it is poisoned. */
const POISON = 0xdb;

/** Memory that changes after a message. A class of its own, so that {@linkcode keepable} knows it. */
class BorrowedBuffer extends ArrayBuffer {}

/**
 * Returns bytes that a reference may be kept to: a copy if they are in borrowed memory, otherwise the
 * bytes themselves.
 */
export function keepable(bytes: Uint8Array): Uint8Array {
  return bytes.buffer instanceof BorrowedBuffer ? new Uint8Array(bytes) : bytes;
}

/** Lends memory to messages. */
export class MessageMemory {
  readonly #poisons: boolean;
  /** Unused buffers, by the binary logarithm of their size. */
  readonly #unused: BorrowedBuffer[][] = [];
  #kept = 0;

  /** @param poisons Whether returned memory is filled, and not used again: for tests. */
  constructor(poisons: boolean) {
    this.#poisons = poisons;
  }

  /** Lends memory with undefined content. Its buffer may be up to twice as large. */
  take(size: number): Uint8Array<ArrayBuffer> {
    if (this.#poisons) return new Uint8Array(new BorrowedBuffer(size));
    if (size < SMALLEST || size > LARGEST) return allocate(size);
    const bits = 32 - Math.clz32(size - 1);
    const unused = this.#unused[bits]?.pop();
    if (unused === undefined) return new Uint8Array(new BorrowedBuffer(2 ** bits), 0, size);
    this.#kept -= unused.byteLength;
    return new Uint8Array(unused, 0, size);
  }

  /** Moves the first `used` bytes to larger memory. The caller must not use `bytes` any more. */
  grow(bytes: Uint8Array<ArrayBuffer>, used: number, size: number): Uint8Array<ArrayBuffer> {
    if (size > LARGEST && !this.#poisons) return new Uint8Array(bytes.buffer.transfer(size));
    const larger = this.take(size);
    larger.set(bytes.subarray(0, used));
    this.give(bytes);
    return larger;
  }

  /** Takes memory back. Does nothing with memory that was not lent. */
  give(bytes: Uint8Array): void {
    const { buffer } = bytes;
    if (!(buffer instanceof BorrowedBuffer)) return;
    const size = buffer.byteLength;
    // The handler may have transferred it: then the size is 0.
    if (size === 0) return;
    if (this.#poisons) bytes.fill(POISON);
    if (this.#poisons || this.#kept + size > MOST_KEPT) return;
    this.#kept += size;
    (this.#unused[31 - Math.clz32(size)] ??= []).push(buffer);
  }
}
