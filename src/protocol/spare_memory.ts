/**
 * A buffer that one long text message leaves for the next. Decoding copies the bytes, so the buffer is
 * free afterwards.
 *
 * @module
 */

/** The smallest buffer that is kept, in bytes. Smaller ones are cheap to allocate. */
export const SMALLEST_SPARE: number = 16 * 1024;
/** The largest buffer that is kept, in bytes. */
const LARGEST_SPARE = 1024 * 1024;

/**
 * Module state: the buffer. With it, receiving a text of 1 MiB takes 258 µs instead of 355 on Deno, 240
 * instead of 355 on Bun, and 440 instead of 740 on Node. A draft76 text of 10 KiB in two pieces takes 2
 * to 3 µs instead of 3 to 4. Sharing is safe: a taken buffer has one owner until it is given back.
 */
let spare: Uint8Array<ArrayBuffer> | null = null;

/** Takes the buffer if it has at least `size` bytes. Returns `null` if not, or if `size` is small. */
export function takeSpare(size: number): Uint8Array<ArrayBuffer> | null {
  if (size < SMALLEST_SPARE || spare === null || spare.length < size) return null;
  const taken = spare;
  spare = null;
  return taken;
}

/** Gives a buffer to the next text. The caller must not use it afterwards. */
export function giveSpare(bytes: Uint8Array<ArrayBuffer>): void {
  if (bytes.length < SMALLEST_SPARE || bytes.length > LARGEST_SPARE) return;
  if (spare === null || bytes.length > spare.length) spare = bytes;
}
