/**
 * A message that arrives in several frames or chunks.
 *
 * @module
 */
import { allocate } from "./allocate.ts";
import { Opcode } from "./frame_header.ts";
import { maskInto } from "./mask.ts";
import type { MessageMemory } from "./message_memory.ts";
import { giveSpare, SMALLEST_SPARE, takeSpare } from "./spare_memory.ts";
import { checkUtf8, COMPLETE, decodeAscii, decodeUtf8, notUtf8, REJECTED } from "./utf8.ts";

/** The most bytes to allocate ahead of the received bytes, if that is more than their size. */
const AHEAD = 1024 * 1024;
/** How many bytes to allocate ahead for each received byte. At least `FIRST` in all. */
const TIMES_AHEAD = 16;
/** The size of the first buffer for a message of unknown size, in bytes. */
const FIRST = 1024;

/** A message that is being received. */
export class IncomingMessage {
  /** {@linkcode Opcode.text} or {@linkcode Opcode.binary}. */
  readonly opcode: number;
  /** Whether the message is compressed (RFC 7692 §6). */
  readonly isCompressed: boolean;
  /** How many bytes have arrived. */
  size = 0;
  /** How many frames have begun. */
  frames = 0;
  readonly #memory: MessageMemory | undefined;
  #bytes: Uint8Array<ArrayBuffer> | null = null;
  /** The size of the message at the end of the current frame. */
  #announced = 0;
  /** Whether the current frame is the last. */
  #isLast = false;
  /** Below 0x80 if all bytes are below 0x80; see `mask.ts`. */
  #orOfBytes = 0;
  #utf8 = COMPLETE;

  /**
   * @param opcode Text or binary.
   * @param isCompressed Whether the message is compressed.
   * @param memory The memory of a binary message that is not compressed. Default: its own.
   */
  constructor(opcode: number, isCompressed: boolean, memory?: MessageMemory) {
    this.opcode = opcode;
    this.isCompressed = isCompressed;
    this.#memory = opcode === Opcode.binary && !isCompressed ? memory : undefined;
  }

  /** Begins the next frame. */
  beginFrame(payloadLength: number, isLast: boolean): void {
    this.frames++;
    this.#announced = this.size + payloadLength;
    this.#isLast = isLast;
  }

  /**
   * Adds masked bytes of the current frame. The content of `bytes` is undefined afterwards.
   *
   * @throws {ProtocolError} 1007 at the first byte that is not UTF-8, for text.
   */
  append(bytes: Uint8Array, start: number, end: number, maskingKey: number): void {
    if (start === end) return;
    const at = this.size;
    this.size += end - start;
    const target = this.#reserve(this.size);
    const orOfBytes = maskInto(target, at, bytes, start, end, maskingKey);
    if (this.opcode !== Opcode.text || this.isCompressed) return;
    if (orOfBytes < 0x80 && this.#utf8 === COMPLETE) return;
    this.#orOfBytes |= orOfBytes;
    this.#utf8 = checkUtf8(target, at, this.size, this.#utf8);
    if (this.#utf8 === REJECTED) throw notUtf8();
  }

  /** Makes room for `size` bytes. Never allocates far ahead, whatever length was announced. */
  #reserve(size: number): Uint8Array {
    const bytes = this.#bytes;
    if (bytes !== null && bytes.length >= size) return bytes;
    const ahead = Math.max(size, Math.min(AHEAD, Math.max(FIRST, size * TIMES_AHEAD)));
    let capacity = Math.min(this.#announced, size + ahead);
    if (!this.#isLast) capacity = Math.max(capacity, FIRST, 2 * (bytes?.length ?? 0));
    const spare = this.opcode === Opcode.text && (bytes === null || bytes.length < SMALLEST_SPARE)
      ? takeSpare(capacity)
      : null;
    const memory = this.#memory;
    if (bytes === null) this.#bytes = spare ?? memory?.take(capacity) ?? allocate(capacity);
    else if (memory !== undefined) this.#bytes = memory.grow(bytes, bytes.length, capacity);
    else if (spare === null) this.#bytes = new Uint8Array(bytes.buffer.transfer(capacity));
    else {
      spare.set(bytes);
      this.#bytes = spare;
    }
    return this.#bytes;
  }

  /**
   * Returns the message as text, once it is complete.
   *
   * @throws {ProtocolError} 1007 if it ends inside a character.
   */
  text(): string {
    if (this.#utf8 !== COMPLETE) throw notUtf8();
    const bytes = this.#bytes;
    if (bytes === null) return "";
    this.#bytes = null;
    const text = this.#orOfBytes < 0x80
      ? decodeAscii(bytes, 0, this.size)
      : decodeUtf8(bytes, 0, this.size);
    giveSpare(bytes);
    return text;
  }

  /**
   * Returns the bytes of the message, once it is complete. Nothing else uses their buffer, unless they
   * are in the memory that was passed.
   */
  binary(): Uint8Array {
    const bytes = this.#bytes ?? new Uint8Array(0);
    if (bytes.length === this.size) return bytes;
    if (this.#memory !== undefined) return bytes.subarray(0, this.size);
    return new Uint8Array(bytes.buffer.transfer(this.size));
  }
}
