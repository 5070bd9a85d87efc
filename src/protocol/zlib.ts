/**
 * The part of `node:zlib` that is used; every server runtime has it. It is looked up when a handler
 * turns compression on, not before.
 *
 * @module
 */

/** zlib's options. */
export interface ZlibOptions {
  readonly level?: number;
  readonly memLevel?: number;
  readonly windowBits?: number;
  readonly finishFlush?: number;
  readonly maxOutputLength?: number;
  readonly chunkSize?: number;
}

/** zlib's synchronous functions. */
export interface Zlib {
  readonly constants: { readonly Z_SYNC_FLUSH: number };
  deflateRawSync(input: Uint8Array, options: ZlibOptions): Uint8Array;
  inflateRawSync(
    input: Uint8Array,
    options: ZlibOptions & { readonly info: true },
  ): { readonly buffer: Uint8Array; readonly engine: { readonly bytesWritten: number } };
  createDeflateRaw(options: ZlibOptions): unknown;
  createInflateRaw(options: ZlibOptions): unknown;
}

function find(globals: object): Zlib | undefined {
  const { process } = globals as {
    process?: { getBuiltinModule?: (name: string) => Zlib | undefined };
  };
  return process?.getBuiltinModule?.("node:zlib");
}

/** Whether a runtime has it. @param globals The runtime's; by default of this one. */
export function hasZlib(globals: object = globalThis): boolean {
  return find(globals) !== undefined;
}

/**
 * A runtime's.
 *
 * @param globals The runtime's; by default of this one.
 * @throws {TypeError} If it has none.
 */
export function zlib(globals: object = globalThis): Zlib {
  const found = find(globals);
  if (found !== undefined) return found;
  throw new TypeError("Cannot compress: this runtime has no node:zlib");
}

/** Bytes one after the other. */
export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
