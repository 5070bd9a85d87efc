/**
 * Decompresses messages, with or without the window of earlier messages.
 *
 * zlib stops after a block with the BFINAL bit ("last block"). But in WebSocket, the message and the
 * window continue after it (RFC 7692 §7.2.1, §7.2.3.4). So we restart zlib, and feed it the window as a
 * stored block.
 *
 * @module
 */
import { ProtocolError } from "../errors.ts";
import { allocate } from "./allocate.ts";
import type { MessageMemory } from "./message_memory.ts";
import { type Zlib, ZlibStream } from "./zlib.ts";

/** The end of every compressed message, which is not sent (RFC 7692 §7.2.1). */
export const TAIL: Uint8Array = Uint8Array.of(0x00, 0x00, 0xff, 0xff);
/** The size of the largest window (RFC 1951 §2), in bytes. */
const LARGEST_WINDOW = 32 * 1024;
/** A window of 8 is allowed (RFC 7692 §7.1.2.1), but not every version of zlib has it. */
const SMALLEST_WINDOW_BITS = 9;
/** The size of the header of a stored block, in bytes. */
const HEADER_SIZE = 5;
/**
 * How many last blocks a message may have: 32, plus one for each 1024 bytes. Known senders use none,
 * one, or one for each piece that they compress. The limit is against attacks: a last block takes only
 * two bytes on the wire, but restarting zlib costs as much as several messages.
 */
const LAST_BLOCKS = 32;
const BYTES_PER_LAST_BLOCK = 1024;

const EMPTY = new Uint8Array(0);

/** The last bytes of the output, in a ring buffer. */
class Window {
  readonly #ring: Uint8Array;
  #size = 0;
  /** Where the next byte goes. */
  #at = 0;

  /** @param size The size of the window, in bytes. */
  constructor(size: number) {
    this.#ring = new Uint8Array(size);
  }

  /** Empties the window. */
  clear(): void {
    this.#size = this.#at = 0;
  }

  /** Adds output. */
  add(bytes: Uint8Array): void {
    const { length } = this.#ring;
    const kept = bytes.length <= length ? bytes : bytes.subarray(bytes.length - length);
    const first = Math.min(kept.length, length - this.#at);
    this.#ring.set(kept.subarray(0, first), this.#at);
    this.#ring.set(kept.subarray(first), 0);
    this.#at = (this.#at + kept.length) % length;
    this.#size = Math.min(length, this.#size + kept.length);
  }

  /**
   * Writes the window as a stored block that is not the last (RFC 1951 §3.2.4).
   *
   * @param target Where to write it.
   * @returns The size of the block, in bytes.
   */
  writeBlock(target: Uint8Array): number {
    const size = this.#size;
    target.set([0, size, size >> 8, ~size, ~size >> 8]);
    const oldest = size === this.#ring.length ? this.#ring.subarray(this.#at) : EMPTY;
    target.set(oldest, HEADER_SIZE);
    target.set(this.#ring.subarray(0, this.#at), HEADER_SIZE + oldest.length);
    return HEADER_SIZE + size;
  }
}

/** The size of {@linkcode InflaterOptions.windowScratch}: room for a stored block and its output. */
export const WINDOW_SCRATCH_SIZE: number = 2 * (HEADER_SIZE + LARGEST_WINDOW);

/** The output of one message. Its memory is doubled when needed, up to the limit. */
class Inflated {
  readonly #maxSize: number;
  /** All memory, in order. */
  readonly #parts: Uint8Array[];
  /** How many bytes of the last part are used. */
  #used = 0;
  #size = 0;

  constructor(maxSize: number, scratch: Uint8Array) {
    this.#maxSize = maxSize;
    // One byte more than allowed: if it is used, the message is too large.
    this.#parts = [scratch.length <= maxSize ? scratch : scratch.subarray(0, maxSize + 1)];
  }

  /** The free memory. */
  get room(): Uint8Array {
    const last = this.#parts.at(-1) as Uint8Array;
    return this.#used === 0 ? last : last.subarray(this.#used);
  }

  /** Adds the first `size` bytes of the free memory. @throws {ProtocolError} 1009. */
  keep(size: number): void {
    this.#size += size;
    this.#used += size;
    if (this.#size > this.#maxSize) throw tooLong();
    if (this.#used < (this.#parts.at(-1) as Uint8Array).length) return;
    this.#parts.push(new Uint8Array(Math.min(this.#size, this.#maxSize + 1 - this.#size)));
    this.#used = 0;
  }

  /** Returns a copy of the whole output. @param memory The memory for it. Default: its own. */
  whole(memory?: MessageMemory): Uint8Array {
    const whole = memory === undefined ? allocate(this.#size) : memory.take(this.#size);
    let at = 0;
    for (const part of this.#parts) {
      whole.set(part.subarray(0, this.#size - at), at);
      at += part.length;
    }
    return whole;
  }
}

/** The options of an {@linkcode Inflater}. */
export interface InflaterOptions {
  readonly zlib: Zlib;
  /** The size of the window, as a power of two from 8 to 15. */
  readonly windowBits: number;
  /** Whether the window is kept from one message to the next. */
  readonly keepsWindow: boolean;
  /** A buffer for the first bytes of a message. It is used only during a call. */
  readonly scratch: Uint8Array;
  /** A buffer of {@linkcode WINDOW_SCRATCH_SIZE} for restarting zlib. It is used only during a call. */
  readonly windowScratch: Uint8Array;
  /** A buffer for a short message and its tail. It is used only during a call. */
  readonly inputScratch: Uint8Array;
}

/** Decompresses messages, one after the other. Holds about 8 KiB, and the window twice. */
export class Inflater {
  readonly #stream: ZlibStream;
  readonly #keepsWindow: boolean;
  readonly #windowSize: number;
  readonly #scratch: Uint8Array;
  readonly #windowScratch: Uint8Array;
  readonly #inputScratch: Uint8Array;
  /** A copy of zlib's window, which cannot be read. */
  #window: Window | null = null;
  /** How many last blocks the current message has had. After one, zlib must be restarted. */
  #lastBlocks = 0;
  /** The compressed size of the current message; for a message in steps, how much was read so far. */
  #size = 0;
  /** Whether the current message is decompressed in steps, so that its size is unknown. */
  #isInSteps = false;
  /** How many bytes of the input of the last {@linkcode step} were not read. */
  rest = 0;
  /** Whether the last {@linkcode step} filled its output, so there may be more. */
  isFull = false;

  /** @param options See {@linkcode InflaterOptions}. */
  constructor(options: InflaterOptions) {
    const { zlib, keepsWindow, scratch, windowScratch, inputScratch } = options;
    const windowBits = Math.max(SMALLEST_WINDOW_BITS, options.windowBits);
    this.#stream = ZlibStream.inflating(zlib, { windowBits });
    this.#windowSize = 2 ** windowBits;
    this.#keepsWindow = keepsWindow;
    this.#scratch = scratch;
    this.#windowScratch = windowScratch;
    this.#inputScratch = inputScratch;
  }

  /**
   * Decompresses a message.
   *
   * @param payload The compressed message without its tail.
   * @param maxSize The largest message, in bytes.
   * @param memory The memory for the message. Default: memory that nothing else uses.
   * @throws {ProtocolError} 1007 if the payload is not DEFLATE, 1009 as soon as the message is too large.
   */
  inflate(payload: Uint8Array, maxSize: number, memory?: MessageMemory): Uint8Array {
    this.begin(payload.length);
    const inflated = new Inflated(maxSize, this.#scratch);
    const withTail = this.#withTail(payload);
    this.#read(withTail ?? payload, inflated);
    if (withTail === undefined) this.#read(TAIL, inflated);
    return inflated.whole(memory);
  }

  /** Copies a short message: one call of zlib takes less time than two. */
  #withTail(payload: Uint8Array): Uint8Array | undefined {
    const size = payload.length + TAIL.length;
    const input = this.#inputScratch;
    if (size > input.length) return undefined;
    input.set(payload);
    input.set(TAIL, payload.length);
    return input.subarray(0, size);
  }

  #read(input: Uint8Array, inflated: Inflated): void {
    let at = 0;
    do {
      inflated.keep(this.step(input, at, inflated.room));
      at = input.length - this.rest;
    } while (this.isFull || this.rest > 0);
  }

  // --- One message in steps ---------------------------------------------------------------------

  /** Begins a message. @param size Its size, compressed. Default: unknown. */
  begin(size?: number): void {
    if (!this.#keepsWindow) {
      this.#window?.clear();
      this.#stream.reset();
    } else if (this.#lastBlocks > 0) this.#restart();
    this.#lastBlocks = 0;
    this.#isInSteps = size === undefined;
    this.#size = size ?? 0;
  }

  /**
   * Decompresses the input from `at` on, until the input ends or the room is full. Sets {@linkcode rest}
   * and {@linkcode isFull}. If either is set, call `step` again. The last input of a message is
   * {@linkcode TAIL}.
   *
   * @returns How many bytes were written to the room.
   * @throws {ProtocolError} 1007 if the payload is not DEFLATE, 1009 after too many last blocks.
   */
  step(input: Uint8Array, at: number, room: Uint8Array): number {
    const stream = this.#stream;
    if (!stream.write(input, at, room)) throw notDeflate();
    const size = room.length - stream.free;
    this.rest = stream.rest;
    this.isFull = stream.free === 0;
    const isDone = this.rest === 0 && !this.isFull;
    // Without a window, only the tail can follow, which refers to nothing.
    if (this.#keepsWindow || !isDone) this.#keep(room.subarray(0, size));
    if (this.#isInSteps) this.#size += input.length - at - this.rest;
    // zlib has stopped before the end of the input: this was a last block.
    if (!this.isFull && this.rest > 0) this.#afterLastBlock();
    return size;
  }

  #keep(output: Uint8Array): void {
    (this.#window ??= new Window(this.#windowSize)).add(output);
  }

  #afterLastBlock(): void {
    const most = LAST_BLOCKS + Math.floor(this.#size / BYTES_PER_LAST_BLOCK);
    if (++this.#lastBlocks > most) throw tooManyLastBlocks();
    this.#restart();
  }

  /** Restarts zlib with the same window. */
  #restart(): void {
    const window = this.#window as Window; // made when the last block was read
    this.#stream.reset();
    const size = window.writeBlock(this.#windowScratch);
    const block = this.#windowScratch.subarray(0, size);
    this.#stream.write(block, 0, this.#windowScratch.subarray(size)); // the output is not used
  }

  /** Frees the memory of zlib, unless other connections share this inflater. */
  free(): void {
    if (this.#keepsWindow) this.#stream.destroy();
  }
}

function notDeflate(): ProtocolError {
  return new ProtocolError(1007, "a compressed message must be DEFLATE (RFC 7692 §7.2.2)");
}

/** Makes the error for a message that is too large. */
export function tooLong(): ProtocolError {
  return new ProtocolError(
    1009,
    "a message must not inflate beyond maxMessageSize (RFC 6455 §7.4.1)",
  );
}

function tooManyLastBlocks(): ProtocolError {
  return new ProtocolError(
    1009,
    `a message must not have more than ${LAST_BLOCKS} last blocks, ` +
      `and one for each ${BYTES_PER_LAST_BLOCK} bytes (RFC 6455 §7.4.1)`,
  );
}
