/**
 * Latin-1: a string with one character for each byte. A received value can be sent back with the same
 * bytes.
 *
 * @module
 */
import { builtinModule } from "../transport/builtin_module.ts";

/** The part of `node:buffer` that is used. For 500 bytes, it takes 60 to 120 ns; a loop takes 1 µs. */
interface NodeBuffer {
  readonly Buffer: {
    readonly prototype: { latin1Slice?(this: Uint8Array, start: number, end: number): string };
  };
}

/** Decodes the bytes from `start` to `end`. */
export type Latin1Decoder = (bytes: Uint8Array, start: number, end: number) => string;

/** The decoder without `node:buffer`. The "latin1" of `TextDecoder` is windows-1252. */
const portable: Latin1Decoder = (bytes, start, end) => {
  let text = "";
  for (let at = start; at < end; at += 4096) {
    text += String.fromCharCode(...bytes.subarray(at, Math.min(at + 4096, end)));
  }
  return text;
};

/** Returns the decoder of `node:buffer` if the global scope has it; otherwise one with Web APIs. */
export function latin1Decoder(scope: unknown): Latin1Decoder {
  const { latin1Slice: slice } =
    builtinModule<NodeBuffer>("node:buffer", scope)?.Buffer.prototype ??
      {};
  if (slice === undefined) return portable;
  return (bytes, start, end) => slice.call(bytes, start, end);
}

/** The decoder of this runtime. */
export const decodeLatin1: Latin1Decoder = latin1Decoder(globalThis);

const encoder = new TextEncoder();
/** Up to this length, a loop is faster than `encodeInto`, which needs a view. */
const LONGEST_LOOP = 32;

/**
 * Writes each character as one byte.
 *
 * @param text Characters up to U+00FF.
 * @param bytes The target. It must have room for `text.length` bytes at `at`.
 * @returns The offset after the text.
 */
export function writeLatin1(text: string, bytes: Uint8Array, at = 0): number {
  const end = at + text.length;
  if (text.length <= LONGEST_LOOP) {
    for (let i = 0; i < text.length; i++) bytes[at + i] = text.charCodeAt(i);
    return end;
  }
  const room = bytes.subarray(at, end);
  // ASCII is the same in UTF-8, and `encodeInto` takes a tenth of the time of `latin1Write` on Deno.
  // Other characters take two bytes in UTF-8. Then the text does not fit.
  if (encoder.encodeInto(text, room).read < text.length) {
    for (let i = 0; i < text.length; i++) room[i] = text.charCodeAt(i);
  }
  return end;
}

/** Encodes characters up to U+00FF as one byte each. */
export function encodeLatin1(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  writeLatin1(text, bytes);
  return bytes;
}
