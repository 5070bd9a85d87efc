import { assert, assertEquals, assertThrows } from "@std/assert";
import { describe, test } from "node:test";
import nodeZlib from "node:zlib";
import { hasZlib, type Zlib, zlib } from "../../src/protocol/zlib.ts";
import { canBeWorked, hasStreams, ZlibStream } from "../../src/protocol/zlib_stream.ts";
import { bytes, hex } from "./hixie_cases.ts";

const real = nodeZlib as unknown as Zlib;

describe("zlib", () => {
  test("is found by its name, where a runtime has it", () => {
    assert(hasZlib());
    const process = { getBuiltinModule: (name: string) => name === "node:zlib" ? real : undefined };
    assert(hasZlib({ process }));
    assert(zlib({ process }) === real);
    for (const globals of [{}, { process: {} }, { process: { getBuiltinModule: () => {} } }]) {
      assertEquals(hasZlib(globals), false);
      assertThrows(
        () => zlib(globals),
        TypeError,
        "Cannot compress: this runtime has no node:zlib",
      );
    }
  });
});

describe("the streams of zlib", () => {
  test("can be worked synchronously on this runtime", () => {
    assert(hasStreams());
    assert(canBeWorked(real));
  });

  test("are not relied on if they have no handle", () => {
    assertEquals(canBeWorked({ ...real, createDeflateRaw: () => ({}) }), false);
  });

  /** Streams whose handle does something else before each write. */
  function altered(
    kind: "createDeflateRaw" | "createInflateRaw",
    before: (handle: { reset(): void; onerror: unknown }) => void,
  ): Zlib {
    // deno-lint-ignore no-explicit-any -- what is inside of a stream has no type
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

  test("are not relied on if they do not keep their window", () => {
    assertEquals(canBeWorked(altered("createDeflateRaw", () => {})), true);
    assertEquals(canBeWorked(altered("createDeflateRaw", (handle) => handle.reset())), false);
  });

  test("are not relied on if they do not tell of faults", () => {
    const quiet = altered("createInflateRaw", (handle) => handle.onerror = () => {});
    assertEquals(canBeWorked(quiet), false);
  });

  test("go on after a fault, once they are reset", () => {
    const stream = ZlibStream.inflating();
    const output = new Uint8Array(16);
    assertEquals(stream.write(hex("FF"), 0, output), false);
    stream.reset();
    assertEquals(stream.write(hex("F2 48 CD C9 C9 07 00 00 00 FF FF"), 0, output), true);
    assertEquals([stream.room, stream.rest], [11, 0]);
    assertEquals(output.subarray(0, 5), bytes("Hello"));
    stream.free();
  });

  test("tell what is left of the input, and of the output", () => {
    const stream = ZlibStream.inflating();
    const input = hex("F3 48 CD C9 C9 07 00 00 00 00 FF FF");
    const output = new Uint8Array(5);
    assert(stream.write(input, 0, output.subarray(0, 3)));
    assertEquals(stream.room, 0);
    assert(stream.write(input, input.length - stream.rest, output.subarray(3)));
    assert(stream.write(input, input.length - stream.rest, new Uint8Array(9)));
    assertEquals([stream.room, stream.rest], [9, 5]); // behind the last block
    assertEquals(output, bytes("Hello"));
    stream.free();
  });
});
