/**
 * The frames of draft75 and draft76 that do not come whole in one read, and those to skip.
 *
 * @module
 */
import { ProtocolError } from "../errors.ts";
import { decodeLong, text } from "./hixie_text.ts";
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

/** Fewer bytes than this are collected, others decoded where they are. */
const PIECE = 1024;
/** So many bytes are collected before they are decoded. */
const COLLECTED = 4096;

/** Where the last character begins if the run ends inside it, otherwise where the run ends. */
function endOfWhole(bytes: Uint8Array, start: number, end: number): number {
  for (let at = end - 1; at >= start && at >= end - 3; at--) {
    const byte = bytes[at] as number; // in range: start <= at < end
    if (byte < 0x80) return end;
    // Whatever came before, a character begins at a byte like this, so cutting here is safe.
    if (byte >= 0xc0) return at + (byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4) > end ? at : end;
  }
  return end;
}

/**
 * `00` UTF-8 `FF`. What has come of it is kept once: decoded, but for the last few bytes. The cost
 * is linear in bytes however they are cut.
 */
export class TextFrame implements Frame {
  ended = false;
  readonly next: Frame | null = null;
  readonly #limit: number;
  #size = 0;
  #text = "";
  #bytes: Uint8Array = new Uint8Array(64);
  #length = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  receive(chunk: Uint8Array, at: number): number {
    // A look at its beginning first: the rest of a long chunk may be other frames.
    const isLong = chunk.length - at >= PIECE &&
      !text.latin1(chunk, at, at + PIECE).includes("\xff");
    if (isLong) return this.#receiveLong(chunk, at);
    const found = chunk.indexOf(0xff, at);
    const end = found < 0 ? chunk.length : found;
    this.#count(end - at);
    this.#collect(chunk, at, end);
    this.ended = found >= 0;
    return this.ended ? end + 1 : end;
  }

  report(sink: Sink): boolean {
    this.#decode(this.#length);
    return sink.text(this.#text);
  }

  #receiveLong(chunk: Uint8Array, at: number): number {
    const latin1 = text.latin1(chunk, at, chunk.length);
    const found = latin1.indexOf("\xff");
    const size = found < 0 ? latin1.length : found;
    const end = at + size;
    this.#count(size);
    this.ended = found >= 0;
    if (text.isAscii(chunk.subarray(at, end))) {
      this.#decode(this.#length);
      // A substring would keep all of its parent alive.
      this.#text += found < 0
        ? latin1
        : size * 2 < latin1.length
        ? text.latin1(chunk, at, end)
        : latin1.substring(0, size);
    } else this.#decodeInPlace(chunk, at, end);
    return this.ended ? end + 1 : end;
  }

  #decodeInPlace(chunk: Uint8Array, at: number, end: number): void {
    let start = at;
    // A character has three continuation bytes at most: these complete the one that was cut.
    while (start < at + 3 && ((chunk[start] as number) & 0xc0) === 0x80) start++;
    this.#collect(chunk, at, start);
    this.#decode(this.#length);
    const whole = endOfWhole(chunk, start, end);
    this.#text += decodeLong(chunk.subarray(start, whole));
    this.#collect(chunk, whole, end);
  }

  #count(size: number): void {
    this.#size += size;
    if (this.#size > this.#limit) throw tooLong("a text message", this.#limit);
  }

  #collect(chunk: Uint8Array, start: number, end: number): void {
    const size = end - start;
    if (this.#length + size > this.#bytes.length) this.#makeRoom(size);
    if (size > 32) this.#bytes.set(chunk.subarray(start, end), this.#length);
    else {
      for (let i = 0; i < size; i++) this.#bytes[this.#length + i] = chunk[start + i] as number;
    }
    this.#length += size;
  }

  #makeRoom(size: number): void {
    if (this.#length + size > COLLECTED) {
      this.#decode(endOfWhole(this.#bytes, 0, this.#length));
    }
    const needed = this.#length + size;
    if (needed <= this.#bytes.length) return;
    const bytes = new Uint8Array(Math.min(COLLECTED, Math.max(needed, this.#bytes.length * 4)));
    bytes.set(this.#bytes);
    this.#bytes = bytes;
  }

  #decode(end: number): void {
    if (end === 0) return;
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
