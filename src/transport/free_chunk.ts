/**
 * Frees the memory of chunks at once instead of by the garbage collector, so that the next chunk can
 * use it.
 *
 * @module
 */

/**
 * The smallest chunk to free, in bytes. An echo of 1 MiB takes 1.4 ms instead of 1.8 on Node, and 1.2
 * instead of 1.6 on Bun. With smaller chunks, nothing is gained.
 */
export const MIN_FREED_SIZE: number = 32 * 1024;

/** Frees the memory of a large chunk, unless the memory may be shared. */
export function freeChunk(chunk: Uint8Array): void {
  if (chunk.length < MIN_FREED_SIZE) return;
  const { buffer } = chunk;
  if (chunk.length === buffer.byteLength && buffer instanceof ArrayBuffer) buffer.transfer(0);
}
