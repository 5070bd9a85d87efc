import { assertStrictEquals } from "@std/assert";
import { describe, test } from "node:test";
import { giveSpare, SMALLEST_SPARE, takeSpare } from "../../src/protocol/spare_memory.ts";

const KIB = 1024;
const MIB = 1024 * KIB;

/** The sizes of the spare buffers, the requested size, and the buffer that is used. */
const rows: readonly (readonly [given: readonly number[], asked: number, taken?: number])[] = [
  [[], 16 * KIB],
  [[16 * KIB - 1], 16 * KIB - 1],
  [[16 * KIB], 16 * KIB, 0],
  [[16 * KIB], 16 * KIB - 1],
  [[16 * KIB], 16 * KIB + 1],
  [[MIB], 16 * KIB, 0],
  [[MIB], MIB, 0],
  [[MIB + 1], 16 * KIB],
  [[16 * KIB, MIB + 1], 16 * KIB, 0],
  [[32 * KIB, 64 * KIB], 16 * KIB, 1],
  [[64 * KIB, 32 * KIB], 16 * KIB, 0],
  [[64 * KIB, 64 * KIB], 64 * KIB, 0],
];

describe("spare memory", () => {
  for (const [given, asked, taken] of rows) {
    test(`of ${given.join(" and ") || "no"} bytes, ${asked} asked for`, () => {
      while (takeSpare(SMALLEST_SPARE) !== null);
      const memories = given.map((size) => new Uint8Array(size));
      for (const memory of memories) giveSpare(memory);
      assertStrictEquals(takeSpare(asked), taken === undefined ? null : memories[taken]);
      // Nobody else gets this buffer.
      if (taken !== undefined) assertStrictEquals(takeSpare(SMALLEST_SPARE), null);
    });
  }
});
