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
  readonly dictionary?: Uint8Array;
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
}

let found: Zlib | undefined;

/** Whether this runtime has it. */
export function hasZlib(): boolean {
  const { process } = globalThis as unknown as {
    process?: { getBuiltinModule?: (name: string) => Zlib | undefined };
  };
  found ??= process?.getBuiltinModule?.("node:zlib");
  return found !== undefined;
}

/** This runtime's. @throws {TypeError} If it has none. */
export function zlib(): Zlib {
  if (!hasZlib() || found === undefined) {
    throw new TypeError("Cannot compress: this runtime has no node:zlib");
  }
  return found;
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
