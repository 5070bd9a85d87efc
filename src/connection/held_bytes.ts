/**
 * Bytes that have arrived and are not parsed yet.
 *
 * @module
 */

const EMPTY = new Uint8Array(0);

/** Holds bytes in order. The memory is at most 1.5 times their size. */
export class HeldBytes {
  /** The memory; its first `#length` bytes are held. */
  #bytes: Uint8Array = EMPTY;
  #length = 0;

  /** How many bytes are held. */
  get length(): number {
    return this.#length;
  }

  /**
   * Adds bytes at the end.
   *
   * @param bytes The bytes.
   * @param owned Whether a reference to them may be kept.
   */
  push(bytes: Uint8Array, owned: boolean): void {
    const needed = this.#length + bytes.length;
    // A small part of a chunk is copied: a reference would keep the whole chunk in memory.
    if (this.#length === 0 && owned && bytes.length * 2 >= bytes.buffer.byteLength) {
      this.#bytes = bytes;
    } else {
      if (needed > this.#bytes.length) this.#grow(needed);
      this.#bytes.set(bytes, this.#length);
    }
    this.#length = needed;
  }

  #grow(needed: number): void {
    // Amortized O(1): the memory grows by half each time.
    const bytes = new Uint8Array(this.#length === 0 ? needed : needed + (needed >> 1));
    bytes.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = bytes;
  }

  /** Removes and returns all bytes. */
  take(): Uint8Array {
    const taken = this.#bytes.subarray(0, this.#length);
    this.#bytes = EMPTY;
    this.#length = 0;
    return taken;
  }
}
