/**
 * What inflates the messages of one connection, with or without the window of those before.
 *
 * A block that is marked as the last ends what zlib reads, but neither the message nor the window
 * (RFC 7692 §7.2.1, §7.2.3.4): zlib starts anew behind it, with the window as a stored block.
 *
 * @module
 */
import { ProtocolError } from "../errors.ts";
import { concat, zlib } from "./zlib.ts";
import { hasStreams, ZlibStream } from "./zlib_stream.ts";

/** Inflates one message after the other. */
export interface Inflater {
  /**
   * Inflates a message.
   *
   * @param payload The message without its tail.
   * @param maxSize The most bytes that may come of it.
   * @returns Memory of its own.
   * @throws {ProtocolError} 1007 if it is no DEFLATE, 1009 as soon as it is too long.
   */
  inflate(payload: Uint8Array, maxSize: number): Uint8Array;
  /** Gives back what zlib holds. */
  free?(): void;
}

/** What ends every deflated message, and is not sent (RFC 7692 §7.2.1). */
export const TAIL: Uint8Array = Uint8Array.of(0x00, 0x00, 0xff, 0xff);
/** A window is never larger (RFC 1951 §2), so that any agreed one is in it. */
const WINDOW_SIZE = 32 * 1024;
/** The header of a stored block. */
const HEADER_SIZE = 5;
/**
 * How many last blocks a message may have: so many, and one more for each so many bytes of it. Who
 * sends any sends one, or one for each piece, but each of them takes two bytes and as long as several
 * messages. All other blocks cost zlib 0.3 µs a byte at most, as short messages do.
 */
const LAST_BLOCKS = 32;
const BYTES_PER_LAST_BLOCK = 1024;

const EMPTY = new Uint8Array(0);
/** Memory for {@linkcode Window.asBlock}: to make it would take longer than to fill it. */
const block = new Uint8Array(HEADER_SIZE + WINDOW_SIZE);

/** Where no window is kept, one for all connections does. */
let shared: StreamInflater | undefined;

/**
 * An inflater.
 *
 * @param keepsWindow Whether messages build on those before.
 * @param streams Whether zlib's streams can be worked; without them no window is kept.
 */
export function makeInflater(keepsWindow: boolean, streams = hasStreams()): Inflater {
  if (!streams) return new PlainInflater();
  return keepsWindow ? new StreamInflater(true) : shared ??= new StreamInflater(false);
}

/** The end of what has come out, in a ring. */
class Window {
  readonly #ring = new Uint8Array(WINDOW_SIZE);
  #size = 0;
  /** Where the next byte goes. */
  #at = 0;

  /** Forgets everything. */
  clear(): void {
    this.#size = this.#at = 0;
  }

  /** Adds what has come out. */
  add(bytes: Uint8Array): void {
    const kept = bytes.length <= WINDOW_SIZE ? bytes : bytes.subarray(bytes.length - WINDOW_SIZE);
    const first = Math.min(kept.length, WINDOW_SIZE - this.#at);
    this.#ring.set(kept.subarray(0, first), this.#at);
    this.#ring.set(kept.subarray(first), 0);
    this.#at = (this.#at + kept.length) % WINDOW_SIZE;
    this.#size = Math.min(WINDOW_SIZE, this.#size + kept.length);
  }

  /**
   * A stored block, not the last, that puts it in front of what follows (RFC 1951 §3.2.4). It is
   * valid until the next call, for any window.
   */
  asBlock(): Uint8Array {
    const size = this.#size;
    block.set([0, size, size >> 8, ~size, ~size >> 8]);
    const oldest = size === WINDOW_SIZE ? this.#ring.subarray(this.#at) : EMPTY;
    block.set(oldest, HEADER_SIZE);
    block.set(this.#ring.subarray(0, this.#at), HEADER_SIZE + oldest.length);
    return block.subarray(0, HEADER_SIZE + size);
  }
}

/** Memory that all streams use in turns, for what comes first of a message. */
const scratch = new Uint8Array(64 * 1024);
/** Memory for what nobody reads. */
const ignored = new Uint8Array(2 * WINDOW_SIZE);

/** What comes of one message. It grows by doubling, never beyond what may come. */
class Inflated {
  /** Where the next bytes go. */
  room: Uint8Array;
  readonly #maxSize: number;
  /** What was filled; the last of them is `room` and what comes before it. */
  readonly #parts: Uint8Array[];
  #size = 0;

  constructor(maxSize: number) {
    this.#maxSize = maxSize;
    // One more than may come, so that too many show.
    this.room = scratch.subarray(0, maxSize + 1);
    this.#parts = [this.room];
  }

  /** Keeps the first `size` bytes of the room, and makes more. @throws {ProtocolError} 1009. */
  keep(size: number): void {
    this.#size += size;
    if (this.#size > this.#maxSize) throw tooLong();
    this.room = this.room.subarray(size);
    if (this.room.length > 0) return;
    this.room = new Uint8Array(Math.min(this.#size, this.#maxSize + 1 - this.#size));
    this.#parts.push(this.room);
  }

  /** All of it, in memory of its own. */
  whole(): Uint8Array {
    const whole = new Uint8Array(this.#size);
    let at = 0;
    for (const part of this.#parts) {
      whole.set(part.subarray(0, this.#size - at), at);
      at += part.length;
    }
    return whole;
  }
}

/** By a stream, which holds about 40 KiB, and 32 KiB more where it keeps a window. */
class StreamInflater implements Inflater {
  readonly #stream: ZlibStream = ZlibStream.inflating();
  readonly #keepsWindow: boolean;
  /** The same that zlib has, which does not give it out. */
  #window: Window | null = null;
  /** How many last blocks the message has had. Behind one, zlib has to start anew. */
  #lastBlocks = 0;
  /** How many it may have. */
  #most = 0;

  constructor(keepsWindow: boolean) {
    this.#keepsWindow = keepsWindow;
  }

  inflate(payload: Uint8Array, maxSize: number): Uint8Array {
    if (!this.#keepsWindow) {
      this.#window?.clear();
      this.#stream.reset();
    } else if (this.#lastBlocks > 0) this.#restart();
    this.#lastBlocks = 0;
    this.#most = mostLastBlocks(payload);
    const inflated = new Inflated(maxSize);
    this.#read(payload, inflated);
    this.#read(TAIL, inflated);
    return inflated.whole();
  }

  #read(input: Uint8Array, inflated: Inflated): void {
    const stream = this.#stream;
    for (let at = 0;;) {
      const { room } = inflated;
      if (!stream.write(input, at, room)) throw notDeflate();
      const size = room.length - stream.room;
      (this.#window ??= new Window()).add(room.subarray(0, size));
      inflated.keep(size);
      at = input.length - stream.rest;
      if (stream.room === 0) continue;
      if (stream.rest === 0) return;
      // Room and input are left: it was a last block that ended.
      if (++this.#lastBlocks > this.#most) throw tooManyLastBlocks();
      this.#restart();
    }
  }

  #restart(): void {
    this.#stream.reset();
    if (this.#window !== null) this.#stream.write(this.#window.asBlock(), 0, ignored);
  }

  free(): void {
    if (this.#keepsWindow) this.#stream.free();
  }
}

/** By zlib's public functions: each message starts with an empty window. */
class PlainInflater implements Inflater {
  inflate(payload: Uint8Array, maxSize: number): Uint8Array {
    const parts: Uint8Array[] = [];
    const most = mostLastBlocks(payload);
    const window = new Window();
    let size = 0;
    // The window goes in front of what is to be read, where nothing is needed any more.
    const front = HEADER_SIZE + WINDOW_SIZE;
    const input = concat(new Uint8Array(front), payload, TAIL);
    for (let at = front, blocks = 0; at < input.length; blocks++) {
      if (blocks > most) throw tooManyLastBlocks();
      const block = window.asBlock();
      at -= block.length;
      input.set(block, at);
      const before = block.length - HEADER_SIZE;
      // At least one more than the window, so that too many show.
      const { output, taken } = inflateBlocks(input.subarray(at), before + maxSize - size + 1);
      at += taken;
      const part = output.subarray(before);
      size += part.length;
      if (size > maxSize) throw tooLong();
      parts.push(part);
      window.add(part);
    }
    return concat(...parts);
  }
}

/** What `maxOutputLength` can be on every runtime. */
const MOST_OUTPUT = 2 ** 31 - 1;

/** Inflates up to a last block or the end. */
function inflateBlocks(input: Uint8Array, most: number): { output: Uint8Array; taken: number } {
  const { inflateRawSync, constants } = zlib();
  try {
    const { buffer, engine } = inflateRawSync(input, {
      finishFlush: constants.Z_SYNC_FLUSH,
      // zlib has a limit of its own, which it does not tell; the caller checks the size again.
      ...(most > MOST_OUTPUT ? {} : { maxOutputLength: most }),
      info: true,
    });
    return { output: buffer, taken: engine.bytesWritten };
  } catch (error) {
    throw (error as { code?: string }).code === "ERR_BUFFER_TOO_LARGE" ? tooLong() : notDeflate();
  }
}

function notDeflate(): ProtocolError {
  return new ProtocolError(1007, "a compressed message must be DEFLATE (RFC 7692 §7.2.2)");
}

function tooLong(): ProtocolError {
  return new ProtocolError(
    1009,
    "a message must not inflate beyond maxMessageSize (RFC 6455 §7.4.1)",
  );
}

function mostLastBlocks(payload: Uint8Array): number {
  return LAST_BLOCKS + Math.floor(payload.length / BYTES_PER_LAST_BLOCK);
}

function tooManyLastBlocks(): ProtocolError {
  return new ProtocolError(
    1009,
    `a message must not have more than ${LAST_BLOCKS} last blocks, ` +
      `and one for each ${BYTES_PER_LAST_BLOCK} bytes (RFC 6455 §7.4.1)`,
  );
}
