/**
 * Masking (RFC 6455 §5.3): each byte XOR the byte of the masking key at its position modulo 4. The
 * same function masks and unmasks.
 *
 * A masking key is a 32-bit integer; its lowest byte is the first byte of the key. Each function
 * returns the bitwise OR of the resulting bytes, of which only one bit is exact: the number is below
 * 0x80 if and only if all bytes are. A text is ASCII then, without another look at its bytes.
 *
 * The functions are called for each frame, so their parameters are positional.
 *
 * @module
 */
import { MASK_WASM } from "./xor_mask_wasm.ts";

/** From this size on, making a `DataView` and masking four bytes at a time is faster. In bytes. */
const VIEWED_FROM = 96;
/** Up to this size, a loop that masks and copies is faster than masking first. In bytes. */
const COPIED_BELOW = 48;
/** From this size on, WebAssembly is faster, the copy to its memory included. In bytes. */
const SIMD_FROM = 768;
/**
 * Where in WebAssembly's memory a payload is masked, and how much at a time. Some processors copy
 * tens of times slower to an address that is 1 to 31 bytes above that of the source modulo 4096
 * (16 KiB: 6 to 9 µs instead of 0.2 to 0.4). Payloads begin a few bytes behind the start of a page, and
 * so does new memory. So the window begins in the middle of a page and is a number of pages long.
 */
const WINDOW_AT = 2048;
const WINDOW_SIZE = 31 * 4096;

/** The function of `assembly/xor_mask.ts` and the memory that it works in. */
export interface Simd {
  /** Masks the first `size` bytes of the window. Returns the OR as above. */
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
    // A loop over a DataView does the same, at a fifth of the speed.
    return undefined;
  }
}

/**
 * Module state: the memory of WebAssembly, 124 KiB, which would be too much for each connection. 4 KiB
 * are masked in 0.2 to 0.3 µs with it, and in 0.6 to 1.2 by a loop over a `DataView`. A use writes the
 * memory, reads it, and calls nothing of others in between.
 */
const simd = instantiate();
const simdFrom = simd === undefined ? Infinity : SIMD_FROM;

/**
 * Where a payload may be unmasked that is read and then forgotten, before anything else is called:
 * the memory of WebAssembly, from which {@linkcode maskInto} need not copy it.
 */
export const scratch: Uint8Array = simd?.window ?? new Uint8Array(0);

/** Whether this many bytes are unmasked faster in {@linkcode scratch} than in place. */
export function fitsScratch(size: number): boolean {
  return size >= simdFrom && size <= scratch.length;
}

/** The masking key for the bytes after the first `count`. */
export function rotate(maskingKey: number, count: number): number {
  const shift = (count & 3) << 3;
  return maskingKey >>> shift | maskingKey << 32 - shift; // JavaScript shifts by 0 instead of 32
}

/**
 * Masks bytes in place.
 *
 * @param chunkView A view of all `bytes` if there is one, which saves making it.
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
 * Copies the masked form of `bytes` from `start` to `end` to `target` from `at` on. Afterwards, the
 * content of `bytes` is undefined.
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

/** A view of a part, as a plain `Uint8Array` even if `bytes` is of a subclass. */
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

/** Masks in WebAssembly, as much at a time as its memory holds. */
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
