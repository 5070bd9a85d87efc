/**
 * Masking keys for what a client sends (RFC 6455 §5.3).
 *
 * @module
 */

/**
 * How many keys are drawn at first, and at most. A call of `getRandomValues` takes 40 to 140 ns on Bun
 * and Deno and 4 µs on Node, for one key or for 64. Each draw has twice as many keys as the one
 * before, so that a connection that sends little holds little memory.
 */
const FIRST_DRAW = 4;
const LARGEST_DRAW = 256;

/** The masking keys of one connection. */
export class MaskingKeys {
  #keys: Int32Array<ArrayBuffer> | null = null;
  #used = 0;

  /** A masking key that cannot be predicted (RFC 6455 §10.3). */
  next(): number {
    if (this.#keys === null || this.#used === this.#keys.length) this.#draw();
    return this.#keys![this.#used++]!; // drawn, and more than are used
  }

  #draw(): void {
    const size = this.#keys === null ? FIRST_DRAW : Math.min(this.#keys.length * 2, LARGEST_DRAW);
    if (this.#keys?.length !== size) this.#keys = new Int32Array(size);
    crypto.getRandomValues(this.#keys);
    this.#used = 0;
  }
}
