/**
 * Memory for later messages: a buffer that one long text leaves for the next, and what the engine
 * frees.
 *
 * @module
 */
import { keepFreedMemory } from "../transport/freed_memory.ts";

/** The smallest buffer that is kept, in bytes. Smaller ones are cheap to allocate. */
export const SMALLEST_SPARE: number = 16 * 1024;
/** The largest buffer that is kept, in bytes. */
const LARGEST_SPARE = 1024 * 1024;

/**
 * Module state:
 *
 * - `spare`: the buffer of a text, which is free once the text is decoded. With it, receiving a text of
 *   1 MiB takes 258 µs instead of 355 on Deno, 240 instead of 355 on Bun, and 440 instead of 740 on
 *   Node. Sharing is safe: a taken buffer has one owner until it is given back.
 * - `marker`: see {@linkcode keepFreedMemory}. Where a page fault is slow, an echo of 1 MiB takes 0.7 ms
 *   instead of 6.4 on Deno, and 0.9 instead of 3.0 on Node. Asking twice changes nothing.
 */
const kept: { spare: Uint8Array<ArrayBuffer> | null; marker: ArrayBuffer | null } = {
  spare: null,
  marker: null,
};

/** Takes the buffer if it has at least `size` bytes. Returns `null` if not, or if `size` is small. */
export function takeSpare(size: number): Uint8Array<ArrayBuffer> | null {
  const { spare } = kept;
  if (size < SMALLEST_SPARE || spare === null || spare.length < size) return null;
  kept.spare = null;
  return spare;
}

/** Gives a buffer to the next text. The caller must not use it afterwards. */
export function giveSpare(bytes: Uint8Array<ArrayBuffer>): void {
  if (bytes.length < SMALLEST_SPARE || bytes.length > LARGEST_SPARE) return;
  if (kept.spare === null || bytes.length > kept.spare.length) kept.spare = bytes;
}

/** Lets the process keep what the engine frees, as soon as a message has `size` bytes and is long. */
export function keepFreed(size: number): void {
  if (size >= SMALLEST_SPARE && kept.marker === null) kept.marker = keepFreedMemory();
}
