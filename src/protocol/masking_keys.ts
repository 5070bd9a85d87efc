/**
 * The masking keys of a client (RFC 6455 §5.3).
 *
 * @module
 */

/**
 * How many keys are drawn the first time, and at most. A call of `getRandomValues` takes 40 to 140 ns
 * on Bun and Deno and 4 µs on Node, for one key or for 64. The number doubles with each draw, so a
 * connection that sends little needs little memory.
 */
const FIRST_DRAW = 4;
const LARGEST_DRAW = 256;

const NONE = new Int32Array(0);

/** The masking keys of one connection. */
export class MaskingKeys {
  #keys = NONE;
  #used = 0;

  /** Returns an unpredictable masking key (RFC 6455 §10.3). */
  next(): number {
    if (this.#used === this.#keys.length) this.#draw();
    return this.#keys[this.#used++]!; // `#draw` has set it
  }

  #draw(): void {
    const size = Math.min(Math.max(this.#keys.length * 2, FIRST_DRAW), LARGEST_DRAW);
    if (this.#keys.length !== size) this.#keys = new Int32Array(size);
    crypto.getRandomValues(this.#keys);
    this.#used = 0;
  }
}
