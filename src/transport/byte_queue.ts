/**
 * Bytes that wait: output that the system does not take yet, input that nobody takes yet.
 *
 * @module
 */
import { Fifo } from "./fifo.ts";

/** Up to this size, copying bytes behind others is cheaper than a system call of their own. */
const COALESCED = 4 * 1024;
/** The smallest and the largest buffer that small pieces are copied into. */
const SMALLEST_BUFFER = 4 * 1024;
const LARGEST_BUFFER = 64 * 1024;

/**
 * Bytes in order: small pieces copied together, large ones by reference. In whatever pieces they
 * come, they take at most 1.5 times their own memory, and one small buffer.
 */
export class ByteQueue {
  /** How many bytes wait. */
  size = 0;
  readonly #pieces = new Fifo<Uint8Array>();
  /** Small pieces gather here; from `#start` to `#end` they are not among the pieces yet. */
  #gathered: Uint8Array | null = null;
  #start = 0;
  #end = 0;

  /** Puts bytes at the end; see `Transport.write` for `stable`. */
  push(bytes: Uint8Array, stable: boolean): void {
    if (bytes.length <= COALESCED) this.#gather(bytes);
    else {
      this.#seal();
      this.#pieces.push(stable ? bytes : bytes.slice());
    }
    this.size += bytes.length;
  }

  /** Takes out the next run of at most `most` bytes, or `undefined` if there is none. */
  shift(most = Infinity): Uint8Array | undefined {
    if (this.#pieces.length === 0) this.#seal();
    const piece = this.#pieces.shift();
    if (piece === undefined) return undefined;
    this.size -= piece.length;
    if (piece.length <= most) return piece;
    this.unshift(piece.subarray(most));
    return piece.subarray(0, most);
  }

  /** Puts bytes back in front: what the system did not take of the last {@linkcode shift}. */
  unshift(bytes: Uint8Array): void {
    this.#pieces.unshift(bytes);
    this.size += bytes.length;
  }

  #gather(bytes: Uint8Array): void {
    const room = this.#gathered === null ? 0 : this.#gathered.length - this.#end;
    if (bytes.length <= room) return this.#append(bytes);
    // The room that is left is used up: it would add up.
    if (room > 0) this.#append(bytes.subarray(0, room));
    this.#seal();
    const size = Math.min(LARGEST_BUFFER, Math.max(SMALLEST_BUFFER, this.size >> 1));
    this.#gathered = new Uint8Array(size);
    this.#start = this.#end = 0;
    this.#append(room > 0 ? bytes.subarray(room) : bytes);
  }

  #append(bytes: Uint8Array): void {
    this.#gathered?.set(bytes, this.#end);
    this.#end += bytes.length;
  }

  /** Makes a piece of what has gathered. The buffer goes on behind it: sent bytes are not touched. */
  #seal(): void {
    if (this.#gathered === null || this.#start === this.#end) return;
    this.#pieces.push(this.#gathered.subarray(this.#start, this.#end));
    this.#start = this.#end;
  }
}
