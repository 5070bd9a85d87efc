/**
 * Copies without a view where a view would cost more than the copy.
 *
 * @module
 */

/** Up to so many bytes, a loop copies before a view of them is made. */
const SHORT = 64;

/** Copies the first `length` bytes of `source` to `target` from `at` on. */
export function copyBytes(
  source: Uint8Array,
  length: number,
  target: Uint8Array,
  at: number,
): void {
  if (length > SHORT) {
    target.set(length === source.length ? source : source.subarray(0, length), at);
    return;
  }
  // In range: both have room for `length`.
  for (let i = 0; i < length; i++) target[at + i] = source[i] as number;
}
