/**
 * The wire format of RFC 6455, and of its drafts hybi-07 and hybi-08.
 *
 * @module
 */
import { decodeClose, encodeClose } from "./close_frame.ts";
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
  OPCODE_BITS,
  readLength,
  readMaskingKey,
  type Role,
  RSV1,
  sizeOfLength,
  WHOLE_BINARY,
  WHOLE_TEXT,
} from "./frame_header.ts";
import { IncomingMessage } from "./incoming_message.ts";
import { IncomingPieces } from "./incoming_pieces.ts";
import { maskInto, rotate, subview } from "./mask.ts";
import { MaskingKeys } from "./masking_keys.ts";
import { checkMessageLimits } from "./message_limits.ts";
import { writeFrame, writeTextFrame } from "./outgoing_frame.ts";
import { OutgoingFragments } from "./outgoing_fragments.ts";
import type { Output } from "./output.ts";
import type { MessageKind, OutgoingPieces, Protocol, ProtocolLimits, Sink } from "./protocol.ts";
import { Read, Unfinished } from "./receive_state.ts";
import { receiveTexts } from "./text_batch.ts";
import { decodeText } from "./utf8.ts";
import { wholeBinary, wholeText } from "./whole_message.ts";

const encoder = new TextEncoder();

/** The versions with this wire format. */
export type HybiVersion = "hybi-07" | "hybi-08" | "rfc6455";

/** The options of {@linkcode Hybi}. */
export interface HybiOptions {
  /** Whether this end is a client, which masks its frames, or a server (RFC 6455 §5.1). */
  readonly role: Role;
  /** The version. Default: `"rfc6455"`. */
  readonly version?: HybiVersion;
  /** The parameters of permessage-deflate. Default: no compression. */
  readonly deflate?: DeflateParameters | undefined;
}

/** The wire format of a connection of version 13, 8 or 7, for servers and clients. */
export class Hybi implements Protocol {
  readonly #limits: ProtocolLimits;
  readonly #rules: FrameRules;
  readonly #deflate: Deflate | null;
  /** The masking keys of a client; `null` in a server. */
  readonly #maskingKeys: MaskingKeys | null;
  /** Whether received bytes are discarded: after a close frame or a broken rule. */
  #ended = false;
  #unfinished: Unfinished | null = null;

  /** @param limits The limits of received messages. @param options The role and the version. */
  constructor(limits: ProtocolLimits, options: HybiOptions) {
    const { role, version = "rfc6455", deflate } = options;
    this.#limits = limits;
    this.#rules = frameRules(role, version !== "rfc6455");
    this.#deflate = deflate === undefined ? null : new Deflate(deflate);
    this.#maskingKeys = role === "server" ? null : new MaskingKeys();
  }

  /** See {@linkcode Protocol.format}. The frames of a client depend on its masking keys. */
  get format(): string | undefined {
    if (!this.#rules.isServer) return undefined;
    return this.#deflate === null ? "hybi" : this.#deflate.format;
  }

  /** See {@linkcode Protocol.hasBinary}. */
  get hasBinary(): boolean {
    return true;
  }

  /** See {@linkcode Protocol.hasCloseFrame}. */
  get hasCloseFrame(): boolean {
    return true;
  }

  /** See {@linkcode Protocol.expectsCloseFrame}. */
  get expectsCloseFrame(): boolean {
    return true;
  }

  // --- Receiving --------------------------------------------------------------------------------
  // The methods below take the offset of the bytes to read, and return the offset after them. If the
  // sink returned false, they return its complement (`~at`), which is negative.

  /** See {@linkcode Protocol.receive}. */
  receive(chunk: Uint8Array, owned: boolean, sink: Sink): number {
    if (this.#ended) return chunk.length;
    try {
      const read = new Read(chunk, owned, sink);
      let at = this.#unfinished === null ? 0 : this.#resume(this.#unfinished, read);
      while (at >= 0 && at < chunk.length) at = this.#receiveFrame(read, at);
      return this.#ended ? chunk.length : at < 0 ? ~at : at;
    } catch (error) {
      this.#end();
      throw error;
    }
  }

  #end(): void {
    this.#ended = true;
    const message = this.#unfinished?.message;
    if (message instanceof IncomingPieces) message.free();
    this.#unfinished = null;
  }

  #receiveFrame(read: Read, at: number): number {
    const { chunk } = read;
    if (chunk[at] === WHOLE_TEXT && this.#rules.isServer && this.#unfinished === null) {
      const next = receiveTexts(read, at, maxFrameSize(this.#limits));
      if (next !== at) return next;
    }
    if (!this.#readHeader(read, chunk, at, chunk.length)) return this.#holdHeader(chunk, at);
    return this.#receivePayload(read, at + read.headerSize);
  }

  /**
   * Reads the bytes of a header that have arrived. Throws at the first byte that breaks a rule.
   *
   * @returns Whether the header is complete.
   */
  #readHeader(read: Read, bytes: Uint8Array, at: number, end: number): boolean {
    const first = bytes[at] as number; // at < end
    const message = this.#unfinished === null ? null : this.#unfinished.message;
    checkFirstByte(this.#withoutRsv1(first), message !== null);
    if (end - at < 2) return false;
    const second = bytes[at + 1] as number;
    checkSecondByte(first, second, this.#rules);
    const extended = sizeOfLength(second);
    let size = 2 + extended;
    if (end - at < size) return false;
    const length = extended === 0 ? second & ~MASK : readLength(bytes, at + 2, this.#rules);
    if ((first & CONTROL) === 0) checkMessageLimits(message, first, length, this.#limits);
    read.maskingKey = 0;
    if (second & MASK) {
      size += 4;
      if (end - at < size) return false;
      read.maskingKey = readMaskingKey(bytes, at + size - 4);
    }
    read.headerSize = size;
    read.firstByte = first;
    read.payloadLength = length;
    return true;
  }

  /** RSV1 marks a compressed message in its first frame. It is an error in other frames (RFC 7692 §6). */
  #withoutRsv1(first: number): number {
    const opcode = first & OPCODE_BITS;
    const begins = opcode === Opcode.text || opcode === Opcode.binary;
    return this.#deflate !== null && begins ? first & ~RSV1 : first;
  }

  #holdHeader(chunk: Uint8Array, at: number): number {
    const unfinished = this.#unfinished ??= new Unfinished();
    unfinished.state = "header";
    unfinished.header ??= new Uint8Array(MAX_HEADER_SIZE);
    unfinished.header.set(subview(chunk, at, chunk.length));
    unfinished.headerSize = chunk.length - at;
    return chunk.length;
  }

  /** Continues a frame or message that began in an earlier chunk. */
  #resume(unfinished: Unfinished, read: Read): number {
    switch (unfinished.state) {
      case "header":
        return this.#resumeHeader(unfinished, read);
      case "payload":
        return this.#receivePart(unfinished, read, 0);
      case "between frames":
        return 0;
    }
  }

  #resumeHeader(unfinished: Unfinished, read: Read): number {
    const { chunk } = read;
    const { headerSize } = unfinished;
    const bytes = unfinished.header as Uint8Array; // not null in this state
    const end = Math.min(bytes.length, headerSize + chunk.length);
    bytes.set(subview(chunk, 0, end - headerSize), headerSize);
    if (!this.#readHeader(read, bytes, 0, end)) {
      unfinished.headerSize = end;
      return chunk.length;
    }
    unfinished.state = "between frames";
    if (unfinished.message === null) this.#unfinished = null;
    return this.#receivePayload(read, read.headerSize - headerSize);
  }

  #receivePayload(read: Read, at: number): number {
    const { chunk, sink, firstByte, payloadLength, maskingKey } = read;
    const end = at + payloadLength;
    const isControl = (firstByte & CONTROL) !== 0;
    if (end <= chunk.length) {
      if (isControl) {
        const payload = new Uint8Array(payloadLength);
        maskInto(payload, 0, chunk, at, end, maskingKey);
        return this.#receiveControl(firstByte, payload, end, sink);
      }
      if (firstByte === WHOLE_TEXT) return next(sink.text(wholeText(read, at, end)), end);
      if (firstByte === WHOLE_BINARY) return next(sink.binary(wholeBinary(read, at, end)), end);
    }
    const unfinished = this.#unfinished ??= new Unfinished();
    unfinished.firstByte = firstByte;
    unfinished.remaining = payloadLength;
    unfinished.maskingKey = maskingKey;
    if (isControl) unfinished.control = new Uint8Array(payloadLength);
    else {
      if (unfinished.message === null) this.#beginMessage(unfinished, firstByte, sink);
      unfinished.message?.beginFrame(payloadLength, (firstByte & FIN) !== 0);
    }
    return this.#receivePart(unfinished, read, at);
  }

  #beginMessage(unfinished: Unfinished, firstByte: number, { pieces, memory }: Sink): void {
    const opcode = firstByte & OPCODE_BITS;
    const isCompressed = (firstByte & RSV1) !== 0;
    if (pieces === undefined) {
      unfinished.message = new IncomingMessage(opcode, isCompressed, memory);
      return;
    }
    const { maxMessageSize } = this.#limits;
    const deflate = isCompressed ? this.#deflate : null;
    const message = new IncomingPieces({ opcode, deflate, maxMessageSize, sink: pieces });
    unfinished.message = message;
    message.begin();
  }

  /** Receives the bytes of a payload that have arrived. */
  #receivePart(unfinished: Unfinished, { chunk, sink }: Read, at: number): number {
    const { control, message, maskingKey, remaining } = unfinished;
    let end = Math.min(at + remaining, chunk.length);
    let goesOn = true;
    if (control !== null) {
      maskInto(control, control.length - remaining, chunk, at, end, maskingKey);
    } else if (message instanceof IncomingPieces) {
      // The sink may have closed the connection when the message began.
      if (this.#ended) return ~end;
      end = message.receive(chunk, at, end, maskingKey);
      goesOn = message.goesOn;
    } else message?.append(chunk, at, end, maskingKey);
    unfinished.state = "payload";
    unfinished.remaining -= end - at;
    unfinished.maskingKey = rotate(maskingKey, end - at);
    if (unfinished.remaining > 0) return next(goesOn, end);
    const after = this.#endFrame(unfinished, end, sink);
    return goesOn || after < 0 ? after : ~after;
  }

  #endFrame(unfinished: Unfinished, end: number, sink: Sink): number {
    const { control, message, firstByte } = unfinished;
    unfinished.state = "between frames";
    if (control !== null) {
      unfinished.control = null;
      if (message === null) this.#unfinished = null;
      return this.#receiveControl(firstByte, control, end, sink);
    }
    if (message === null || (firstByte & FIN) === 0) return end;
    this.#unfinished = null;
    if (message instanceof IncomingPieces) return next(message.finish(), end);
    const isText = message.opcode === Opcode.text;
    if (message.isCompressed) {
      const { maxMessageSize } = this.#limits;
      const memory = isText ? undefined : sink.memory;
      // Not null: without the extension, RSV1 is an error.
      const bytes = this.#deflate!.inflate(message.binary(), maxMessageSize, memory);
      return next(
        isText ? sink.text(decodeText(bytes, 0, bytes.length, 0x80)) : sink.binary(bytes),
        end,
      );
    }
    return next(isText ? sink.text(message.text()) : sink.binary(message.binary()), end);
  }

  #receiveControl(firstByte: number, payload: Uint8Array, end: number, sink: Sink): number {
    const opcode = firstByte & OPCODE_BITS;
    if (opcode === Opcode.ping) return next(sink.ping(payload), end);
    if (opcode === Opcode.pong) return next(sink.pong(payload), end);
    const { code, reason } = decodeClose(payload, this.#rules.isOld);
    this.#end();
    sink.close(code, reason);
    return next(false, end);
  }

  // --- Sending ----------------------------------------------------------------------------------

  /** See {@linkcode Protocol.writeText}. */
  writeText(output: Output, message: string): void {
    // A UTF-16 unit takes at most three bytes in UTF-8.
    if (this.#deflate !== null && message.length * 3 >= this.#deflate.threshold) {
      this.#write(output, Opcode.text, encoder.encode(message));
    } else writeTextFrame(output, WHOLE_TEXT, message, this.#maskingKeys);
  }

  /** See {@linkcode Protocol.writeBinary}. */
  writeBinary(output: Output, message: Uint8Array): void {
    this.#write(output, Opcode.binary, message);
  }

  #write(output: Output, opcode: number, payload: Uint8Array): void {
    const deflate = this.#deflate;
    if (deflate !== null && payload.length >= deflate.threshold) {
      writeFrame(output, FIN | RSV1 | opcode, deflate.deflate(payload), this.#maskingKeys);
    } else writeFrame(output, FIN | opcode, payload, this.#maskingKeys);
  }

  /** See {@linkcode Protocol.beginPieces}. */
  beginPieces(kind: MessageKind): OutgoingPieces {
    return new OutgoingFragments(Opcode[kind], this.#deflate, this.#maskingKeys);
  }

  /** See {@linkcode Protocol.free}. */
  free(): void {
    this.#end();
    this.#deflate?.free();
  }

  /** See {@linkcode Protocol.writePing}. @throws {RangeError} If the payload is too long. */
  writePing(output: Output, payload: Uint8Array): void {
    this.#writeControl(output, Opcode.ping, payload);
  }

  /** See {@linkcode Protocol.writePong}. @throws {RangeError} If the payload is too long. */
  writePong(output: Output, payload: Uint8Array): void {
    this.#writeControl(output, Opcode.pong, payload);
  }

  /**
   * See {@linkcode Protocol.writeClose}.
   *
   * @throws {RangeError} If the code must not be sent, or the reason has more than 123 bytes.
   * @throws {TypeError} If there is a reason and no code.
   */
  writeClose(output: Output, code: number | undefined, reason: string): void {
    this.#writeControl(output, Opcode.close, encodeClose(code, reason, this.#rules.isOld));
  }

  #writeControl(output: Output, opcode: number, payload: Uint8Array): void {
    if (payload.length > MAX_CONTROL_SIZE) {
      throw new RangeError(
        `Cannot send a control frame: payload must have at most ${MAX_CONTROL_SIZE} bytes, ` +
          `got ${payload.length} (RFC 6455 §5.5)`,
      );
    }
    writeFrame(output, FIN | opcode, payload, this.#maskingKeys);
  }
}

/** Returns the offset after an event, or its complement if the sink returned false. */
function next(goOn: boolean, end: number): number {
  return goOn ? end : ~end;
}

/** Returns the largest payload of a frame, in bytes. */
function maxFrameSize({ maxMessageSize, maxFragmentSize = Infinity }: ProtocolLimits): number {
  return Math.min(maxMessageSize, maxFragmentSize);
}
