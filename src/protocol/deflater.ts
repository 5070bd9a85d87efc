/**
 * What deflates the messages of one connection, with or without the window of those before.
 *
 * @module
 */
import type { DeflateParameters } from "./deflate.ts";
import { concat, type Zlib, zlib, type ZlibOptions } from "./zlib.ts";

/** Deflates one message after the other. */
export interface Deflater {
  /** A message, flushed so that it ends with `00 00 FF FF` (RFC 7692 §7.2.1). */
  deflate(payload: Uint8Array): Uint8Array;
  /** Gives back what zlib holds. */
  free?(): void;
}

/** A deflater of what was agreed on. */
export function makeDeflater(parameters: DeflateParameters): Deflater {
  const { level, memLevel, sendWindowBits, sendsWithoutContext } = parameters;
  const options = { level, memLevel, windowBits: sendWindowBits };
  if (sendsWithoutContext) return new PlainDeflater(options);
  return hasDictionaries() ? new DictionaryDeflater(options) : new HandleDeflater(options);
}

/** Whether a window can be kept from one message to the next on this runtime. */
export function keepsWindows(): boolean {
  return hasDictionaries() || hasHandles();
}

/** Starts anew for each message. */
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

/** Gives zlib the end of what was sent as its dictionary: 32 KiB a connection at the most. */
class DictionaryDeflater implements Deflater {
  readonly #zlib: Zlib = zlib();
  readonly #options: ZlibOptions;
  readonly #windowSize: number;
  #window: Uint8Array = new Uint8Array(0);

  constructor(options: ZlibOptions & { readonly windowBits: number }) {
    this.#options = { ...options, finishFlush: this.#zlib.constants.Z_SYNC_FLUSH };
    this.#windowSize = 1 << options.windowBits;
  }

  deflate(payload: Uint8Array): Uint8Array {
    const window = this.#window;
    const deflated = this.#zlib.deflateRawSync(
      payload,
      window.length === 0 ? this.#options : { ...this.#options, dictionary: window },
    );
    const room = Math.max(0, this.#windowSize - payload.length);
    this.#window = concat(
      window.subarray(Math.max(0, window.length - room)),
      payload.subarray(Math.max(0, payload.length - this.#windowSize)),
    );
    return deflated;
  }
}

/** What zlib's streams work with, on all three runtimes; not documented. */
interface Handle {
  writeSync(
    flush: number,
    input: Uint8Array,
    inputAt: number,
    inputSize: number,
    output: Uint8Array,
    outputAt: number,
    outputSize: number,
  ): void;
}

/** A stream of zlib's, seen from inside. */
interface Stream {
  readonly _handle: Handle;
  /** After `writeSync`: the room that is left in the output, and the input that is. */
  readonly _writeState: Uint32Array;
  destroy(): void;
}

/**
 * Keeps a stream of zlib's and works its handle synchronously: for Deno, whose zlib ignores the
 * `dictionary` of a raw stream. About 260 KiB a connection, freed with it.
 */
class HandleDeflater implements Deflater {
  readonly #stream: Stream;
  readonly #flush: number;

  constructor(options: ZlibOptions) {
    const { createDeflateRaw, constants } = zlib();
    this.#stream = createDeflateRaw(options) as Stream;
    this.#flush = constants.Z_SYNC_FLUSH;
  }

  deflate(payload: Uint8Array): Uint8Array {
    const parts: Uint8Array[] = [];
    let at = 0;
    for (;;) {
      // What deflates to more than it was needs five bytes for each 16 KiB (RFC 1951 §3.2.4).
      const output = new Uint8Array(payload.length - at + (payload.length >> 10) + 64);
      const left = payload.length - at;
      this.#stream._handle.writeSync(this.#flush, payload, at, left, output, 0, output.length);
      const [room = 0, remaining = 0] = this.#stream._writeState;
      parts.push(output.subarray(0, output.length - room));
      at = payload.length - remaining;
      // With room left, everything is flushed (zlib's manual, deflate()).
      if (room > 0) {
        return parts.length === 1 ? output.subarray(0, output.length - room) : concat(...parts);
      }
    }
  }

  free(): void {
    this.#stream.destroy();
  }
}

let dictionaries: boolean | undefined;
let handles: boolean | undefined;

/** Two messages that are alike, of which the second is short only with a window. */
const PROBE = Uint8Array.from({ length: 64 }, (_, i) => i * 37 % 251);

function hasDictionaries(): boolean {
  return dictionaries ??= isShortened(DictionaryDeflater);
}

function hasHandles(): boolean {
  return handles ??= isShortened(HandleDeflater);
}

function isShortened(
  Deflater: new (options: ZlibOptions & { windowBits: number }) => Deflater,
): boolean {
  try {
    const deflater = new Deflater({ level: 6, memLevel: 8, windowBits: 15 });
    return deflater.deflate(PROBE).length > 2 * deflater.deflate(PROBE).length;
  } catch {
    // It is not there, or not what it was: each message is deflated alone then.
    return false;
  }
}
