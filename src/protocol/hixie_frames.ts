/**
 * Frames of draft75 and draft76 that are incomplete at the end of a chunk, or that are skipped.
 *
 * @module
 */
import { ProtocolError } from "../errors.ts";
import { allocate } from "./allocate.ts";
import type { Sink } from "./protocol.ts";
import { giveSpare, takeSpare } from "./spare_memory.ts";
import { decodeLong, text } from "./text_codec.ts";

/** A frame that is being received. */
export interface Frame {
  /** Whether the last byte of the frame has arrived. */
  readonly ended: boolean;
  /** The frame to receive next; `null` if its first byte decides. */
  readonly next: Frame | null;
  /**
   * Receives the bytes of the frame from `at` on. Returns the offset after them, or its complement
   * (`~offset`) if the sink asked to stop.
   */
  receive(chunk: Uint8Array, at: number): number;
  /** Reports the ended frame to the sink. Returns whether to go on. */
  report(sink: Sink): boolean;
}

/** Reports a frame that is skipped. */
function reportNothing(): boolean {
  return true;
}

/** Discards all bytes after the close frame (draft76, "Data framing"). */
const discardAll: Frame = {
  ended: false,
  next: null,
  receive: (chunk) => chunk.length,
  report: reportNothing,
};

/** Makes the error for a frame that is too long. */
export function tooLong(what: string, limit: number): ProtocolError {
  return new ProtocolError(
    1009,
    `Cannot receive ${what} of more than ${limit} bytes (maxMessageSize)`,
  );
}

/** The smallest buffer for a message, in bytes. Each larger buffer has four times the size. */
const SMALLEST = 64;
/** How many bytes of a message are collected before they are decoded: 1 MiB. */
const LARGEST = SMALLEST * 4 ** 7;
/** How many bytes are collected at a time after that. */
const LATER = 64 * 1024;

/** Makes a buffer for at least this many bytes. */
function makeBuffer(atLeast: number): Uint8Array<ArrayBuffer> {
  let size = SMALLEST;
  while (size < atLeast) size *= 4;
  return takeSpare(size) ?? allocate(size);
}

/** Returns the offset after the last complete character before `end`. */
function endOfWhole(bytes: Uint8Array, end: number): number {
  for (let at = end - 1; at >= end - 3; at--) {
    const byte = bytes[at] as number; // there are at least 64 KiB
    if (byte < 0x80) return end;
    // Only the first byte of a character is 0xC0 or above.
    if (byte >= 0xc0) return at + (byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4) > end ? at : end;
  }
  return end;
}

/** How many bytes are searched for the end of a text before the rest of the chunk is searched. */
const PROBE = 1024;

/** Returns the offset of the first `FF`, or −1. */
export function indexOfEnd(chunk: Uint8Array, at: number): number {
  if (chunk.length - at <= PROBE) return chunk.indexOf(0xff, at);
  if (text.isAscii(chunk.subarray(at))) return -1;
  const near = text.latin1(chunk, at, at + PROBE).indexOf("\xff");
  if (near >= 0) return at + near;
  const far = text.latin1(chunk, at + PROBE, chunk.length).indexOf("\xff");
  return far < 0 ? -1 : at + PROBE + far;
}

/**
 * A text frame: `00`, UTF-8, `FF`. Bytes are collected until there are {@linkcode LARGEST}, and then
 * decoded. The time is linear in the size of the message, whatever the size of the chunks.
 */
export class TextFrame implements Frame {
  ended = false;
  readonly next: Frame | null = null;
  readonly #limit: number;
  #size = 0;
  #text = "";
  #bytes: Uint8Array<ArrayBuffer> = makeBuffer(SMALLEST);
  #length = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  receive(chunk: Uint8Array, at: number): number {
    const found = indexOfEnd(chunk, at);
    this.ended = found >= 0;
    const end = this.ended ? found : chunk.length;
    this.collect(chunk, at, end);
    return this.ended ? end + 1 : end;
  }

  /** Adds bytes that have no `FF`. Returns whether to go on. */
  collect(chunk: Uint8Array, at: number, end: number): boolean {
    this.#size += end - at;
    if (this.#size > this.#limit) throw tooLong("a text message", this.#limit);
    while (at < end) {
      const most = this.#text === "" ? LARGEST : LATER;
      const size = Math.min(end - at, most - this.#length);
      this.#copy(chunk, at, size);
      at += size;
      if (this.#length === most) this.#decode(endOfWhole(this.#bytes, most));
    }
    return true;
  }

  report(sink: Sink): boolean {
    this.#decode(this.#length);
    giveSpare(this.#bytes);
    return sink.text(this.#text);
  }

  #copy(chunk: Uint8Array, at: number, size: number): void {
    const length = this.#length + size;
    if (length > this.#bytes.length) this.#grow(length);
    if (size > 32) this.#bytes.set(chunk.subarray(at, at + size), this.#length);
    else for (let i = 0; i < size; i++) this.#bytes[this.#length + i] = chunk[at + i] as number;
    this.#length = length;
  }

  #grow(atLeast: number): void {
    const bytes = makeBuffer(atLeast);
    bytes.set(this.#bytes.subarray(0, this.#length));
    giveSpare(this.#bytes);
    this.#bytes = bytes;
  }

  #decode(end: number): void {
    this.#text += decodeLong(this.#bytes.subarray(0, end));
    this.#bytes.copyWithin(0, end, this.#length);
    this.#length -= end;
  }
}

/** A frame of type 01 to 7F. Its bytes up to `FF` are discarded (draft76, "Data framing"). */
export class DelimitedFrame implements Frame {
  ended = false;
  readonly next: Frame | null = null;
  readonly report = reportNothing;
  readonly #limit: number;
  #size = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  receive(chunk: Uint8Array, at: number): number {
    const found = chunk.indexOf(0xff, at);
    const end = found < 0 ? chunk.length : found;
    this.#size += end - at;
    if (this.#size > this.#limit) throw tooLong("a frame", this.#limit);
    this.ended = found >= 0;
    return this.ended ? end + 1 : end;
  }
}

/** The most digits of a length. Nine digits of seven bits hold any length that a peer can send. */
const MAX_DIGITS = 9;

/** A frame of type 80 to FF: a length to base 128, and that many bytes. They are skipped. */
export class LengthFrame implements Frame {
  ended = false;
  next: Frame | null = null;
  readonly #limit: number;
  readonly #mayClose: boolean;
  #length = 0;
  #digits = 0;
  #last = false;
  #left = 0;

  /** @param mayClose Whether a length of 0 makes this the close frame. */
  constructor(limit: number, mayClose: boolean) {
    this.#limit = limit;
    this.#mayClose = mayClose;
  }

  receive(chunk: Uint8Array, at: number): number {
    while (!this.#last && at < chunk.length) this.#receiveDigit(chunk[at++] as number);
    const skipped = Math.min(this.#left, chunk.length - at);
    this.#left -= skipped;
    this.ended = this.#last && this.#left === 0;
    return at + skipped;
  }

  report(sink: Sink): boolean {
    return this.next === null || sink.close(undefined, "");
  }

  #receiveDigit(byte: number): void {
    this.#length = this.#length * 128 + (byte & 0x7f);
    if (this.#length > this.#limit) throw tooLong("a frame", this.#limit);
    // Without this limit, a peer could send leading zeros forever.
    if (++this.#digits > MAX_DIGITS) {
      throw new ProtocolError(
        1009,
        `Cannot receive a frame with a length of more than ${MAX_DIGITS} digits` +
          ` (draft76, "Data framing")`,
      );
    }
    this.#last = byte < 0x80;
    if (!this.#last) return;
    this.#left = this.#length;
    if (this.#mayClose && this.#length === 0) this.next = discardAll;
  }
}
