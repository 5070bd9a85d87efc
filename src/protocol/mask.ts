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
import { viewWords, wordsOf } from "./chunk_view.ts";

/** Up to here a loop over bytes is faster than words, if a view must be made for them. */
const WORDS_FROM = 96;
/** Up to here a loop that copies as well is faster than two steps. */
const COPIED_BELOW = 48;
/** From here on a copy to the memory of WebAssembly and its SIMD pay (1 KiB: 150 ns for 210). */
const SIMD_FROM = 768;
/**
 * Where in WebAssembly's memory a payload is masked, and how much at a time. Some processors copy
 * tens of times slower to an address that is 1 to 31 bytes above that of the source modulo 4096
 * (16 KiB: 6 to 9 µs for 0.2 to 0.4). Payloads begin a few bytes behind the start of a page, and so
 * does memory that is fresh: so the window begins in the middle of one, and is pages long.
 */
const WINDOW_AT = 2048;
const WINDOW_SIZE = 31 * 4096;

/** The function of `assembly/mask.ts` and the memory that it works in. */
export interface Simd {
  /** Masks the first `size` bytes of the window; ASCII as above. */
  mask(size: number, maskingKey: number): number;
  /** The window; its length does not change. */
  readonly window: Uint8Array;
}

/** Instantiates `assembly/mask.ts`; `undefined` where there is no WebAssembly or no SIMD. */
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
export const scratch: Uint8Array = simd?.window ?? new Uint8Array(WINDOW_SIZE);

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
  if (size >= simdFrom) return maskLong(bytes, start, bytes, start, end, maskingKey);
  const words = wordsOf(bytes) ?? (size < WORDS_FROM ? null : viewWords(bytes));
  return words === null
    ? maskBytes(bytes, start, end, maskingKey)
    : maskWords(words, start, end, maskingKey);
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

function maskWords(words: DataView, start: number, end: number, maskingKey: number): number {
  let seen = 0;
  let at = start;
  for (const last = end - 3; at < last; at += 4) {
    const word = words.getInt32(at, true) ^ maskingKey;
    words.setInt32(at, word, true);
    seen |= word;
  }
  let any = seen & 0x80808080 ? 0x80 : 0;
  for (; at < end; at++) {
    const byte = words.getUint8(at) ^ maskingKey; // only its low byte counts
    words.setUint8(at, byte);
    any |= byte;
    maskingKey >>>= 8;
  }
  return any & 0xff;
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
  const { mask, window } = simd as Simd; // simdFrom is beyond reach without it
  const step = window.length; // a multiple of 4, so that the masking key stays as it is
  let seen = 0;
  for (let from = start; from < end; from += step, at += step) {
    const size = Math.min(step, end - from);
    window.set(view(bytes, from, from + size));
    seen |= mask(size, maskingKey);
    if (target !== window) target.set(size === step ? window : window.subarray(0, size), at);
  }
  return seen;
}
