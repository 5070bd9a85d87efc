/**
 * A synchronous stream of `node:zlib`: a call returns the output, and the next call has the window.
 *
 * The public API cannot do both. The `write` of a stream is asynchronous. `deflateRawSync` does not keep
 * the window, and is slow if it gets the window as a `dictionary`. For 1 KiB of text, in µs:
 *
 * |                            | Bun | Node | Deno |
 * | -------------------------- | --- | ---- | ---- |
 * | with a window, stream      | 3   | 10   | 5    |
 * | with a `dictionary`        | 145 | 354  | 218  |
 * | without a window, stream   | 15  | 23   | 17   |
 * | `deflateRawSync`           | 36  | 34   | 24   |
 *
 * So this uses the internal handle of a stream, as zlib's own synchronous functions do. It is the same
 * on Deno, Bun and Node, but not documented. {@linkcode hasSyncStreams} tests it. If it does not work,
 * messages are not compressed (RFC 7692 §5 lets each end decide).
 *
 * @module
 */
import { builtinModule } from "../transport/builtin_module.ts";

/** The options of zlib that are used. */
export interface ZlibOptions {
  readonly level?: number;
  readonly memLevel?: number;
  readonly windowBits?: number;
  readonly chunkSize?: number;
}

/** The part of `node:zlib` that is used. */
export interface Zlib {
  readonly constants: { readonly Z_SYNC_FLUSH: number };
  createDeflateRaw(options: ZlibOptions): unknown;
  createInflateRaw(options: ZlibOptions): unknown;
}

/** Returns `node:zlib`; `undefined` if the runtime does not have it. */
export function nodeZlib(globals: object = globalThis): Zlib | undefined {
  return builtinModule<Zlib>("node:zlib", globals);
}

/** The internal handle of a stream. */
interface Handle {
  /** Called by `writeSync`, which does not throw. */
  onerror: (message: string, code: number) => void;
  writeSync(
    flush: number,
    input: Uint8Array,
    inputAt: number,
    inputSize: number,
    output: Uint8Array,
    outputAt: number,
    outputSize: number,
  ): void;
  /** Empties the window. */
  reset(): void;
}

/** The parts of a stream that are used. */
interface Stream {
  readonly _handle: Handle;
  /** After `writeSync`: the number of free bytes of the output, and of unread bytes of the input. */
  readonly _writeState: Uint32Array;
  destroy(): void;
}

/** A stream has a buffer that is not used here. This is the smallest size that zlib allows. */
const NO_BUFFER = { chunkSize: 64 };

/** A stream that compresses or decompresses. Each write is flushed. */
export class ZlibStream {
  /** How many bytes of the last output are free. */
  free = 0;
  /** How many bytes of the last input were not read. */
  rest = 0;
  readonly #stream: Stream;
  readonly #flush: number;
  #failed = false;

  private constructor(stream: unknown, { constants }: Zlib) {
    this.#stream = stream as Stream;
    this.#stream._handle.onerror = () => this.#failed = true;
    this.#flush = constants.Z_SYNC_FLUSH;
  }

  /** Makes a stream that compresses. */
  static deflating(zlib: Zlib, options: ZlibOptions): ZlibStream {
    return new ZlibStream(zlib.createDeflateRaw({ ...options, ...NO_BUFFER }), zlib);
  }

  /** Makes a stream that decompresses. */
  static inflating(zlib: Zlib, options: ZlibOptions): ZlibStream {
    return new ZlibStream(zlib.createInflateRaw({ ...options, ...NO_BUFFER }), zlib);
  }

  /**
   * Processes the input from `at` on until its end, or until the output is full. Sets {@linkcode free}
   * and {@linkcode rest}.
   *
   * @returns Whether the input is valid.
   */
  write(input: Uint8Array, at: number, output: Uint8Array): boolean {
    const { _handle, _writeState } = this.#stream;
    _handle.writeSync(this.#flush, input, at, input.length - at, output, 0, output.length);
    // By index: to destructure a typed array takes an iterator.
    this.free = _writeState[0] as number;
    this.rest = _writeState[1] as number;
    return !this.#failed;
  }

  /** Empties the window, and clears an error. */
  reset(): void {
    this.#stream._handle.reset();
    this.#failed = false;
  }

  /** Frees the memory of zlib. */
  destroy(): void {
    this.#stream.destroy();
  }
}

/** Incompressible unless already in the window. */
const INCOMPRESSIBLE = Uint8Array.from({ length: 64 }, (_, i) => i * 37 % 251);

/** Tests whether synchronous streams work: with a message, with the same again, and with an error. */
export function hasSyncStreams(zlib: Zlib): boolean {
  try {
    const [deflating, inflating] = [ZlibStream.deflating(zlib, {}), ZlibStream.inflating(zlib, {})];
    const deflate = (): Uint8Array => {
      const output = new Uint8Array(2 * INCOMPRESSIBLE.length);
      deflating.write(INCOMPRESSIBLE, 0, output);
      return output.subarray(0, output.length - deflating.free);
    };
    const [first, again] = [deflate(), deflate()];
    deflating.reset();
    const [fresh, output] = [deflate(), new Uint8Array(INCOMPRESSIBLE.length + 1)];
    const isValid = inflating.write(first, 0, output) && inflating.rest === 0;
    // There is no block of type 3.
    const isRefused = !inflating.write(Uint8Array.of(0xff), 0, new Uint8Array(1));
    for (const stream of [deflating, inflating]) stream.destroy();
    return again.length * 2 < first.length && fresh.length === first.length &&
      isValid && isRefused && INCOMPRESSIBLE.every((byte, i) => byte === output[i]);
  } catch {
    return false;
  }
}
