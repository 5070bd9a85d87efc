/**
 * Bytes that arrived and wait to be parsed.
 *
 * @module
 */

/** Bytes in the order they arrived, in at most 1.5 times the memory that they take. */
export class HeldBytes {
  /** The memory; its first `#length` bytes are held. */
  #bytes: Uint8Array = new Uint8Array(0);
  #length = 0;

  /** How many bytes are held. */
  get length(): number {
    return this.#length;
  }

  /**
   * Adds bytes at the end.
   *
   * @param bytes The bytes.
   * @param owned Whether their memory may be kept.
   */
  push(bytes: Uint8Array, owned: boolean): void {
    const needed = this.#length + bytes.length;
    // A small part of a chunk would keep all of it alive.
    if (this.#length === 0 && owned && bytes.length * 2 >= bytes.buffer.byteLength) {
      this.#bytes = bytes;
    } else {
      if (needed > this.#bytes.length) this.#grow(needed);
      this.#bytes.set(bytes, this.#length);
    }
    this.#length = needed;
  }

  #grow(needed: number): void {
    // Linear in all: what is held is copied once for each half that it has grown.
    const bytes = new Uint8Array(this.#length === 0 ? needed : needed + (needed >> 1));
    bytes.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = bytes;
  }

  /** Takes all bytes out. */
  take(): Uint8Array {
    const taken = this.#bytes.subarray(0, this.#length);
    this.#bytes = new Uint8Array(0);
    this.#length = 0;
    return taken;
  }
}
