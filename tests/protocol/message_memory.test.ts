import { assertEquals, assertStrictEquals } from "@std/assert";
import { describe, test } from "node:test";
import { keepable, MessageMemory } from "../../src/protocol/message_memory.ts";

const KIB = 1024;
const MIB = 1024 * KIB;

/** The sizes of two messages, one after the other, and whether the second gets the memory of the first. */
const rows: readonly (readonly [first: number, second: number, isUsedAgain: boolean])[] = [
  [0, 0, false],
  [511, 511, false],
  [512, 512, true],
  [513, 1024, true],
  [513, 512, false],
  [16 * KIB, 16 * KIB, true],
  [16 * KIB, 8 * KIB + 1, true],
  [16 * KIB, 8 * KIB, false],
  [16 * KIB, 16 * KIB + 1, false],
  [MIB, MIB, true],
  [MIB + 1, MIB + 1, false],
];

describe("the memory of borrowed messages", () => {
  for (const [first, second, isUsedAgain] of rows) {
    test(`of ${first} bytes is${isUsedAgain ? "" : " not"} used for ${second} bytes`, () => {
      const memory = new MessageMemory(false);
      const before = memory.take(first);
      memory.give(before);
      const after = memory.take(second);
      assertEquals([before.length, after.length], [first, second]);
      assertEquals(after.buffer === before.buffer, isUsedAgain);
      assertEquals(memory.take(second).buffer === after.buffer, false);
    });
  }

  test("is at most twice as large as the message", () => {
    const memory = new MessageMemory(false);
    for (let size = 500; size < 3 * MIB; size = Math.ceil(size * 1.1)) {
      const { buffer } = memory.take(size);
      assertEquals(buffer.byteLength >= size && buffer.byteLength < 2 * size, true, `${size}`);
    }
  });

  test("is kept up to 4 MiB", () => {
    const memory = new MessageMemory(false);
    const lent = Array.from({ length: 6 }, () => memory.take(MIB));
    for (const message of lent) memory.give(message);
    const again = lent.map(() => memory.take(MIB).buffer);
    assertEquals(lent.filter(({ buffer }) => again.includes(buffer)).length, 4);
  });

  test("is not kept beyond 4 MiB, however small", () => {
    const memory = new MessageMemory(false);
    const lent = Array.from({ length: 4 }, () => memory.take(MIB));
    const small = memory.take(512);
    for (const message of [...lent, small]) memory.give(message);
    assertEquals(memory.take(512).buffer === small.buffer, false);
  });

  for (const [size, isLent] of [[2000, true], [MIB, true], [MIB + 1, false]] as const) {
    test(`that grows to ${size} bytes is${isLent ? "" : " not"} used again`, () => {
      const memory = new MessageMemory(false);
      const bytes = memory.take(600);
      const { buffer } = bytes;
      const larger = memory.grow(bytes, 600, size);
      memory.give(larger);
      assertEquals(memory.take(size).buffer === larger.buffer, isLent);
      assertEquals(memory.take(600).buffer === buffer, isLent);
      assertEquals(buffer.byteLength === 0, !isLent, "moved");
    });
  }

  test("is overwritten after it has grown if it is poisoned", () => {
    const memory = new MessageMemory(true);
    const larger = memory.grow(memory.take(600), 600, 2 * MIB);
    memory.give(larger);
    assertEquals(larger.every((byte) => byte === 0xdb), true);
  });

  test("is not used again if a handler has transferred it", () => {
    const memory = new MessageMemory(false);
    const message = memory.take(KIB);
    message.buffer.transfer();
    memory.give(message);
    assertEquals(memory.take(KIB).fill(1).length, KIB);
  });

  test("is no other memory", () => {
    const memory = new MessageMemory(false);
    const own = new Uint8Array(KIB);
    memory.give(own);
    assertEquals(memory.take(KIB).buffer === own.buffer, false);
  });

  for (const poisons of [false, true]) {
    test(`grows, ${poisons ? "" : "not "}poisoned`, () => {
      const memory = new MessageMemory(poisons);
      for (
        const [from, to] of [[10, 600], [600, 2000], [600, 2 * MIB], [2 * MIB, 3 * MIB]] as const
      ) {
        const bytes = memory.take(from).fill(7);
        const larger = memory.grow(bytes, from, to);
        assertEquals(larger.length, to);
        assertEquals(
          larger.subarray(0, from).every((byte) => byte === 7),
          true,
          `${from} to ${to}`,
        );
      }
    });
  }

  test("is overwritten and not used again if it is poisoned, whatever its size", () => {
    const memory = new MessageMemory(true);
    for (const size of [1, 512, 16 * KIB, 2 * MIB]) {
      const message = memory.take(size).fill(1);
      memory.give(message);
      assertEquals(message.every((byte) => byte === 0xdb), true);
      assertEquals(memory.take(size).buffer === message.buffer, false);
    }
  });

  test("is copied by whoever keeps it", () => {
    const memory = new MessageMemory(false);
    const borrowed = memory.take(KIB).fill(1);
    const part = borrowed.subarray(1, 3);
    const copy = keepable(part);
    memory.give(borrowed.fill(2));
    assertEquals(copy, Uint8Array.of(1, 1));
    const own = Uint8Array.of(1);
    assertStrictEquals(keepable(own), own);
  });
});
