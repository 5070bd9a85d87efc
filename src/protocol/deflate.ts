/**
 * permessage-deflate (RFC 7692 §7.2): the payload of a message, deflated and inflated.
 *
 * zlib is the runtime's own, by its synchronous functions: a frame is written, and a message is
 * there, before the call returns. Where the windows are kept, the last 32 KiB of each direction are
 * all that a connection holds.
 *
 * @module
 */
import { ProtocolError } from "../errors.ts";
import { type Deflater, makeDeflater } from "./deflater.ts";
import { concat, type Zlib, zlib } from "./zlib.ts";

/** What the two ends agreed on; what they keep is "context" in RFC 7692 §7.1.1. */
export interface DeflateParameters {
  /** Whether each message that is sent starts with an empty window. */
  readonly sendsWithoutContext: boolean;
  /** Whether each message that is received does. */
  readonly receivesWithoutContext: boolean;
  /** The window of what is sent, a power of two from 9 to 15. */
  readonly sendWindowBits: number;
  /** zlib's level, 1 to 9. */
  readonly level: number;
  /** zlib's memory level, 1 to 9. */
  readonly memLevel: number;
  /** The shortest message that is deflated, in bytes. */
  readonly threshold: number;
}

/** What ends every deflated message, and is not sent (RFC 7692 §7.2.1). */
const TAIL = Uint8Array.of(0x00, 0x00, 0xff, 0xff);
/** The whole of an empty message (RFC 7692 §7.2.3.6). */
const EMPTY_MESSAGE = Uint8Array.of(0x00);
/** An inflater's window is never larger (RFC 1951 §2), so that any agreed one is in it. */
const WINDOW_SIZE = 32 * 1024;

/** Both directions of one connection. */
export class Deflate {
  /** The shortest message that is deflated, in bytes. */
  readonly threshold: number;
  /** Names what {@linkcode deflate} makes of a message; `undefined` if it depends on those before. */
  readonly format: string | undefined;
  readonly #zlib: Zlib;
  readonly #deflater: Deflater;
  readonly #keepsWindow: boolean;
  /** The end of what was received. */
  #window: Uint8Array | null = null;

  /** @param parameters What was agreed on. */
  constructor(parameters: DeflateParameters) {
    this.#zlib = zlib();
    this.threshold = parameters.threshold;
    this.#deflater = makeDeflater(parameters);
    this.#keepsWindow = !parameters.receivesWithoutContext;
    const { level, memLevel, sendWindowBits, threshold } = parameters;
    this.format = parameters.sendsWithoutContext
      ? `hybi-deflate-${level}-${memLevel}-${sendWindowBits}-${threshold}`
      : undefined;
  }

  /** Deflates a message, without the tail. */
  deflate(payload: Uint8Array): Uint8Array {
    if (payload.length === 0) return EMPTY_MESSAGE;
    const deflated = this.#deflater.deflate(payload);
    return deflated.subarray(0, deflated.length - TAIL.length);
  }

  /**
   * Inflates a message.
   *
   * @param payload The message without the tail.
   * @param maxMessageSize The most bytes that may come of it.
   * @throws {ProtocolError} 1007 if it is no DEFLATE, 1009 as soon as it is too long.
   */
  inflate(payload: Uint8Array, maxMessageSize: number): Uint8Array {
    let window = this.#window;
    let inflated: Uint8Array = new Uint8Array(0);
    let rest = concat(payload, TAIL);
    // A block marked as the last ends what zlib reads, but not the message (RFC 7692 §7.2.3.4).
    while (rest.length > 0) {
      const { output, taken } = this.#inflateBlocks(rest, window, maxMessageSize - inflated.length);
      rest = rest.subarray(taken);
      if (output.length === 0) continue;
      inflated = inflated.length === 0 ? output : concat(inflated, output);
      if (this.#keepsWindow || rest.length > 0) window = slide(window, output);
    }
    if (this.#keepsWindow) this.#window = window;
    return inflated;
  }

  /** Gives back zlib's memory, and the windows. */
  free(): void {
    this.#deflater.free?.();
    this.#window = null;
  }

  #inflateBlocks(
    input: Uint8Array,
    window: Uint8Array | null,
    maxOutput: number,
  ): { output: Uint8Array; taken: number } {
    // A stored block in front gives the inflater its window: its `dictionary` option would, but not
    // on every runtime.
    const before = window === null ? 0 : window.length;
    const primed = window === null ? input : concat(storedHeader(before), window, input);
    try {
      const { buffer, engine } = this.#zlib.inflateRawSync(primed, {
        finishFlush: this.#zlib.constants.Z_SYNC_FLUSH,
        maxOutputLength: before + Math.max(maxOutput, 1),
        info: true,
      });
      const output = new Uint8Array(
        buffer.buffer,
        buffer.byteOffset + before,
        buffer.length - before,
      );
      if (output.length > maxOutput) throw tooLong();
      return { output, taken: engine.bytesWritten - (primed.length - input.length) };
    } catch (error) {
      if (error instanceof ProtocolError) throw error;
      if ((error as { code?: string }).code === "ERR_BUFFER_TOO_LARGE") throw tooLong();
      throw new ProtocolError(1007, "a compressed message must be DEFLATE (RFC 7692 §7.2.2)");
    }
  }
}

function tooLong(): ProtocolError {
  return new ProtocolError(
    1009,
    "a message must not inflate beyond maxMessageSize (RFC 6455 §7.4.1)",
  );
}

/** The header of a block that is stored as it is, and not the last (RFC 1951 §3.2.4). */
function storedHeader(length: number): Uint8Array {
  return Uint8Array.of(0, length, length >> 8, ~length, ~length >> 8);
}

/** The end of what was there and what came, as far as a window reaches. */
function slide(window: Uint8Array | null, output: Uint8Array): Uint8Array {
  if (output.length >= WINDOW_SIZE) return output.slice(output.length - WINDOW_SIZE);
  if (window === null) return output.slice();
  const kept = window.subarray(Math.max(0, window.length + output.length - WINDOW_SIZE));
  return concat(kept, output);
}
