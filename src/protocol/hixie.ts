/**
 * The wire format of draft75 and draft76: `00` text `FF`, and in draft76 the close frame `FF 00`.
 *
 * @module
 */
import { DelimitedFrame, type Frame, LengthFrame, TextFrame, tooLong } from "./hixie_frames.ts";
import { BY_REFERENCE, Output } from "./output.ts";
import type { MessageKind, OutgoingPieces, Protocol, ProtocolLimits, Sink } from "./protocol.ts";
import { appendText, decodeLong, encodeInto, text } from "./text_codec.ts";
import { TextPieces } from "./text_pieces.ts";

/** The options of {@linkcode Hixie}. */
export interface HixieOptions {
  /** draft75 has no close frame. There, `FF 00` is an empty frame, which is skipped. */
  readonly version: "draft75" | "draft76";
}

/** Up to this size, a loop finds the end of a message faster than a call. In bytes. */
const NEAR = 192;
/** Up to this many UTF-16 units, reserving three bytes for each is cheaper than estimating. */
const SMALL = 2048;
/** The smallest chunk for which a `DataView` saves time; see `receive_state.ts`. In bytes. */
const VIEWED_FROM = 192;
/**
 * How many bytes are decoded at a time. They may contain several messages. Measured with 32 texts of 32
 * bytes and a reply to each: 65 ns per message instead of 75 on Bun, 133 instead of 169 on Node, and
 * 125 instead of 172 on Deno.
 */
const WINDOW = 4096;

/** Returns the offset of the first byte that is 0x80 or above; `end` if there is none. */
function endOfAscii(chunk: Uint8Array, view: DataView | null, at: number, end: number): number {
  if (view !== null) {
    const last = end - 3;
    while (at < last && (view.getInt32(at, true) & 0x80808080) === 0) at += 4;
  }
  while (at < end && chunk[at] as number < 0x80) at++; // in range
  return at;
}

/**
 * Decodes the text messages of one chunk. A part of the chunk, called the window, is decoded to one
 * string, and messages are substrings of it.
 */
class TextRead {
  /** A view of the chunk, `null` if the chunk is too small. */
  readonly view: DataView | null;
  readonly #chunk: Uint8Array;
  /** Whether no message was decoded yet. Most chunks have only one message, so it uses no window. */
  #isFirst = true;
  /** The window: one character for each byte from `#start` to `#end`. */
  #latin1 = "";
  #start = 0;
  #end = 0;

  constructor(chunk: Uint8Array) {
    this.#chunk = chunk;
    this.view = chunk.length < VIEWED_FROM
      ? null
      : new DataView(chunk.buffer, chunk.byteOffset, chunk.length);
  }

  /** Returns the offset of the `FF` that ends the message at `start`, or −1. */
  find(start: number): number {
    if (start < this.#end) {
      const found = this.#latin1.indexOf("\xff", start - this.#start);
      if (found >= 0) return this.#start + found;
    }
    // The window grows in steps, so that a short message in a large chunk costs little.
    for (let size = WINDOW;; size *= 8) {
      this.#move(start, size);
      const found = this.#latin1.indexOf("\xff");
      if (found >= 0) return start + found;
      if (this.#end === this.#chunk.length) return -1;
    }
  }

  /** Decodes a message after {@linkcode find} has found its end. */
  long(start: number, end: number): string {
    const bytes = this.#chunk.subarray(start, end);
    if (!text.isAscii(bytes)) return decodeLong(bytes);
    // A substring keeps the whole window in memory, so the window must not be much longer.
    return this.#latin1.length <= (end - start) * 2
      ? this.#cut(start, end)
      : text.latin1(this.#chunk, start, end);
  }

  /** Decodes a short ASCII message. */
  short(start: number, end: number): string {
    if (this.#isFirst) {
      this.#isFirst = false;
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

/** The wire format of a connection of draft75 or draft76, for servers and clients. */
export class Hixie implements Protocol {
  readonly #version: "draft75" | "draft76";
  readonly #maxMessageSize: number;
  /** The frame that continues in the next chunk, if there is one. */
  #frame: Frame | null = null;
  /** The offset of the next byte in the current chunk. */
  #at = 0;
  /** Whether a text in pieces is open. The bytes of another frame would become part of that text. */
  #isInText = false;

  /**
   * @param limits `maxMessageSize` also limits frames that are skipped.
   * @param options The version.
   */
  constructor(limits: ProtocolLimits, options: HixieOptions) {
    this.#maxMessageSize = limits.maxMessageSize;
    this.#version = options.version;
  }

  /** See {@linkcode Protocol.format}. Both versions write the same bytes. */
  get format(): string {
    return "hixie";
  }

  /** See {@linkcode Protocol.hasBinary}. */
  get hasBinary(): boolean {
    return false;
  }

  /** See {@linkcode Protocol.hasCloseFrame}. */
  get hasCloseFrame(): boolean {
    return this.expectsCloseFrame && !this.#isInText;
  }

  /** See {@linkcode Protocol.expectsCloseFrame}. */
  get expectsCloseFrame(): boolean {
    return this.#version === "draft76";
  }

  /** See {@linkcode Protocol.receive}. */
  receive(chunk: Uint8Array, _owned: boolean, sink: Sink): number {
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

  /** Receives complete text frames, and the beginning of an incomplete one. */
  #receiveTexts(chunk: Uint8Array, sink: Sink): boolean {
    const read = new TextRead(chunk);
    do {
      if (!this.#receiveText(read, chunk, sink)) return false;
    } while (this.#at < chunk.length && chunk[this.#at] === 0x00);
    return true;
  }

  #receiveText(read: TextRead, chunk: Uint8Array, sink: Sink): boolean {
    const start = this.#at + 1;
    const near = Math.min(chunk.length, start + NEAR);
    let end = endOfAscii(chunk, read.view, start, near);
    const isAscii = end < near && chunk[end] === 0xff;
    while (end < near && chunk[end] !== 0xff) end++;
    const isNear = end < near;
    if (!isNear) end = near < chunk.length ? read.find(start) : -1;
    if (end < 0) {
      const frame = sink.pieces === undefined
        ? new TextFrame(this.#maxMessageSize)
        : new TextPieces(this.#maxMessageSize, sink.pieces);
      this.#frame = frame;
      this.#at = chunk.length;
      return frame.collect(chunk, start, chunk.length);
    }
    if (end - start > this.#maxMessageSize) throw tooLong("a text message", this.#maxMessageSize);
    this.#at = end + 1;
    if (!isNear) return sink.text(read.long(start, end));
    if (!isAscii) return sink.text(text.decode(chunk, start, end));
    return sink.text(read.short(start, end));
  }

  #beginSkipping(chunk: Uint8Array): boolean {
    const type = chunk[this.#at++] as number; // `receive` has checked the offset
    this.#frame = type < 0x80
      ? new DelimitedFrame(this.#maxMessageSize)
      : new LengthFrame(this.#maxMessageSize, type === 0xff && this.#version === "draft76");
    return true;
  }

  #receiveFrame(frame: Frame, chunk: Uint8Array, sink: Sink): boolean {
    const at = frame.receive(chunk, this.#at);
    this.#at = at < 0 ? ~at : at;
    if (!frame.ended) return at >= 0;
    this.#frame = frame.next;
    return frame.report(sink) && at >= 0;
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

  /** Throws a `TypeError`: these versions have no binary messages. */
  writeBinary(_output: Output, _message: Uint8Array): void {
    throw this.#hasNone("binary message");
  }

  /** Throws a `TypeError`: these versions have no pings. */
  writePing(_output: Output, _payload: Uint8Array): void {
    throw this.#hasNone("ping");
  }

  /** Throws a `TypeError`: these versions have no pongs. */
  writePong(_output: Output, _payload: Uint8Array): void {
    throw this.#hasNone("pong");
  }

  /** See {@linkcode Protocol.beginPieces}. A frame has no length, so it is written piece by piece. */
  beginPieces(kind: MessageKind): OutgoingPieces {
    if (kind === "binary") throw this.#hasNone("binary message");
    return {
      write: (output, piece) => {
        if (!this.#isInText) appendByte(output, 0x00);
        this.#isInText = true;
        if (typeof piece === "string") appendText(output, piece);
      },
      finish: (output) => {
        if (!this.#isInText) appendByte(output, 0x00);
        this.#isInText = false;
        appendByte(output, 0xff);
      },
      free: () => {},
    };
  }

  /** Appends the close frame of draft76, which has neither code nor reason. */
  writeClose(output: Output, _code: number | undefined, _reason: string): void {
    if (!this.hasCloseFrame) return;
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

/** Appends a text frame. Reserves room for the worst case, three bytes for each UTF-16 unit. */
function writeSmall(output: Output, message: string): void {
  const at = output.reserve(message.length * 3 + 2);
  const { bytes } = output;
  bytes[at] = 0x00;
  const end = at + 1 + encodeInto(message, bytes, at + 1);
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
