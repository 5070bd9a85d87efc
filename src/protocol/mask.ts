/**
 * Masking (RFC 6455 §5.3): each byte XOR the byte of the masking key at its position modulo 4. The
 * same function masks and unmasks.
 *
 * A masking key is a 32-bit integer. Its lowest byte is the first byte of the key.
 *
 * Each function returns a number that is below 0x80 if and only if all resulting bytes are below 0x80.
 * So the caller knows whether a text is ASCII without reading it again.
 *
 * The functions are called for each frame, so their parameters are positional.
 *
 * @module
 */
import { MASK_WASM } from "./xor_mask_wasm.ts";

/** From this size on, four bytes at a time with a `DataView` are faster. In bytes. */
const VIEWED_FROM = 96;
/** Below this size, one loop that masks and copies is faster than two steps. In bytes. */
const COPIED_BELOW = 48;
/** From this size on, WebAssembly is faster, even with the copy to its memory. In bytes. */
const SIMD_FROM = 768;
/**
 * The part of WebAssembly's memory for payloads, called the window. Some processors copy tens of times
 * slower if the target is 1 to 31 bytes above the source, modulo 4096 (16 KiB: 6 to 9 µs instead of 0.2
 * to 0.4). Payloads and new memory begin a few bytes after the start of a page. So the window begins in
 * the middle of a page, and its size is a number of pages.
 */
const WINDOW_AT = 2048;
const WINDOW_SIZE = 31 * 4096;

/** The function of `assembly/xor_mask.ts` and its memory. */
export interface Simd {
  /** Masks the first `size` bytes of the window. Returns the same as the functions of this file. */
  mask(size: number, maskingKey: number): number;
  /** The window. Its length does not change. */
  readonly window: Uint8Array;
}

/** Instantiates `assembly/xor_mask.ts`; `undefined` if there is no WebAssembly or no SIMD. */
export function instantiate(base64: string = MASK_WASM): Simd | undefined {
  try {
    const wasm = Uint8Array.from(atob(base64), (byte) => byte.charCodeAt(0));
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(wasm));
    const { mask, memory } = exports as unknown as {
      mask(at: number, size: number, maskingKey: number): number;
      readonly memory: WebAssembly.Memory;
    };
    return {
      mask: (size, maskingKey) => mask(WINDOW_AT, size, maskingKey),
      window: new Uint8Array(memory.buffer, WINDOW_AT, WINDOW_SIZE),
    };
  } catch {
    // Without it, a loop over a DataView is used, which has a fifth of the speed.
    return undefined;
  }
}

/**
 * Module state: the memory of WebAssembly, 124 KiB, which is too much for each connection. It masks
 * 4 KiB in 0.2 to 0.3 µs; a loop over a `DataView` takes 0.6 to 1.2. Sharing is safe: between writing
 * and reading this memory, no other code runs.
 */
const simd = instantiate();
const simdFrom = simd === undefined ? Infinity : SIMD_FROM;

/**
 * The window. A target for {@linkcode maskInto} that saves a copy. The caller must be done with the
 * bytes before it calls other code.
 */
export const scratch: Uint8Array = simd?.window ?? new Uint8Array(0);

/** Returns whether it is faster to unmask this many bytes into {@linkcode scratch} than in place. */
export function fitsScratch(size: number): boolean {
  return size >= simdFrom && size <= scratch.length;
}

/** Returns the masking key for the bytes after the first `count`. */
export function rotate(maskingKey: number, count: number): number {
  const shift = (count & 3) << 3;
  return maskingKey >>> shift | maskingKey << 32 - shift; // JavaScript shifts by 0 instead of 32
}

/**
 * Masks bytes in place.
 *
 * @param chunkView A view of `bytes`, if the caller has one. Default: made if needed.
 */
export function mask(
  bytes: Uint8Array,
  start: number,
  end: number,
  maskingKey: number,
  chunkView: DataView | null = null,
): number {
  const size = end - start;
  if (size >= simdFrom) return maskLong(bytes, start, bytes, start, end, maskingKey);
  if (chunkView === null) {
    if (size < VIEWED_FROM) return maskBytes(bytes, start, end, maskingKey);
    chunkView = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }
  return maskView(chunkView, start, end, maskingKey);
}

/**
 * Masks the bytes from `start` to `end`, and writes them to `target`, starting at `at`. The content of
 * `bytes` is undefined afterwards.
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
  const orOfBytes = mask(bytes, start, end, maskingKey);
  target.set(subview(bytes, start, end), at);
  return orOfBytes;
}

/** Makes a view of a part: a plain `Uint8Array`, even if `bytes` is a `Buffer`. */
export function subview(bytes: Uint8Array, start: number, end: number): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset + start, end - start);
}

function maskBytes(bytes: Uint8Array, start: number, end: number, maskingKey: number): number {
  let orOfBytes = 0;
  for (let at = start; at < end; at++) {
    const byte = bytes[at] as number ^ maskingKey; // in range; only its low byte counts
    bytes[at] = byte;
    orOfBytes |= byte;
    maskingKey = maskingKey >>> 8 | maskingKey << 24;
  }
  return orOfBytes & 0xff;
}

function copyBytes(
  target: Uint8Array,
  at: number,
  bytes: Uint8Array,
  start: number,
  end: number,
  maskingKey: number,
): number {
  let orOfBytes = 0;
  for (let from = start; from < end; from++, at++) {
    const byte = bytes[from] as number ^ maskingKey; // in range; only its low byte counts
    target[at] = byte;
    orOfBytes |= byte;
    maskingKey = maskingKey >>> 8 | maskingKey << 24;
  }
  return orOfBytes & 0xff;
}

function maskView(view: DataView, start: number, end: number, maskingKey: number): number {
  let orOfWords = 0;
  let at = start;
  for (const last = end - 3; at < last; at += 4) {
    const word = view.getInt32(at, true) ^ maskingKey;
    view.setInt32(at, word, true);
    orOfWords |= word;
  }
  let orOfBytes = orOfWords & 0x80808080 ? 0x80 : 0;
  for (; at < end; at++) {
    const byte = view.getUint8(at) ^ maskingKey; // only its low byte counts
    view.setUint8(at, byte);
    orOfBytes |= byte;
    maskingKey >>>= 8;
  }
  return orOfBytes & 0xff;
}

/** Masks in WebAssembly, one window at a time. */
function maskLong(
  target: Uint8Array,
  at: number,
  bytes: Uint8Array,
  start: number,
  end: number,
  maskingKey: number,
): number {
  const { mask, window } = simd as Simd; // defined, since no size reaches simdFrom without it
  const step = window.length; // a multiple of 4, so the masking key stays the same
  let orOfBytes = 0;
  for (let from = start; from < end; from += step, at += step) {
    const size = Math.min(step, end - from);
    window.set(subview(bytes, from, from + size));
    orOfBytes |= mask(size, maskingKey);
    if (target !== window) target.set(size === step ? window : window.subarray(0, size), at);
  }
  return orOfBytes;
}
