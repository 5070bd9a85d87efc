/**
 * Allocates memory without clearing it, for a caller that fills it at once.
 *
 * @module
 */
import { keepFreed } from "./spare_memory.ts";
import { nodeBuffer } from "./text_codec.ts";

/** The part of `node:buffer` that is used here. */
interface AllocatingBuffer {
  allocUnsafeSlow(size: number): Uint8Array<ArrayBuffer>;
}

/** Allocates memory of a size in bytes. */
export type Allocate = (size: number) => Uint8Array<ArrayBuffer>;

/** Up to this size, `new Uint8Array` is faster. In bytes. */
const SMALL = 4096;

/** Makes an allocator that uses `node:buffer` if possible. */
export function allocator(module: { readonly Buffer: object } | undefined): Allocate {
  const { Buffer } = module ?? {};
  const uncleared = Buffer !== undefined && canAllocate(Buffer) ? Buffer : undefined;
  return (size) => {
    keepFreed(size);
    if (size <= SMALL) return new Uint8Array(size);
    if (uncleared === undefined) return new Uint8Array(size);
    // Not the `Buffer` itself, whose methods differ from those of a `Uint8Array`.
    return new Uint8Array(uncleared.allocUnsafeSlow(size).buffer);
  };
}

function canAllocate(Buffer: object): Buffer is AllocatingBuffer {
  return typeof (Buffer as Partial<AllocatingBuffer>).allocUnsafeSlow === "function";
}

/**
 * Allocates memory with undefined content. The caller must set each byte before anyone else sees it.
 *
 * 16 KiB take 0.3 µs on Bun and Node, where cleared memory takes 0.7 and 1.5; 1 MiB take 5 and 1 µs
 * instead of 29 and 62. On Deno, memory is always cleared.
 */
export const allocate: Allocate = allocator(nodeBuffer());
