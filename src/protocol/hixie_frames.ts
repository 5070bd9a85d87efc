/**
 * The frames of draft75 and draft76 that do not come whole in one read, and those to skip.
 *
 * @module
 */
import { ProtocolError } from "../errors.ts";
import { allocate } from "./allocate.ts";
import { decodeLong, text } from "./text.ts";
import type { Sink } from "./protocol.ts";

/** A frame of which bytes are missing. */
export interface Frame {
  /** Whether its last byte has come. */
  readonly ended: boolean;
  /** What the connection is in after its end. */
  readonly next: Frame | null;
  /** Takes its bytes from `at` on, and returns the offset behind them. */
  receive(chunk: Uint8Array, at: number): number;
  /** Tells of the ended frame, and returns whether to go on. */
  report(sink: Sink): boolean;
}

/** What there is to tell of a frame that is skipped. */
function nothing(): boolean {
  return true;
}

/** The frame after the closing frame: it takes all that comes (draft76, "Data framing"). */
export const discardAll: Frame = {
  ended: false,
  next: null,
  receive: (chunk) => chunk.length,
  report: nothing,
};

/** Ends the connection for a frame that is longer than a message may be. */
export function tooLong(what: string, limit: number): ProtocolError {
  return new ProtocolError(
    1009,
    `Cannot receive ${what} of more than ${limit} bytes (maxMessageSize)`,
  );
}

/** The smallest buffer to collect a message in; each larger one is four times as large. */
const SMALLEST = 64;
/** The largest: whenever it is full, it is decoded. */
const LARGEST = SMALLEST * 4 ** 7;
/** What a message has beyond that is decoded so much at a time. */
const LATER = 64 * 1024;
/** From this size on, buffers are kept for the next message: a fresh one costs more than to fill it. */
const KEPT = 16 * 1024;
/** How many of each size are kept. */
const SPARES = 4;
const spares = new Map<number, Uint8Array[]>();

function borrow(atLeast: number): Uint8Array {
  let size = SMALLEST;
  while (size < atLeast) size *= 4;
  return spares.get(size)?.pop() ?? allocate(size);
}

function giveBack(bytes: Uint8Array): void {
  const { length } = bytes;
  if (length < KEPT) return;
  const kept = spares.get(length);
  if (kept === undefined) spares.set(length, [bytes]);
  else if (kept.length < SPARES) kept.push(bytes);
}

/** Where the last character begins if the run ends inside it, otherwise where the run ends. */
function endOfWhole(bytes: Uint8Array, end: number): number {
  for (let at = end - 1; at >= end - 3; at--) {
    const byte = bytes[at] as number; // in range: the run is longer than that
    if (byte < 0x80) return end;
    // Whatever came before, a character begins at a byte like this, so cutting here is safe.
    if (byte >= 0xc0) return at + (byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4) > end ? at : end;
  }
  return end;
}

/** How far a text's end is looked for before its whole chunk is: the rest may be other frames. */
const PROBE = 1024;

/** Where the first `FF` is, or −1. */
function indexOfEnd(chunk: Uint8Array, at: number): number {
  if (chunk.length - at <= PROBE) return chunk.indexOf(0xff, at);
  if (text.isAscii(chunk.subarray(at))) return -1;
  const near = text.latin1(chunk, at, at + PROBE).indexOf("\xff");
  if (near >= 0) return at + near;
  const far = text.latin1(chunk, at + PROBE, chunk.length).indexOf("\xff");
  return far < 0 ? -1 : at + PROBE + far;
}

/**
 * `00` UTF-8 `FF`. What has come of it is kept once, as bytes or, from {@linkcode LARGEST} on,
 * decoded. The cost is linear in bytes however they are cut.
 */
export class TextFrame implements Frame {
  ended = false;
  readonly next: Frame | null = null;
  readonly #limit: number;
  #size = 0;
  #text = "";
  #bytes: Uint8Array = borrow(SMALLEST);
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

  /** Takes bytes in which there is no `FF`. */
  collect(chunk: Uint8Array, at: number, end: number): void {
    this.#size += end - at;
    if (this.#size > this.#limit) throw tooLong("a text message", this.#limit);
    while (at < end) {
      const most = this.#text === "" ? LARGEST : LATER;
      const size = Math.min(end - at, most - this.#length);
      this.#copy(chunk, at, size);
      at += size;
      if (this.#length === most) this.#decode(endOfWhole(this.#bytes, most));
    }
  }

  report(sink: Sink): boolean {
    this.#decode(this.#length);
    giveBack(this.#bytes);
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
    const bytes = borrow(atLeast);
    bytes.set(this.#bytes.subarray(0, this.#length));
    giveBack(this.#bytes);
    this.#bytes = bytes;
  }

  #decode(end: number): void {
    this.#text += decodeLong(this.#bytes.subarray(0, end));
    this.#bytes.copyWithin(0, end, this.#length);
    this.#length -= end;
  }
}

/** A frame of type 01 to 7F: bytes until `FF`, to discard (draft76, "Data framing"). */
export class DelimitedFrame implements Frame {
  ended = false;
  readonly next: Frame | null = null;
  readonly report = nothing;
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

/** Nine digits of seven bits hold any length that could ever arrive. */
const MAX_DIGITS = 9;

/** A frame of type 80 to FF: a length to base 128, then so many bytes to skip. */
export class LengthFrame implements Frame {
  ended = false;
  next: Frame | null = null;
  readonly #limit: number;
  readonly #mayClose: boolean;
  #length = 0;
  #digits = 0;
  #last = false;
  #left = 0;

  /** @param mayClose Whether a length of 0 makes this the closing frame. */
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
    // Leading zeros are digits too: without this they could go on for ever.
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
