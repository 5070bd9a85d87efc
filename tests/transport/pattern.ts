/**
 * An endless sequence of bytes. One end sends it and the other end checks it, to find lost, repeated or
 * reordered bytes. The period is a prime, so that no buffer size can hide a difference.
 *
 * @module
 */
import { Buffer } from "node:buffer";

const PERIOD = 1_048_573;

const block = Buffer.alloc(PERIOD);
for (let i = 0, state = 0x2545f491; i < PERIOD; i++) {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  block[i] = state & 0xff;
}

/** A position in the sequence. */
export class Pattern {
  /** How many bytes were taken or checked. */
  position = 0;

  /** The next bytes, a copy. */
  take(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length;) {
      const part = this.#next(length - at);
      bytes.set(part, at);
      at += part.length;
    }
    return bytes;
  }

  /** Whether these are the next bytes. */
  check(bytes: Uint8Array): boolean {
    for (let at = 0; at < bytes.length;) {
      const part = this.#next(bytes.length - at);
      if (Buffer.compare(part, bytes.subarray(at, at + part.length)) !== 0) return false;
      at += part.length;
    }
    return true;
  }

  #next(most: number): Uint8Array {
    const start = this.position % PERIOD;
    const part = block.subarray(start, Math.min(start + most, PERIOD));
    this.position += part.length;
    return part;
  }
}
