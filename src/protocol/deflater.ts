/**
 * What deflates the messages of one connection, with or without the window of those before.
 *
 * @module
 */
import type { DeflateParameters } from "./deflate.ts";
import { BY_REFERENCE } from "./output.ts";
import { concat, type Zlib, zlib, type ZlibOptions } from "./zlib.ts";
import { hasStreams, ZlibStream } from "./zlib_stream.ts";

/** Deflates one message after the other. */
export interface Deflater {
  /**
   * A message, flushed so that it ends with `00 00 FF FF` (RFC 7692 §7.2.1). What is too short to go
   * by reference is only valid until the next call.
   */
  deflate(payload: Uint8Array): Uint8Array;
  /** Gives back what zlib holds. */
  free?(): void;
}

/** Memory that all use in turns: less than goes by reference. */
const scratch = new Uint8Array(BY_REFERENCE - 1);

/** Where no window is kept, one for all connections of the same options does. */
const shared: Map<string, StreamDeflater> = new Map();

/**
 * A deflater of what was agreed on.
 *
 * @param streams Whether zlib's streams can be worked; without them no window is kept.
 */
export function makeDeflater(parameters: DeflateParameters, streams = hasStreams()): Deflater {
  const { level, memLevel, sendWindowBits, sendsWithoutContext } = parameters;
  const options = { level, memLevel, windowBits: sendWindowBits };
  if (!streams) return new PlainDeflater(options);
  if (!sendsWithoutContext) return new StreamDeflater(options, true);
  const key = `${level} ${memLevel} ${sendWindowBits}`;
  const deflater = shared.get(key) ?? new StreamDeflater(options, false);
  shared.set(key, deflater);
  return deflater;
}

/** Whether a window can be kept from one message to the next on this runtime. */
export function keepsWindows(): boolean {
  return hasStreams();
}

/** By zlib's public functions: each message starts with an empty window. */
class PlainDeflater implements Deflater {
  readonly #zlib: Zlib = zlib();
  readonly #options: ZlibOptions;

  constructor(options: ZlibOptions) {
    this.#options = { ...options, finishFlush: this.#zlib.constants.Z_SYNC_FLUSH };
  }

  deflate(payload: Uint8Array): Uint8Array {
    return this.#zlib.deflateRawSync(payload, this.#options);
  }
}

/** By a stream, which holds about 260 KiB. */
class StreamDeflater implements Deflater {
  readonly #stream: ZlibStream;
  readonly #keepsWindow: boolean;

  constructor(options: ZlibOptions, keepsWindow: boolean) {
    this.#stream = ZlibStream.deflating(options);
    this.#keepsWindow = keepsWindow;
  }

  deflate(payload: Uint8Array): Uint8Array {
    const stream = this.#stream;
    if (!this.#keepsWindow) stream.reset();
    const parts: Uint8Array[] = [];
    for (let at = 0, output = scratch;;) {
      stream.write(payload, at, output);
      const part = output.subarray(0, output.length - stream.room);
      // With room left, everything is flushed (zlib's manual, deflate()).
      if (stream.room > 0) return parts.length === 0 ? part : concat(...parts, part);
      parts.push(output === scratch ? part.slice() : part);
      at = payload.length - stream.rest;
      output = new Uint8Array(Math.max(scratch.length, payload.length >> 2));
    }
  }

  free(): void {
    if (this.#keepsWindow) this.#stream.free();
  }
}
