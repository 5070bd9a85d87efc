/**
 * The wire format of RFC 6455, and of hybi-07 and hybi-08 before it.
 *
 * @module
 */
import { ProtocolError } from "../errors.ts";
import type { WebSocketVersion } from "../handshake/versions.ts";
import { allocate } from "./allocate.ts";
import { decodeClose, encodeClose } from "./close_code.ts";
import { Deflate, type DeflateParameters } from "./deflate.ts";
import {
  checkFirstByte,
  checkSecondByte,
  CONTROL,
  FIN,
  type FrameRules,
  frameRules,
  MASK,
  MAX_CONTROL_SIZE,
  MAX_HEADER_SIZE,
  Opcode,
  readLength,
  readMaskingKey,
  type Role,
  RSV1,
  sizeOfLength,
} from "./frame.ts";
import { IncomingMessage } from "./incoming_message.ts";
import { fitsScratch, mask, maskInto, rotate, scratch, view } from "./mask.ts";
import { writeFrame, writeTextFrame } from "./outgoing_frame.ts";
import type { Output } from "./output.ts";
import type { Protocol, ProtocolLimits, Sink } from "./protocol.ts";
import { receiveTexts, WHOLE_TEXT } from "./text_run.ts";
import { decodeText } from "./utf8.ts";
import { beginChunk, endChunk } from "./chunk_view.ts";

const encoder = new TextEncoder();

/** What differs between the two ends of a connection. */
export interface HybiOptions {
  /** A client masks what it sends, and a server does not (RFC 6455 §5.1). */
  readonly role: Role;
  /** The version; `"rfc6455"` unless told. */
  readonly version?: WebSocketVersion;
  /** What was agreed on if messages may be compressed. */
  readonly deflate?: DeflateParameters | undefined;
}

/** The bits of the first byte that are the opcode. */
const OPCODE = 0x0f;
/** The first byte of a binary message in one frame. */
const WHOLE_BINARY = FIN | Opcode.binary;

/**
 * What the last header said that was read whole. Of the module and not of each connection, since
 * it is only looked at before anything else is called.
 */
const header = { size: 0, first: 0, payloadLength: 0, maskingKey: 0 };

/**
 * What a connection is in the middle of: a header that has not arrived whole, a payload that has
 * not, or a message between two of its frames. While a connection is idle there is none.
 */
class Unfinished {
  state: "header" | "payload" | "message" = "message";
  /** The bytes of the header. */
  header: Uint8Array | null = null;
  headerSize = 0;
  /** The first byte of the frame whose payload is coming. */
  first = 0;
  /** How much of the payload is to come. */
  remaining = 0;
  /** The masking key for what is to come. */
  maskingKey = 0;
  /** The payload of a control frame. */
  control: Uint8Array | null = null;
  /** The message of which a frame has begun. */
  message: IncomingMessage | null = null;
}

/** The wire format of one connection of version 13, 8 or 7, at either end. */
export class Hybi implements Protocol {
  readonly #limits: ProtocolLimits;
  readonly #rules: FrameRules;
  readonly #deflate: Deflate | null;
  /** Whether a closing frame or a broken rule has ended what is listened to. */
  #ended = false;
  #unfinished: Unfinished | null = null;

  /** @param limits What a peer may send. @param options Which end this is. */
  constructor(limits: ProtocolLimits, options: HybiOptions) {
    this.#limits = limits;
    this.#rules = frameRules(options.role, (options.version ?? "rfc6455") !== "rfc6455");
    this.#deflate = options.deflate === undefined ? null : new Deflate(options.deflate);
  }

  /** One for all servers. What a client sends depends on its masking keys. */
  get format(): string | undefined {
    if (!this.#rules.isServer) return undefined;
    return this.#deflate === null ? "hybi" : this.#deflate.format;
  }

  /** See {@linkcode Protocol.hasBinary}. */
  get hasBinary(): boolean {
    return true;
  }

  /** See {@linkcode Protocol.hasClosingFrame}. */
  get hasClosingFrame(): boolean {
    return true;
  }

  // --- Receiving --------------------------------------------------------------------------------
  // The methods below take the offset of what they read and return that of what follows, or its
  // complement (`~at`, which is negative) if the sink said stop.

  /** See {@linkcode Protocol.receive}. */
  receive(chunk: Uint8Array, given: boolean, sink: Sink): number {
    if (this.#ended) return chunk.length;
    beginChunk(chunk);
    try {
      let at = this.#unfinished === null ? 0 : this.#resume(this.#unfinished, chunk, given, sink);
      while (at >= 0 && at < chunk.length) at = this.#receiveFrame(chunk, at, given, sink);
      return this.#ended ? chunk.length : at < 0 ? ~at : at;
    } catch (error) {
      this.#end();
      throw error;
    } finally {
      endChunk();
    }
  }

  #end(): void {
    this.#ended = true;
    this.#unfinished = null;
  }

  #receiveFrame(chunk: Uint8Array, at: number, given: boolean, sink: Sink): number {
    if (chunk[at] === WHOLE_TEXT && this.#rules.isServer && this.#unfinished === null) {
      const next = receiveTexts(chunk, at, this.#limits.maxMessageSize, sink);
      if (next !== at) return next;
    }
    if (!this.#readHeader(chunk, at, chunk.length)) return this.#holdHeader(chunk, at);
    return this.#receivePayload(chunk, at + header.size, given, sink);
  }

  /**
   * Reads a header into {@linkcode header} as far as it is there, failing at the first byte that
   * breaks a rule.
   *
   * @returns Whether it is there whole.
   */
  #readHeader(bytes: Uint8Array, at: number, end: number): boolean {
    const first = bytes[at] as number; // there: at < end
    const message = this.#unfinished === null ? null : this.#unfinished.message;
    checkFirstByte(this.#withoutRsv1(first), message !== null);
    if (end - at < 2) return false;
    const second = bytes[at + 1] as number;
    checkSecondByte(first, second, this.#rules);
    const extended = sizeOfLength(second);
    let size = 2 + extended;
    if (end - at < size) return false;
    const length = extended === 0 ? second & ~MASK : readLength(bytes, at + 2, this.#rules);
    if ((first & CONTROL) === 0) this.#checkLimits(message, first, length);
    header.maskingKey = 0;
    if (second & MASK) {
      size += 4;
      if (end - at < size) return false;
      header.maskingKey = readMaskingKey(bytes, at + size - 4);
    }
    header.size = size;
    header.first = first;
    header.payloadLength = length;
    return true;
  }

  /** RFC 7692 §6: RSV1 means "compressed" in a message's first frame, and nothing in any other. */
  #withoutRsv1(first: number): number {
    const opcode = first & OPCODE;
    const begins = opcode === Opcode.text || opcode === Opcode.binary;
    return this.#deflate !== null && begins ? first & ~RSV1 : first;
  }

  #checkLimits(message: IncomingMessage | null, first: number, payloadLength: number): void {
    const { maxMessageSize, maxFragments } = this.#limits;
    const size = payloadLength + (message === null ? 0 : message.size);
    const isCompressed = message === null ? (first & RSV1) !== 0 : message.isCompressed;
    // What does not shrink grows: `inflate` enforces the limit itself.
    if (size > maxMessageSize + (isCompressed ? (maxMessageSize >> 10) + 64 : 0)) {
      throw new ProtocolError(
        1009,
        `a message must not exceed maxMessageSize, ${maxMessageSize} bytes (RFC 6455 §7.4.1)`,
      );
    }
    if (message !== null && message.frames >= maxFragments) {
      throw new ProtocolError(
        1009,
        `a message must not exceed maxFragments, ${maxFragments} frames (RFC 6455 §7.4.1)`,
      );
    }
  }

  #holdHeader(chunk: Uint8Array, at: number): number {
    const unfinished = this.#unfinished ??= new Unfinished();
    unfinished.state = "header";
    unfinished.header ??= new Uint8Array(MAX_HEADER_SIZE);
    unfinished.header.set(view(chunk, at, chunk.length));
    unfinished.headerSize = chunk.length - at;
    return chunk.length;
  }

  /** Goes on where the last chunk ended. */
  #resume(unfinished: Unfinished, chunk: Uint8Array, given: boolean, sink: Sink): number {
    switch (unfinished.state) {
      case "header":
        return this.#resumeHeader(unfinished, chunk, given, sink);
      case "payload":
        return this.#receivePart(unfinished, chunk, 0, sink);
      case "message":
        return 0;
    }
  }

  #resumeHeader(unfinished: Unfinished, chunk: Uint8Array, given: boolean, sink: Sink): number {
    const { headerSize } = unfinished;
    const bytes = unfinished.header as Uint8Array; // there in this state
    const end = Math.min(bytes.length, headerSize + chunk.length);
    bytes.set(view(chunk, 0, end - headerSize), headerSize);
    if (!this.#readHeader(bytes, 0, end)) {
      unfinished.headerSize = end;
      return chunk.length;
    }
    unfinished.state = "message";
    if (unfinished.message === null) this.#unfinished = null;
    return this.#receivePayload(chunk, header.size - headerSize, given, sink);
  }

  #receivePayload(chunk: Uint8Array, at: number, given: boolean, sink: Sink): number {
    const { first, payloadLength, maskingKey } = header;
    const end = at + payloadLength;
    const isControl = (first & CONTROL) !== 0;
    if (end <= chunk.length) {
      if (isControl) {
        const payload = new Uint8Array(payloadLength);
        maskInto(payload, 0, chunk, at, end, maskingKey);
        return this.#receiveControl(first, payload, end, sink);
      }
      if (first === WHOLE_TEXT) return go(sink.text(wholeText(chunk, at, end, maskingKey)), end);
      if (first === WHOLE_BINARY) {
        return go(sink.binary(wholeBinary(chunk, at, end, maskingKey, given)), end);
      }
    }
    const unfinished = this.#unfinished ??= new Unfinished();
    unfinished.first = first;
    unfinished.remaining = payloadLength;
    unfinished.maskingKey = maskingKey;
    if (isControl) unfinished.control = new Uint8Array(payloadLength);
    else {
      unfinished.message ??= new IncomingMessage(first & OPCODE, (first & RSV1) !== 0);
      unfinished.message.beginFrame(payloadLength, (first & FIN) !== 0);
    }
    return this.#receivePart(unfinished, chunk, at, sink);
  }

  /** Receives as much of a payload as there is. */
  #receivePart(unfinished: Unfinished, chunk: Uint8Array, at: number, sink: Sink): number {
    const { control, message, maskingKey, remaining } = unfinished;
    const end = Math.min(at + remaining, chunk.length);
    if (control !== null) {
      maskInto(control, control.length - remaining, chunk, at, end, maskingKey);
    } else message?.append(chunk, at, end, maskingKey);
    unfinished.state = "payload";
    unfinished.remaining -= end - at;
    unfinished.maskingKey = rotate(maskingKey, end - at);
    return unfinished.remaining > 0 ? end : this.#endFrame(unfinished, end, sink);
  }

  #endFrame(unfinished: Unfinished, end: number, sink: Sink): number {
    const { control, message, first } = unfinished;
    unfinished.state = "message";
    if (control !== null) {
      unfinished.control = null;
      if (message === null) this.#unfinished = null;
      return this.#receiveControl(first, control, end, sink);
    }
    if (message === null || (first & FIN) === 0) return end;
    this.#unfinished = null;
    const isText = message.opcode === Opcode.text;
    if (message.isCompressed) {
      // RSV1 is only let through where compression was agreed on.
      const bytes = this.#deflate!.inflate(message.binary(), this.#limits.maxMessageSize);
      return go(
        isText ? sink.text(decodeText(bytes, 0, bytes.length, 0x80)) : sink.binary(bytes),
        end,
      );
    }
    return go(isText ? sink.text(message.text()) : sink.binary(message.binary()), end);
  }

  #receiveControl(first: number, payload: Uint8Array, end: number, sink: Sink): number {
    const opcode = first & OPCODE;
    if (opcode === Opcode.ping) return go(sink.ping(payload), end);
    if (opcode === Opcode.pong) return go(sink.pong(payload), end);
    const { code, reason } = decodeClose(payload, this.#rules.isOld);
    this.#end();
    sink.close(code, reason);
    return go(false, end);
  }

  // --- Sending ----------------------------------------------------------------------------------

  /** See {@linkcode Protocol.writeText}. */
  writeText(output: Output, message: string): void {
    // A unit takes up to three bytes of UTF-8.
    if (this.#deflate !== null && message.length * 3 >= this.#deflate.threshold) {
      this.#write(output, Opcode.text, encoder.encode(message));
    } else writeTextFrame(output, FIN | Opcode.text, message, !this.#rules.isServer);
  }

  /** See {@linkcode Protocol.writeBinary}. */
  writeBinary(output: Output, message: Uint8Array): void {
    this.#write(output, Opcode.binary, message);
  }

  #write(output: Output, opcode: number, payload: Uint8Array): void {
    const deflate = this.#deflate;
    if (deflate !== null && payload.length >= deflate.threshold) {
      writeFrame(output, FIN | RSV1 | opcode, deflate.deflate(payload), !this.#rules.isServer);
    } else writeFrame(output, FIN | opcode, payload, !this.#rules.isServer);
  }

  /** See {@linkcode Protocol.free}. */
  free(): void {
    this.#end();
    this.#deflate?.free();
  }

  /** See {@linkcode Protocol.writePing}. @throws {RangeError} If it has more than 125 bytes. */
  writePing(output: Output, payload: Uint8Array): void {
    this.#writeControl(output, Opcode.ping, payload);
  }

  /** See {@linkcode Protocol.writePong}. @throws {RangeError} If it has more than 125 bytes. */
  writePong(output: Output, payload: Uint8Array): void {
    this.#writeControl(output, Opcode.pong, payload);
  }

  /**
   * See {@linkcode Protocol.writeClose}.
   *
   * @throws {RangeError} If the code may not be on the wire, or the reason has more than 123 bytes.
   * @throws {TypeError} If there is a reason and no code.
   */
  writeClose(output: Output, code: number | undefined, reason: string): void {
    this.#writeControl(output, Opcode.close, encodeClose(code, reason, this.#rules.isOld));
  }

  #writeControl(output: Output, opcode: number, payload: Uint8Array): void {
    if (payload.length > MAX_CONTROL_SIZE) {
      throw new RangeError(
        `Cannot send a control frame of ${payload.length} bytes: ${MAX_CONTROL_SIZE} at most (RFC 6455 §5.5)`,
      );
    }
    writeFrame(output, FIN | opcode, payload, !this.#rules.isServer);
  }
}

/** The offset of what follows, or its complement. */
function go(on: boolean, end: number): number {
  return on ? end : ~end;
}

/** Unmasks and decodes a text that is there whole. */
function wholeText(chunk: Uint8Array, at: number, end: number, maskingKey: number): string {
  const size = end - at;
  if (!fitsScratch(size)) return decodeText(chunk, at, end, mask(chunk, at, end, maskingKey));
  return decodeText(scratch, 0, size, maskInto(scratch, 0, chunk, at, end, maskingKey));
}

/** Unmasks a binary message that is there whole, into memory that belongs to the receiver. */
function wholeBinary(
  chunk: Uint8Array,
  at: number,
  end: number,
  maskingKey: number,
  given: boolean,
): Uint8Array {
  const size = end - at;
  // A part of the chunk keeps all of it alive, so it must be most of it; and the receiver may
  // transfer its buffer, so nothing may be read behind it.
  if (given && end === chunk.length && size * 2 >= chunk.buffer.byteLength) {
    mask(chunk, at, end, maskingKey);
    return view(chunk, at, end);
  }
  const message = allocate(size);
  maskInto(message, 0, chunk, at, end, maskingKey);
  return message;
}
