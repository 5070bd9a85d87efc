/**
 * Buffers that are used again, for a runtime that reads into memory it is given and writes from
 * memory that must stay as it is meanwhile.
 *
 * @module
 */

/** Buffers of one size. */
export class BufferPool {
  /** The size of each buffer, in bytes. */
  readonly size: number;
  readonly #perSlab: number;
  readonly #most: number;
  readonly #free: Uint8Array[] = [];
  #lent = 0;

  /**
   * Makes an empty pool; it allocates when it has nothing to lend.
   *
   * @param size The size of each buffer, in bytes.
   * @param perSlab How many buffers share one allocation; alone, a small one costs twice its size.
   * @param most How many buffers nobody uses are kept.
   */
  constructor(size: number, perSlab: number, most: number) {
    this.size = size;
    this.#perSlab = perSlab;
    this.#most = most;
  }

  /** How many buffers are lent. */
  get lent(): number {
    return this.#lent;
  }

  /** Lends a buffer; it contains whatever the last borrower left in it. */
  take(): Uint8Array {
    this.#lent++;
    return this.#free.pop() ?? this.#carve();
  }

  /** Takes back a buffer that {@linkcode take} lent and that nothing refers to any more. */
  give(buffer: Uint8Array): void {
    this.#lent--;
    if (this.#free.length < this.#most) this.#free.push(buffer);
  }

  #carve(): Uint8Array {
    const slab = new ArrayBuffer(this.size * this.#perSlab);
    for (let index = 1; index < this.#perSlab; index++) {
      this.#free.push(new Uint8Array(slab, index * this.size, this.size));
    }
    return new Uint8Array(slab, 0, this.size);
  }
}
