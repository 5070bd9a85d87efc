import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { describe, test } from "node:test";
import nodeModule from "node:zlib";
import { hasSyncStreams, nodeZlib, type Zlib, ZlibStream } from "../../src/protocol/zlib.ts";
import { bytes, hex } from "./hixie_cases.ts";

const real = nodeModule as unknown as Zlib;

/** Streams that call another function before each write. */
function altered(
  kind: "createDeflateRaw" | "createInflateRaw",
  before: (handle: { reset(): void; onerror: unknown }) => void,
): Zlib {
  // deno-lint-ignore no-explicit-any -- the internals of a stream have no type
  const create = (options: object): any => {
    // deno-lint-ignore no-explicit-any -- as above
    const stream = real[kind](options) as any;
    const { _handle: handle } = stream;
    const writeSync = handle.writeSync.bind(handle);
    const wrapped = {
      writeSync(...args: unknown[]): void {
        before(handle);
        writeSync(...args);
      },
      reset: () => handle.reset(),
      set onerror(callback: unknown) {
        handle.onerror = callback;
      },
    };
    return { _handle: wrapped, _writeState: stream._writeState, destroy: () => stream.destroy() };
  };
  return { ...real, [kind]: create };
}

/** Streams that do nothing, and the calls of their internals. */
function recorded(): { readonly zlib: Zlib; readonly calls: unknown[][] } {
  const calls: unknown[][] = [];
  const create = () => ({
    _handle: {
      onerror: undefined,
      writeSync: (...args: unknown[]) => calls.push(["write", ...args]),
      reset: () => calls.push(["reset"]),
    },
    _writeState: new Uint32Array(2),
    destroy: () => calls.push(["destroy"]),
  });
  return { zlib: { ...real, createDeflateRaw: create, createInflateRaw: create }, calls };
}

describe("nodeZlib", () => {
  test("finds node:zlib if the runtime has it", () => {
    assertStrictEquals(nodeZlib(), real);
    const process = { getBuiltinModule: (name: string) => name === "node:zlib" ? real : undefined };
    assertStrictEquals(nodeZlib({ process }), real);
    for (const globals of [{}, { process: {} }, { process: { getBuiltinModule: () => {} } }]) {
      assertStrictEquals(nodeZlib(globals), undefined);
    }
  });
});

describe("hasSyncStreams", () => {
  test("is true on this runtime", () => assert(hasSyncStreams(real)));

  test("is false for streams without a handle", () => {
    assertEquals(hasSyncStreams({ ...real, createDeflateRaw: () => ({}) }), false);
  });

  test("is false for streams that do not keep their window", () => {
    assertEquals(hasSyncStreams(altered("createDeflateRaw", () => {})), true);
    assertEquals(hasSyncStreams(altered("createDeflateRaw", (handle) => handle.reset())), false);
  });

  test("is false for streams that do not report faults", () => {
    const quiet = altered("createInflateRaw", (handle) => handle.onerror = () => {});
    assertEquals(hasSyncStreams(quiet), false);
  });

  test("is false for streams that report a fault in a valid message", () => {
    const strict = altered("createInflateRaw", ({ onerror }) => (onerror as () => void)());
    assertEquals(hasSyncStreams(strict), false);
  });

  test("frees its streams", () => {
    const { zlib, calls } = recorded();
    assertEquals(hasSyncStreams(zlib), false);
    assertEquals(calls.filter(([name]) => name === "destroy").length, 2);
  });
});

describe("ZlibStream", () => {
  test("gives zlib the rest of the input, and the whole output", () => {
    const { zlib, calls } = recorded();
    const stream = ZlibStream.inflating(zlib, {});
    const [input, output] = [bytes("Hello"), new Uint8Array(9)];
    stream.write(input, 2, output);
    assertEquals(calls, [["write", zlib.constants.Z_SYNC_FLUSH, input, 2, 3, output, 0, 9]]);
  });

  test("can be used after a fault, once it is reset", () => {
    const stream = ZlibStream.inflating(real, {});
    const output = new Uint8Array(16);
    assertEquals(stream.write(hex("FF"), 0, output), false);
    stream.reset();
    assertEquals(stream.write(hex("F2 48 CD C9 C9 07 00 00 00 FF FF"), 0, output), true);
    assertEquals([stream.free, stream.rest], [11, 0]);
    assertEquals(output.subarray(0, 5), bytes("Hello"));
    stream.destroy();
  });

  test("says how much of the input is left, and of the output", () => {
    const stream = ZlibStream.inflating(real, {});
    const input = hex("F3 48 CD C9 C9 07 00 00 00 00 FF FF");
    const output = new Uint8Array(5);
    assert(stream.write(input, 0, output.subarray(0, 3)));
    assertEquals(stream.free, 0);
    assert(stream.write(input, input.length - stream.rest, output.subarray(3)));
    assert(stream.write(input, input.length - stream.rest, new Uint8Array(9)));
    assertEquals([stream.free, stream.rest], [9, 5]); // after the last block
    assertEquals(output, bytes("Hello"));
    stream.destroy();
  });
});
