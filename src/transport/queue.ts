/**
 * What an adapter keeps of the bytes that the system does not take at once.
 *
 * @module
 */

/** Up to this size, copying bytes behind others is cheaper than a system call of their own. */
const COALESCED = 4 * 1024;
/** The size of the first buffer that small pieces are copied into, and of all later ones. */
const FIRST_BUFFER = 4 * 1024;
const NEXT_BUFFER = 64 * 1024;

/** Bytes in the order they were written: small pieces copied together, large ones by reference. */
export class OutputQueue {
  readonly #pieces: Uint8Array[] = [];
  /** Small pieces gather here; from `#start` to `#end` they are not among the pieces yet. */
  #gathered: Uint8Array | null = null;
  #start = 0;
  #end = 0;

  /** Puts bytes at the end; see `Transport.write` for `stable`. */
  push(bytes: Uint8Array, stable: boolean): void {
    if (bytes.length <= COALESCED) {
      this.#gather(bytes);
    } else {
      this.#seal();
      this.#pieces.push(stable ? bytes : bytes.slice());
    }
  }

  /** Takes out the next run of bytes to send, or `undefined` if there is none. */
  shift(): Uint8Array | undefined {
    if (this.#pieces.length === 0) this.#seal();
    return this.#pieces.shift();
  }

  /** Puts bytes back in front: what the system did not take of the last {@linkcode shift}. */
  unshift(bytes: Uint8Array): void {
    this.#pieces.unshift(bytes);
  }

  #gather(bytes: Uint8Array): void {
    const gathered = this.#gathered;
    if (gathered !== null && this.#end + bytes.length <= gathered.length) {
      gathered.set(bytes, this.#end);
      this.#end += bytes.length;
      return;
    }
    this.#seal();
    this.#gathered = new Uint8Array(gathered === null ? FIRST_BUFFER : NEXT_BUFFER);
    this.#gathered.set(bytes);
    this.#start = 0;
    this.#end = bytes.length;
  }

  /** Makes a piece of what has gathered. The buffer goes on behind it: sent bytes are not touched. */
  #seal(): void {
    if (this.#gathered === null || this.#start === this.#end) return;
    this.#pieces.push(this.#gathered.subarray(this.#start, this.#end));
    this.#start = this.#end;
  }
}
