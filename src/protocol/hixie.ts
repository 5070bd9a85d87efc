/**
 * The wire format of draft75 and draft76: `00` text `FF`, and on draft76 the closing frame `FF 00`.
 *
 * @module
 */
import { BY_REFERENCE, Output } from "./output.ts";
import type { Protocol, ProtocolLimits, Sink } from "./protocol.ts";
import { appendText, beginDelivery, decodeLong, encodeInto, endDelivery, text } from "./text.ts";
import { beginChunk, endChunk, viewChunk, wordsOf } from "./chunk_view.ts";
import { DelimitedFrame, type Frame, LengthFrame, TextFrame, tooLong } from "./hixie_frames.ts";

/** What differs between connections of this format. */
export interface HixieOptions {
  /** draft75 has no closing frame: there, `FF 00` is a frame of no bytes, to skip. */
  readonly version: "draft75" | "draft76";
}

/** Up to so many bytes, a loop finds the end of a message before a call would. */
const NEAR = 192;
/** Up to so many UTF-16 units, room for three bytes each is cheaper than to find out. */
const SMALL = 2048;
/** How far ahead of a message bytes become characters: once for all the messages that are there. */
const WINDOW = 4096;

/** Where the first byte from 0x80 on is, or `end`. */
function endOfAscii(chunk: Uint8Array, at: number, end: number): number {
  const words = wordsOf(chunk);
  if (words !== null) {
    const last = end - 3;
    while (at < last && (words.getInt32(at, true) & 0x80808080) === 0) at += 4;
  }
  // In range: the caller's.
  while (at < end && chunk[at] as number < 0x80) at++;
  return at;
}

/** One read as characters, a part at a time, of which its messages are cut. */
class TextRead {
  readonly #chunk: Uint8Array;
  #single = true;
  #latin1 = "";
  #start = 0;
  #end = 0;

  constructor(chunk: Uint8Array) {
    this.#chunk = chunk;
  }

  /** Where the message that starts at `start` has its `FF`, or −1. */
  find(start: number): number {
    if (start < this.#end) {
      const found = this.#latin1.indexOf("\xff", start - this.#start);
      if (found >= 0) return this.#start + found;
    }
    // In steps, so that the work stays in proportion to the message and not to the read.
    for (let size = WINDOW;; size *= 8) {
      this.#move(start, size);
      const found = this.#latin1.indexOf("\xff");
      if (found >= 0) return start + found;
      if (this.#end === this.#chunk.length) return -1;
    }
  }

  /** A message that {@linkcode find} found. */
  long(start: number, end: number): string {
    const bytes = this.#chunk.subarray(start, end);
    if (!text.isAscii(bytes)) return decodeLong(bytes);
    // A substring keeps its parent alive, which therefore may not be much more than it.
    return this.#latin1.length <= (end - start) * 2
      ? this.#cut(start, end)
      : text.latin1(this.#chunk, start, end);
  }

  /** A message of few bytes, all ASCII. */
  short(start: number, end: number): string {
    if (this.#single) {
      this.#single = false;
      return text.latin1(this.#chunk, start, end);
    }
    if (end > this.#end) this.#move(start, WINDOW);
    return this.#latin1.length <= WINDOW
      ? this.#cut(start, end)
      : text.latin1(this.#chunk, start, end);
  }

  #cut(start: number, end: number): string {
    return this.#latin1.substring(start - this.#start, end - this.#start);
  }

  #move(start: number, size: number): void {
    this.#start = start;
    this.#end = Math.min(this.#chunk.length, start + size);
    this.#latin1 = text.latin1(this.#chunk, start, this.#end);
  }
}

/** The wire format of one connection's draft75 or draft76, at either end. */
export class Hixie implements Protocol {
  readonly #version: "draft75" | "draft76";
  readonly #maxMessageSize: number;
  /** The frame that goes on in the next chunk, if one does. */
  #frame: Frame | null = null;
  /** Offset of the next byte in the chunk that is being received. */
  #at = 0;

  /**
   * @param limits `maxMessageSize` is the limit of skipped frames too.
   * @param options The version.
   */
  constructor(limits: ProtocolLimits, options: HixieOptions) {
    this.#maxMessageSize = limits.maxMessageSize;
    this.#version = options.version;
  }

  /** The same for both versions: their messages are the same bytes. */
  get format(): string {
    return "hixie";
  }

  /** See {@linkcode Protocol.hasBinary}. */
  get hasBinary(): boolean {
    return false;
  }

  /** See {@linkcode Protocol.hasClosingFrame}. */
  get hasClosingFrame(): boolean {
    return this.#version === "draft76";
  }

  /** See {@linkcode Protocol.receive}. */
  receive(chunk: Uint8Array, _given: boolean, sink: Sink): number {
    this.#at = 0;
    while (this.#at < chunk.length) {
      const goOn = this.#frame !== null
        ? this.#receiveFrame(this.#frame, chunk, sink)
        : chunk[this.#at] === 0x00
        ? this.#receiveTexts(chunk, sink)
        : this.#beginSkipping(chunk);
      if (!goOn) break;
    }
    return this.#at;
  }

  /** The text frames that are here whole, and the beginning of one that is not. */
  #receiveTexts(chunk: Uint8Array, sink: Sink): boolean {
    beginChunk(chunk);
    try {
      viewChunk(chunk);
      const read = new TextRead(chunk);
      do {
        if (!this.#receiveText(read, chunk, sink)) return false;
      } while (this.#at < chunk.length && chunk[this.#at] === 0x00);
      return true;
    } finally {
      endDelivery();
      endChunk();
    }
  }

  #receiveText(read: TextRead, chunk: Uint8Array, sink: Sink): boolean {
    const start = this.#at + 1;
    const near = Math.min(chunk.length, start + NEAR);
    let end = endOfAscii(chunk, start, near);
    const isAscii = end < near && chunk[end] === 0xff;
    while (end < near && chunk[end] !== 0xff) end++;
    const isNear = end < near;
    if (!isNear) end = near < chunk.length ? read.find(start) : -1;
    if (end < 0) {
      const frame = new TextFrame(this.#maxMessageSize);
      frame.collect(chunk, start, chunk.length);
      this.#frame = frame;
      this.#at = chunk.length;
      return true;
    }
    if (end - start > this.#maxMessageSize) throw tooLong("a text message", this.#maxMessageSize);
    this.#at = end + 1;
    if (!isNear) return sink.text(read.long(start, end));
    if (!isAscii) return sink.text(text.decode(chunk, start, end));
    const message = read.short(start, end);
    beginDelivery(message, chunk, start, end);
    return sink.text(message);
  }

  #beginSkipping(chunk: Uint8Array): boolean {
    const type = chunk[this.#at++] as number; // in range: receive's loop
    this.#frame = type < 0x80
      ? new DelimitedFrame(this.#maxMessageSize)
      : new LengthFrame(this.#maxMessageSize, type === 0xff && this.#version === "draft76");
    return true;
  }

  #receiveFrame(frame: Frame, chunk: Uint8Array, sink: Sink): boolean {
    this.#at = frame.receive(chunk, this.#at);
    if (!frame.ended) return true;
    this.#frame = frame.next;
    return frame.report(sink);
  }

  /** See {@linkcode Protocol.writeText}. */
  writeText(output: Output, message: string): void {
    if (message.length <= SMALL) writeSmall(output, message);
    else if (message.length < BY_REFERENCE) writeLong(output, message);
    else {
      const frame = new Output();
      writeLong(frame, message);
      output.refer(frame.written());
    }
  }

  /** Fails: there are no binary messages. */
  writeBinary(_output: Output, _message: Uint8Array): void {
    throw this.#hasNone("binary message");
  }

  /** Fails: there are no pings. */
  writePing(_output: Output, _payload: Uint8Array): void {
    throw this.#hasNone("ping");
  }

  /** Fails: there are no pongs. */
  writePong(_output: Output, _payload: Uint8Array): void {
    throw this.#hasNone("pong");
  }

  /** On draft76 appends the closing frame, which has neither code nor reason. */
  writeClose(output: Output, _code: number | undefined, _reason: string): void {
    if (this.#version !== "draft76") return;
    appendByte(output, 0xff);
    appendByte(output, 0x00);
  }

  /** See {@linkcode Protocol.free}. */
  free(): void {
    this.#frame = null;
  }

  #hasNone(what: string): TypeError {
    return new TypeError(`Cannot send a ${what}: ${this.#version} has none`);
  }
}

/** A text frame, with room for the worst case: three bytes for a UTF-16 unit. */
function writeSmall(output: Output, message: string): void {
  const at = output.reserve(message.length * 3 + 2);
  const { bytes } = output;
  bytes[at] = 0x00;
  const end = at + 1 + encodeInto(message, output, at + 1);
  bytes[end] = 0xff;
  output.length = end + 1;
}

function writeLong(output: Output, message: string): void {
  appendByte(output, 0x00);
  appendText(output, message);
  appendByte(output, 0xff);
}

function appendByte(output: Output, byte: number): void {
  const at = output.reserve(1);
  output.bytes[at] = byte;
  output.length = at + 1;
}
