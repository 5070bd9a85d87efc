/**
 * Conversions between bytes and strings. Malformed UTF-8 becomes U+FFFD.
 *
 * For short text, the functions of `node:buffer` are several times as fast as the Web APIs. Without
 * `node:buffer`, the Web APIs are used.
 *
 * @module
 */
import { builtinModule } from "../transport/builtin_module.ts";
import type { Output } from "./output.ts";

/** The conversions that the wire formats use. */
export interface TextFunctions {
  /**
   * Decodes each byte to one character. ASCII bytes and 0xFF (`"\xff"`) give the same characters on all
   * runtimes. The others may differ, but none gives `"\xff"`.
   */
  latin1(bytes: Uint8Array, start: number, end: number): string;
  /** Whether all bytes are below 0x80. */
  isAscii(bytes: Uint8Array): boolean;
  /** Decodes UTF-8 that is short. For longer text, {@linkcode decodeLong} is faster. */
  decode(bytes: Uint8Array, start: number, end: number): string;
  /** See {@linkcode encodeInto}. */
  encode(message: string, bytes: Uint8Array, at: number): number;
}

/** The part of `node:buffer` that is used. */
export interface NodeBuffer {
  readonly Buffer: {
    readonly prototype: {
      latin1Slice?(this: Uint8Array, start: number, end: number): string;
      utf8Slice?(this: Uint8Array, start: number, end: number): string;
      utf8Write?(this: Uint8Array, message: string, at: number, size: number): number;
    };
  };
  readonly isAscii?: (bytes: Uint8Array) => boolean;
}

// A byte order mark is part of the message. No version of the protocol removes it.
const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });
// The Web's "latin1" is windows-1252. ASCII bytes and 0xFF are the same in both.
const windows1252 = new TextDecoder("latin1");
const encoder = new TextEncoder();

/** Decodes UTF-8 of any length. */
export function decodeLong(bytes: Uint8Array): string {
  return utf8.decode(bytes);
}

const web: TextFunctions = {
  latin1: (bytes, start, end) => windows1252.decode(bytes.subarray(start, end)),
  isAscii: (bytes) => bytes.every((byte) => byte < 0x80),
  decode: (bytes, start, end) => utf8.decode(bytes.subarray(start, end)),
  encode: (message, bytes, at) => encoder.encodeInto(message, bytes.subarray(at)).written,
};

/** Returns the functions of `buffer`. Uses the Web APIs in place of those that it does not have. */
export function textFunctions(buffer: NodeBuffer | undefined): TextFunctions {
  const { latin1Slice, utf8Slice, utf8Write } = buffer?.Buffer.prototype ?? {};
  return {
    latin1: latin1Slice === undefined
      ? web.latin1
      : (bytes, start, end) => latin1Slice.call(bytes, start, end),
    isAscii: buffer?.isAscii ?? web.isAscii,
    decode: utf8Slice === undefined
      ? web.decode
      : (bytes, start, end) => utf8Slice.call(bytes, start, end),
    encode: utf8Write === undefined
      ? web.encode
      : (message, bytes, at) => utf8Write.call(bytes, message, at, message.length * 3),
  };
}

/** Returns `node:buffer` if the runtime has it. */
export function nodeBuffer(scope: unknown = globalThis): NodeBuffer | undefined {
  return builtinModule<NodeBuffer>("node:buffer", scope);
}

/** The conversions of this runtime. */
export const text: TextFunctions = textFunctions(nodeBuffer());

/** Returns up to how many UTF-16 units of ASCII a loop is faster than a call of `utf8Write`. */
export function longestLoop(buffer: NodeBuffer | undefined): number {
  const utf8Write = buffer?.Buffer.prototype.utf8Write;
  // A native `utf8Write` takes 25 to 60 ns. One that calls `TextEncoder.encodeInto` on a new view
  // takes 110 to 200 ns, and so do the Web APIs. The loop takes 2 ns for each unit.
  const isNative = utf8Write !== undefined && !String(utf8Write).includes("encodeInto");
  return isNative ? 16 : 64;
}

const LONGEST_LOOP = longestLoop(nodeBuffer());
/** The smallest part of a long message, in UTF-16 units. There are at most 32 parts. */
const PART = 4096;
/** How many characters of a long message are sampled to estimate its size in UTF-8. */
const SAMPLES = 32;

/**
 * Encodes a message to `bytes`, starting at `at`. There must be room for three bytes for each UTF-16
 * unit. A lone surrogate becomes U+FFFD.
 *
 * @returns How many bytes were written.
 */
export function encodeInto(message: string, bytes: Uint8Array, at: number): number {
  const { length } = message;
  if (length > LONGEST_LOOP) return text.encode(message, bytes, at);
  for (let i = 0; i < length; i++) {
    const unit = message.charCodeAt(i);
    if (unit >= 0x80) return text.encode(message, bytes, at);
    bytes[at + i] = unit;
  }
  return length;
}

/**
 * Appends a long message, part by part. Reserves room for the worst case of the next part only:
 * allocating three times the size of the message would take longer than encoding it.
 */
export function appendText(output: Output, message: string): void {
  const { length } = message;
  const part = Math.min(length, Math.max(PART, length >> 5));
  // One byte more: the byte that ends a hixie frame must not make the buffer grow.
  output.reserve(estimateSize(message) + part * 2 + 1);
  for (let from = 0, to = 0; to < length; from = to) {
    const spare = output.bytes.length - output.length - (length - from) - 1;
    to = Math.min(length, from + Math.max(part, spare >> 1));
    // A part must not end inside a surrogate pair.
    if (to < length && (message.charCodeAt(to - 1) & 0xfc00) === 0xd800) to--;
    const at = output.reserve(length - from + (to - from) * 2 + 1);
    output.length = at + text.encode(message.substring(from, to), output.bytes, at);
  }
}

/** Estimates the size of a message in UTF-8. Exact for ASCII; for other text rather too large. */
function estimateSize(message: string): number {
  const step = message.length / SAMPLES;
  let bytes = 0;
  for (let i = 0; i < SAMPLES; i++) {
    const unit = message.charCodeAt(i * step | 0);
    bytes += unit < 0x80 ? 1 : unit < 0x800 ? 2 : 3;
  }
  return bytes === SAMPLES ? message.length : message.length * (bytes + 2) / SAMPLES | 0;
}
