/**
 * Compresses messages with DEFLATE, with or without the window of earlier messages.
 *
 * @module
 */
import { type Zlib, type ZlibOptions, ZlibStream } from "./zlib.ts";

/** The options of a {@linkcode Deflater}. */
export interface DeflaterOptions {
  readonly zlib: Zlib;
  readonly options: ZlibOptions;
  /** Whether the window is kept from one message to the next. */
  readonly keepsWindow: boolean;
  /** A buffer for output. Short messages are returned as views of it. */
  readonly scratch: Uint8Array;
}

/** Compresses messages, one after the other. Its stream holds about 260 KiB. */
export class Deflater {
  readonly #stream: ZlibStream;
  readonly #keepsWindow: boolean;
  readonly #scratch: Uint8Array;

  /** @param options See {@linkcode DeflaterOptions}. */
  constructor({ zlib, options, keepsWindow, scratch }: DeflaterOptions) {
    this.#stream = ZlibStream.deflating(zlib, options);
    this.#keepsWindow = keepsWindow;
    this.#scratch = scratch;
  }

  /**
   * Compresses a message and flushes it, so that it ends with `00 00 FF FF` (RFC 7692 §7.2.1).
   *
   * @returns The compressed message. If it fits into `scratch`, it is a view of it.
   */
  deflate(payload: Uint8Array): Uint8Array {
    if (!this.#keepsWindow) this.#stream.reset();
    return this.deflatePiece(payload);
  }

  /** Compresses the next piece of a message. Returns the same as {@linkcode deflate}. */
  deflatePiece(payload: Uint8Array): Uint8Array {
    const stream = this.#stream;
    const scratch = this.#scratch;
    const parts: Uint8Array[] = [];
    for (let at = 0, output = scratch;;) {
      stream.write(payload, at, output);
      const part = output.subarray(0, output.length - stream.free);
      // Unused output space means that everything is flushed (zlib's manual, deflate()).
      if (stream.free > 0) return parts.length === 0 ? part : concat(...parts, part);
      parts.push(part);
      at = payload.length - stream.rest;
      output = new Uint8Array(Math.max(scratch.length, payload.length >> 2));
    }
  }

  /** Frees the memory of zlib, unless other connections share this deflater. */
  free(): void {
    if (this.#keepsWindow) this.#stream.destroy();
  }
}

/** Joins arrays of bytes. */
function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
