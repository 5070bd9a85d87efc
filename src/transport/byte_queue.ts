/**
 * A queue of bytes: output that the system does not accept yet, or input that is held.
 *
 * @module
 */
import { Fifo } from "./fifo.ts";

/** Pieces up to this size are copied together: a copy is cheaper than another system call. */
const MAX_COALESCED = 4 * 1024;
/** The sizes of the buffers that small pieces are copied into. */
const SMALLEST_BUFFER = 4 * 1024;
const LARGEST_BUFFER = 64 * 1024;

/**
 * A queue of bytes. Small pieces are copied together, large ones are kept by reference. Whatever
 * the pieces, the memory is at most 1.5 times the size, plus one small buffer.
 */
export class ByteQueue {
  /** The number of bytes in the queue. */
  size = 0;
  readonly #pieces = new Fifo<Uint8Array>();
  /** The buffer for small pieces. Bytes from `#start` to `#end` are not in `#pieces` yet. */
  #gathered: Uint8Array | null = null;
  #start = 0;
  #end = 0;

  /** Adds bytes at the end. See `Transport.write` for `stable`. */
  push(bytes: Uint8Array, stable: boolean): void {
    if (bytes.length <= MAX_COALESCED) this.#gather(bytes);
    else {
      this.#seal();
      this.#pieces.push(stable ? bytes : new Uint8Array(bytes));
    }
    this.size += bytes.length;
  }

  /**
   * Removes and returns the next piece, at most `limit` bytes; `undefined` if the queue is empty.
   */
  shift(limit = Infinity): Uint8Array | undefined {
    if (this.#pieces.length === 0) this.#seal();
    const piece = this.#pieces.shift();
    if (piece === undefined) return undefined;
    this.size -= piece.length;
    if (piece.length <= limit) return piece;
    this.unshift(piece.subarray(limit));
    return piece.subarray(0, limit);
  }

  /** Adds bytes at the beginning: those of the last {@linkcode shift} that were not written. */
  unshift(bytes: Uint8Array): void {
    this.#pieces.unshift(bytes);
    this.size += bytes.length;
  }

  #gather(bytes: Uint8Array): void {
    const free = this.#gathered === null ? 0 : this.#gathered.length - this.#end;
    if (bytes.length <= free) return this.#append(bytes);
    // Fill the buffer up, so that no memory is wasted.
    if (free > 0) this.#append(bytes.subarray(0, free));
    this.#seal();
    const size = Math.min(LARGEST_BUFFER, Math.max(SMALLEST_BUFFER, this.size >> 1));
    this.#gathered = new Uint8Array(size);
    this.#start = this.#end = 0;
    this.#append(free > 0 ? bytes.subarray(free) : bytes);
  }

  #append(bytes: Uint8Array): void {
    this.#gathered?.set(bytes, this.#end);
    this.#end += bytes.length;
  }

  /** Moves the copied bytes to `#pieces`. The rest of the buffer is still used. */
  #seal(): void {
    if (this.#gathered === null || this.#start === this.#end) return;
    this.#pieces.push(this.#gathered.subarray(this.#start, this.#end));
    this.#start = this.#end;
  }
}
