/**
 * Keeps memory that V8 frees in the process, so that later messages can use it.
 *
 * The C library of most Linux systems, glibc, returns the end of its heap to the kernel as soon as a
 * few free blocks are there, and V8 frees the messages of 64 MiB at once. Thus, the memory of messages
 * goes back to the kernel, comes again page by page, and each page costs a fault.
 *
 * glibc adapts to the blocks that a program frees: after one of up to 32 MiB, it keeps twice as much
 * (`M_MMAP_THRESHOLD` in `man mallopt`). Other C libraries ignore this.
 *
 * @module
 */

/** Just below the largest block that glibc adapts to, which includes its header. In bytes. */
const BLOCK = 32 * 1024 * 1024 - 64 * 1024;
/** Too large for the gaps that the start of a program leaves in the heap. In bytes. */
const MARKER = 8 * 1024 * 1024;

/** In Bun, memory does not come from glibc, and a new block of 32 MiB is cleared at once. */
const isV8 = !("Bun" in globalThis);

/**
 * Lets glibc keep up to 96 MiB of free memory. Takes 2 ms.
 *
 * @returns A block that was never written to, so that it takes addresses but no memory. As long as it
 * is referenced, the memory before it is kept.
 */
export function keepFreedMemory(): ArrayBuffer {
  if (!isV8) return new ArrayBuffer(0);
  // glibc maps a block of this size on its own. Freeing it raises the limits to 32 and 64 MiB.
  new ArrayBuffer(BLOCK).transfer(0);
  // So the next one is in the heap. It is kept whole when it is free: glibc returns only the end of the
  // heap, and that is behind the marker. Without it, 64 MiB of messages would be just too much.
  const block = new ArrayBuffer(BLOCK);
  const marker = new ArrayBuffer(MARKER);
  block.transfer(0);
  return marker;
}
