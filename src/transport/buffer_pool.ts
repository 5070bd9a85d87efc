/**
 * A pool of buffers, for a runtime that reads into given memory and writes from memory that must
 * not change meanwhile.
 *
 * @module
 */

/** A pool of buffers of one size. */
export class BufferPool {
  /** The size of each buffer, in bytes. */
  readonly size: number;
  readonly #perSlab: number;
  readonly #maxFree: number;
  readonly #free: Uint8Array[] = [];
  #lent = 0;

  /**
   * Makes an empty pool. It allocates buffers when it has none.
   *
   * @param size The size of each buffer, in bytes.
   * @param perSlab How many buffers share one allocation: alone, a small one takes twice its size.
   * @param maxFree How many free buffers are kept.
   */
  constructor(size: number, perSlab: number, maxFree: number) {
    this.size = size;
    this.#perSlab = perSlab;
    this.#maxFree = maxFree;
  }

  /** How many buffers are in use. */
  get lent(): number {
    return this.#lent;
  }

  /** Lends a buffer. Its contents are undefined. */
  take(): Uint8Array {
    this.#lent++;
    return this.#free.pop() ?? this.#carve();
  }

  /** Takes back a buffer from {@linkcode take}. The caller must not use it any more. */
  give(buffer: Uint8Array): void {
    this.#lent--;
    if (this.#free.length < this.#maxFree) this.#free.push(buffer);
  }

  #carve(): Uint8Array {
    const slab = new ArrayBuffer(this.size * this.#perSlab);
    for (let index = 1; index < this.#perSlab; index++) {
      this.#free.push(new Uint8Array(slab, index * this.size, this.size));
    }
    return new Uint8Array(slab, 0, this.size);
  }
}
