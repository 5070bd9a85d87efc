/**
 * Decodes UTF-8 that arrives in pieces.
 *
 * @module
 */
import { decodeUtf8 } from "./utf8.ts";

/** The most bytes of a character. */
const MAX_CHARACTER_SIZE = 4;

/** Returns the offset after the last complete character from `start` to `end`. */
function endOfWhole(bytes: Uint8Array, start: number, end: number): number {
  const first = Math.max(start, end - (MAX_CHARACTER_SIZE - 1));
  for (let at = end - 1; at >= first; at--) {
    const byte = bytes[at] as number; // in range
    if (byte < 0x80) return end;
    // Only the first byte of a character is 0xC0 or above.
    if (byte >= 0xc0) return at + (byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4) > end ? at : end;
  }
  return end;
}

/**
 * Decodes the pieces of one text. An incomplete character at the end of a piece waits for the next one.
 * Malformed bytes become U+FFFD, the same as if the text were decoded at once.
 */
export class PieceDecoder {
  /** The bytes of an incomplete character. */
  #kept: Uint8Array | null = null;

  /** Decodes a piece. The result may be empty. */
  decode(bytes: Uint8Array, start: number, end: number): string {
    if (this.#kept !== null) {
      const joined = new Uint8Array(this.#kept.length + end - start);
      joined.set(this.#kept);
      joined.set(bytes.subarray(start, end), this.#kept.length);
      this.#kept = null;
      return this.decode(joined, 0, joined.length);
    }
    const whole = endOfWhole(bytes, start, end);
    if (whole < end) this.#kept = new Uint8Array(bytes.subarray(whole, end));
    return decodeUtf8(bytes, start, whole);
  }

  /** Decodes an incomplete character at the end of the text. Usually returns `""`. */
  flush(): string {
    const kept = this.#kept;
    this.#kept = null;
    return kept === null ? "" : decodeUtf8(kept, 0, kept.length);
  }
}
