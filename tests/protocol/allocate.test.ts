import { assertEquals, assertStrictEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import { describe, test } from "node:test";
import { allocator } from "../../src/protocol/allocate.ts";
import { nodeBuffer } from "../../src/protocol/text_codec.ts";
import { chopped } from "./hixie_receive.ts";
import { begin, binary, continuation, pattern, text } from "./hybi_frames.ts";
import { receiveAll, server } from "./hybi_receive.ts";

const implementations = {
  "node:buffer": allocator(nodeBuffer()),
  "the engine's": allocator(undefined),
  "a node:buffer without the function": allocator({ Buffer: {} }),
};

for (const [name, allocate] of Object.entries(implementations)) {
  test(`memory by ${name} is a Uint8Array with a buffer of its own`, () => {
    for (const size of [0, 1, 4096, 4097, 1_000_000]) {
      const bytes = allocate(size);
      assertStrictEquals(Object.getPrototypeOf(bytes), Uint8Array.prototype);
      assertEquals([bytes.length, bytes.byteOffset, bytes.buffer.byteLength], [size, 0, size]);
    }
  });
}

describe("a message does not show what its memory held before", () => {
  const { allocUnsafeSlow } = Buffer;
  let made = 0;

  /** Runs a function with new memory filled with 0xEE. */
  function withDirtyMemory(run: () => void): void {
    made = 0;
    Buffer.allocUnsafeSlow = (size) => {
      made++;
      return allocUnsafeSlow(size).fill(0xee);
    };
    try {
      run();
    } finally {
      Buffer.allocUnsafeSlow = allocUnsafeSlow;
    }
  }

  for (const size of [5000, 70_000, 1_500_000]) {
    for (const piece of [1000, 65_536, 10_000_000]) {
      test(`of ${size} bytes, ${piece} at a time`, () => {
        const payload = pattern(size);
        const ascii = "x".repeat(size);
        withDirtyMemory(() => {
          const half = size >> 1;
          const inputs = [
            binary(payload),
            begin(payload.subarray(0, half), 2),
            continuation(payload.subarray(half), true),
            text(ascii),
          ];
          const pieces = inputs.flatMap((input) => [...chopped(input, piece)]);
          const { events } = receiveAll(server(), pieces, false);
          assertEquals(events, [["binary", payload], ["binary", payload], ["text", ascii]]);
        });
        assertEquals(made > 0, true);
      });
    }
  }
});
