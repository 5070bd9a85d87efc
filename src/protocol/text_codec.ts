/**
 * Runs of bytes to strings and back, with U+FFFD for what is not UTF-8.
 *
 * The functions of `node:buffer` are several times as fast as the Web's on short text; where it is
 * missing, the Web's do the same.
 *
 * @module
 */
import type { Output } from "./output.ts";
import { wordsOf } from "./chunk_view.ts";

/** The conversions that the wire formats are built on. */
export interface TextFunctions {
  /**
   * One character for each byte. Only those of ASCII bytes and of 0xFF (`"\xff"`, which no other
   * byte becomes) are to be relied on.
   */
  latin1(bytes: Uint8Array, start: number, end: number): string;
  /** Whether all bytes are below 0x80. */
  isAscii(bytes: Uint8Array): boolean;
  /** Decodes UTF-8 of a few bytes; see {@linkcode decodeLong}. */
  decode(bytes: Uint8Array, start: number, end: number): string;
  /** As {@linkcode encodeInto}. */
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

// A byte order mark is text here: no version of the protocol takes it away.
const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });
// What the Web calls "latin1" is windows-1252: the same for ASCII, and 0xFF is U+00FF there too.
const windows1252 = new TextDecoder("latin1");
const encoder = new TextEncoder();

/** Decodes UTF-8 of any length; each maximal part that is not UTF-8 becomes one U+FFFD. */
export function decodeLong(bytes: Uint8Array): string {
  return utf8.decode(bytes);
}

const web: TextFunctions = {
  latin1: (bytes, start, end) => windows1252.decode(bytes.subarray(start, end)),
  isAscii: (bytes) => bytes.every((byte) => byte < 0x80),
  decode: (bytes, start, end) => utf8.decode(bytes.subarray(start, end)),
  encode: (message, bytes, at) => encoder.encodeInto(message, bytes.subarray(at)).written,
};

/** The fastest conversions that `buffer` has, and the Web's for the rest. */
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

/** `node:buffer`, if this runtime has it. */
export function nodeBuffer(scope: unknown = globalThis): NodeBuffer | undefined {
  const { process } = scope as {
    process?: { getBuiltinModule?: (name: string) => NodeBuffer | undefined };
  };
  return process?.getBuiltinModule?.("node:buffer");
}

/** This runtime's conversions. */
export const text: TextFunctions = textFunctions(nodeBuffer());

/** Up to how many UTF-16 units a loop encodes ASCII before a call of `utf8Write` would. */
export function loopTo(buffer: NodeBuffer | undefined): number {
  const utf8Write = buffer?.Buffer.prototype.utf8Write;
  // Native, it takes 25 to 60 ns. Where it is `TextEncoder.encodeInto` on a view that it makes, or
  // is missing, that is 110 to 200 ns. The loop takes 2 ns a unit.
  const isNative = utf8Write !== undefined && !String(utf8Write).includes("encodeInto");
  return isNative ? 16 : 64;
}

const TINY = loopTo(nodeBuffer());
/** A long message is encoded in 32 parts, or in parts of so many UTF-16 units if that is more. */
const PART = 4096;
/** How many characters of a long message tell how much room it needs. */
const SAMPLES = 32;

const NOTHING: Uint8Array = new Uint8Array(0);

/**
 * The short ASCII text that is being delivered, and where its bytes are. Whoever passes it on as it
 * came (an echo, a room) copies them: 25 ns for 32 characters, where to encode a part of a longer
 * string takes 80 on Node and 110 on Deno.
 */
const delivered = { text: "", bytes: NOTHING, start: 0, end: 0 };

/** A text is delivered, until another is or {@linkcode endDelivery}; its bytes stay until then. */
export function beginDelivery(text: string, bytes: Uint8Array, start: number, end: number): void {
  delivered.text = text;
  delivered.bytes = bytes;
  delivered.start = start;
  delivered.end = end;
}

/** Nothing is delivered: the bytes may change, and are let go of. */
export function endDelivery(): void {
  delivered.text = "";
  delivered.bytes = NOTHING;
  delivered.start = delivered.end = 0;
}

/** Up to how many bytes a loop copies before a call would encode them. */
const COPIED = 64;

function copyDelivered(output: Output, at: number): number {
  const { bytes, start, end } = delivered;
  const target = output.bytes;
  const words = wordsOf(bytes);
  let from = start;
  if (words !== null) {
    const targetWords = output.words;
    for (const last = end - 3; from < last; from += 4, at += 4) {
      targetWords.setInt32(at, words.getInt32(from, true), true);
    }
  }
  // Both in range: the reader's, and the writer has made room.
  for (; from < end; from++, at++) target[at] = bytes[from] as number;
  return end - start;
}

/**
 * Encodes into an output from `at` on, where there must be room for three bytes per UTF-16 unit. A
 * lone surrogate becomes U+FFFD.
 *
 * @returns How many bytes were written.
 */
export function encodeInto(message: string, output: Output, at: number): number {
  const { length } = message;
  if (length <= COPIED && message === delivered.text) return copyDelivered(output, at);
  const { bytes } = output;
  if (length > TINY) return text.encode(message, bytes, at);
  for (let i = 0; i < length; i++) {
    const unit = message.charCodeAt(i);
    if (unit >= 0x80) return text.encode(message, bytes, at);
    bytes[at + i] = unit;
  }
  return length;
}

/**
 * Appends a long message. Only the part at hand gets room for the worst case: making a buffer of
 * three times the message's size would cost more than to encode it.
 */
export function appendText(output: Output, message: string): void {
  const { length } = message;
  const part = Math.min(length, Math.max(PART, length >> 5));
  // One byte more than needed: what ends a frame must not make the buffer grow.
  output.reserve(estimate(message) + part * 2 + 1);
  for (let from = 0, to = 0; to < length; from = to) {
    const spare = output.bytes.length - output.length - (length - from) - 1;
    to = Math.min(length, from + Math.max(part, spare >> 1));
    // A part must not end inside a surrogate pair.
    if (to < length && (message.charCodeAt(to - 1) & 0xfc00) === 0xd800) to--;
    const at = output.reserve(length - from + (to - from) * 2 + 1);
    output.length = at + text.encode(message.substring(from, to), output.bytes, at);
  }
}

/** About how many bytes a message encodes to: exact for ASCII, rather too many than too few. */
function estimate(message: string): number {
  const step = message.length / SAMPLES;
  let bytes = 0;
  for (let i = 0; i < SAMPLES; i++) {
    const unit = message.charCodeAt(i * step | 0);
    bytes += unit < 0x80 ? 1 : unit < 0x800 ? 2 : 3;
  }
  return bytes === SAMPLES ? message.length : message.length * (bytes + 2) / SAMPLES | 0;
}
