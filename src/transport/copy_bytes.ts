/**
 * Copies short byte sequences without a view: making a view costs more than the copy.
 *
 * @module
 */

/** Up to this many bytes, a loop is faster than `set` with a view. */
const LONGEST_LOOP = 64;

/** Copies the first `length` bytes of `source` to `target`, starting at `at`. */
export function copyBytes(
  source: Uint8Array,
  length: number,
  target: Uint8Array,
  at: number,
): void {
  if (length > LONGEST_LOOP) {
    target.set(length === source.length ? source : source.subarray(0, length), at);
    return;
  }
  // Both arrays have at least `length` bytes there.
  for (let i = 0; i < length; i++) target[at + i] = source[i] as number;
}
