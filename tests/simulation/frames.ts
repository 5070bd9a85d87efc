/**
 * The frames that a simulated client sends, and the texts of its messages.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { Deflate } from "../../src/protocol/deflate.ts";

const encoder = new TextEncoder();

/** All parts in one array. */
function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** Opcodes (RFC 6455 §5.2). */
export const TEXT = 1;
export const BINARY = 2;
export const PING = 9;
export const PONG = 10;

/** Set in the first frame of a compressed message (RFC 7692 §6). */
const RSV1 = 0x40;

const KEY = [0x12, 0x00, 0xff, 0x5a] as const;

/** A masked frame. @param first The first byte. */
function maskedFrame(first: number, payload: Uint8Array): Uint8Array {
  const { length } = payload;
  const size = length < 126
    ? [0x80 | length]
    : length < 65_536
    ? [0xfe, length >> 8, length & 0xff]
    : [0xff, 0, 0, 0, 0, length >>> 24, length >> 16 & 0xff, length >> 8 & 0xff, length & 0xff];
  const start = 1 + size.length + KEY.length;
  const bytes = new Uint8Array(start + length);
  bytes[0] = first;
  bytes.set(size, 1);
  bytes.set(KEY, 1 + size.length);
  for (let at = 0; at < length; at++) {
    bytes[start + at] = (payload[at] as number) ^ (KEY[at & 3] as number);
  }
  return bytes;
}

/** A control frame. */
export function controlFrame(opcode: number, payload: Uint8Array): Uint8Array {
  return maskedFrame(0x80 | opcode, payload);
}

/** How a message is sent. */
export interface FrameOptions {
  /** In how many frames. */
  readonly fragments: number;
  readonly binary: boolean;
  /** The compressed message, if it is to be compressed. */
  readonly deflated: Uint8Array | undefined;
}

/** The frames of a message. */
export function messageFrames(message: Uint8Array, options: FrameOptions): Uint8Array {
  const { fragments, binary, deflated } = options;
  const payload = deflated ?? message;
  const length = Math.max(1, Math.ceil(payload.length / fragments));
  const frames: Uint8Array[] = [];
  for (let at = 0; at < payload.length; at += length) {
    const last = at + length >= payload.length ? 0x80 : 0;
    const opcode = at > 0 ? 0 : (binary ? BINARY : TEXT) | (deflated === undefined ? 0 : RSV1);
    frames.push(maskedFrame(last | opcode, payload.subarray(at, at + length)));
  }
  return concat(...frames);
}

/** A message of draft75 and draft76. */
export function draftFrame(message: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(message.length + 2);
  bytes.set(message, 1);
  bytes[bytes.length - 1] = 0xff;
  return bytes;
}

// --- Compression --------------------------------------------------------------------------------

/** The level of zlib at which all runtimes compress to the same bytes. */
export const COMMON_LEVEL = 8;

/** Makes the compression of a client. @param keepsWindow Whether messages share a window. */
export function clientDeflate(keepsWindow: boolean): Deflate {
  return new Deflate({
    sendsWithoutContext: !keepsWindow,
    receivesWithoutContext: !keepsWindow,
    sendWindowBits: 15,
    receiveWindowBits: 15,
    level: COMMON_LEVEL,
    memLevel: 8,
    threshold: 0,
  });
}

// --- Texts --------------------------------------------------------------------------------------

/** Characters of one to four bytes. Deliveries may split them anywhere. */
const ALPHABET = "xyé日👋z";
const CHARACTERS = [...ALPHABET].length;
const LONG = ALPHABET.repeat(8000);

/** So many characters. */
export function padding(size: number): string {
  // Six characters are seven UTF-16 units: 👋 is a pair.
  const whole = Math.floor(size / CHARACTERS), rest = size % CHARACTERS;
  return LONG.slice(0, whole * ALPHABET.length) + [...ALPHABET].slice(0, rest).join("");
}

/** A message of exactly `size` bytes. */
export function fill(start: string, size: number): string {
  return start + "x".repeat(Math.max(0, size - start.length));
}

/** How many bytes a text has. */
export function byteLength(text: string): number {
  return Buffer.byteLength(text);
}

/** The bytes of a text. */
export function encode(text: string): Uint8Array {
  return encoder.encode(text);
}
