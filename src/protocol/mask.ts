/**
 * Masking (RFC 6455 §5.3): each byte XOR the byte of the masking key at its position modulo 4. The
 * same both ways, so that what follows masks and unmasks.
 *
 * A masking key is a 32-bit integer whose lowest byte is the key's first. Every function returns a
 * number that is below 0x80 if all the bytes after the XOR are, so that nobody has to look at them
 * again to know that a text is ASCII.
 *
 * @module
 */
import { MASK_WASM } from "./mask_wasm.ts";

const isLittleEndian = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;
/**
 * Up to here a loop over bytes is faster than words, for which a view of the buffer is made: 10 to 50
 * ns, and on Bun 500, once for each read. Words need the lowest byte first.
 */
const WORDS_FROM = isLittleEndian ? 48 : Infinity;
/** Up to here a loop that copies as well is faster than two steps. */
const COPIED_BELOW = 48;
/** From here on a copy to the memory of WebAssembly and its SIMD pay (1 KiB: 150 ns for 210). */
const SIMD_FROM = 768;
/** A view of a buffer larger than this is not kept, since that keeps the buffer alive. */
const KEPT_BUFFER = 128 * 1024;

/** The function of `assembly/mask.ts` and the memory that it works in. */
export interface Simd {
  /** Masks the first `size` bytes of the memory; ASCII as above. */
  mask(size: number, maskingKey: number): number;
  /** The memory; its length does not change. */
  readonly memory: Uint8Array;
}

/** Instantiates `assembly/mask.ts`; `undefined` where there is no WebAssembly or no SIMD. */
export function instantiate(base64: string = MASK_WASM): Simd | undefined {
  try {
    const wasm = Uint8Array.from(atob(base64), (byte) => byte.charCodeAt(0));
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(wasm));
    const { mask, memory } = exports as unknown as
      & Pick<Simd, "mask">
      & { memory: WebAssembly.Memory };
    return { mask, memory: new Uint8Array(memory.buffer) };
  } catch {
    // Words do the same, at a fifth of the speed.
    return undefined;
  }
}

const simd = instantiate();
const simdFrom = simd === undefined ? Infinity : SIMD_FROM;

/**
 * Where a payload may be unmasked to be looked at and forgotten before anything else happens: the
 * memory of WebAssembly, from which {@linkcode maskInto} need not copy it away.
 */
export const scratch: Uint8Array = simd?.memory ?? new Uint8Array(128 * 1024);

/** Whether so many bytes are better unmasked in {@linkcode scratch} than in place. */
export function fitsScratch(size: number): boolean {
  return size >= simdFrom && size <= scratch.length;
}

/** The masking key for what follows after `count` bytes. */
export function rotate(maskingKey: number, count: number): number {
  const shift = (count & 3) << 3;
  return maskingKey >>> shift | maskingKey << 32 - shift; // a shift by 32 is one by 0: right as well
}

/** Masks bytes in place. */
export function mask(bytes: Uint8Array, start: number, end: number, maskingKey: number): number {
  const size = end - start;
  if (size < WORDS_FROM) return maskBytes(bytes, start, end, maskingKey);
  if (size >= simdFrom) return maskLong(bytes, start, bytes, start, end, maskingKey);
  return maskWords(bytes, start, end, maskingKey);
}

/**
 * Copies the masked form of `bytes` from `start` to `end` to `target` from `at` on. What is left in
 * `bytes` is undefined.
 */
export function maskInto(
  target: Uint8Array,
  at: number,
  bytes: Uint8Array,
  start: number,
  end: number,
  maskingKey: number,
): number {
  const size = end - start;
  if (size >= simdFrom) return maskLong(target, at, bytes, start, end, maskingKey);
  if (size < COPIED_BELOW) return copyBytes(target, at, bytes, start, end, maskingKey);
  const seen = mask(bytes, start, end, maskingKey);
  target.set(view(bytes, start, end), at);
  return seen;
}

/** A view of a part, also where `bytes` is of a subclass whose `subarray` is its own. */
export function view(bytes: Uint8Array, start: number, end: number): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset + start, end - start);
}

function maskBytes(bytes: Uint8Array, start: number, end: number, maskingKey: number): number {
  let seen = 0;
  for (let at = start; at < end; at++) {
    const byte = bytes[at] as number ^ maskingKey; // in range: the caller's; only its low byte counts
    bytes[at] = byte;
    seen |= byte;
    maskingKey = maskingKey >>> 8 | maskingKey << 24;
  }
  return seen & 0xff;
}

function copyBytes(
  target: Uint8Array,
  at: number,
  bytes: Uint8Array,
  start: number,
  end: number,
  maskingKey: number,
): number {
  let seen = 0;
  for (let from = start; from < end; from++, at++) {
    const byte = bytes[from] as number ^ maskingKey; // in range: the caller's
    target[at] = byte;
    seen |= byte;
    maskingKey = maskingKey >>> 8 | maskingKey << 24;
  }
  return seen & 0xff;
}

/** The buffer that `words` is a view of: many frames come in one. */
let viewed: ArrayBufferLike | undefined;
let words: Int32Array = new Int32Array(0);

function wordsOf(buffer: ArrayBufferLike): Int32Array {
  if (buffer === viewed) return words;
  const view = new Int32Array(buffer, 0, buffer.byteLength >>> 2);
  if (buffer.byteLength <= KEPT_BUFFER) {
    viewed = buffer;
    words = view;
  }
  return view;
}

function maskWords(bytes: Uint8Array, start: number, end: number, maskingKey: number): number {
  const words = wordsOf(bytes.buffer);
  const { byteOffset } = bytes;
  const aligned = start + (-(byteOffset + start) & 3);
  const last = (byteOffset + end) >>> 2;
  const key = rotate(maskingKey, aligned - start);
  let seen = 0;
  for (let at = (byteOffset + aligned) >>> 2; at < last; at++) {
    const word = words[at] as number ^ key; // in range: within the buffer
    words[at] = word;
    seen |= word;
  }
  // The ends, of up to 3 bytes each; the second begins at a word, where the key is `key`.
  return (seen & 0x80808080 ? 0x80 : 0) | maskBytes(bytes, start, aligned, maskingKey) |
    maskBytes(bytes, (last << 2) - byteOffset, end, key);
}

/** By SIMD, in steps as large as its memory. */
function maskLong(
  target: Uint8Array,
  at: number,
  bytes: Uint8Array,
  start: number,
  end: number,
  maskingKey: number,
): number {
  const { mask, memory } = simd as Simd; // simdFrom is beyond reach without it
  const step = memory.length; // a multiple of 4, so that the masking key stays as it is
  let seen = 0;
  for (let from = start; from < end; from += step, at += step) {
    const size = Math.min(step, end - from);
    memory.set(view(bytes, from, from + size));
    seen |= mask(size, maskingKey);
    if (target !== memory) target.set(size === step ? memory : memory.subarray(0, size), at);
  }
  return seen;
}
