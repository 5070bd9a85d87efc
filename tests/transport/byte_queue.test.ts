import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { describe, test } from "node:test";
import { ByteQueue } from "../../src/transport/byte_queue.ts";
import { count } from "../support/counting.ts";
import { Pattern } from "./pattern.ts";

/** Removes and returns everything. */
function takeAll(queue: ByteQueue): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let piece = queue.shift(); piece !== undefined; piece = queue.shift()) pieces.push(piece);
  return pieces;
}

describe("ByteQueue", () => {
  test("is empty at first, and after its last byte", () => {
    const queue = new ByteQueue();
    assertEquals(queue.shift(), undefined);
    queue.push(Uint8Array.of(1), true);
    assertEquals(takeAll(queue), [Uint8Array.of(1)]);
    assertEquals(queue.shift(), undefined);
  });

  test("copies small pieces together", () => {
    const queue = new ByteQueue();
    const pattern = new Pattern();
    for (let i = 0; i < 40; i++) queue.push(pattern.take(100), i % 2 === 0);
    assertEquals(takeAll(queue), [new Pattern().take(4000)]);
  });

  test("does not change a piece that is being sent", () => {
    const queue = new ByteQueue();
    queue.push(Uint8Array.of(1, 2), false);
    const sending = queue.shift();
    queue.push(Uint8Array.of(3), false);
    assertEquals(sending, Uint8Array.of(1, 2));
    assertEquals(takeAll(queue), [Uint8Array.of(3)]);
  });

  test("keeps large stable pieces by reference, in order", () => {
    const queue = new ByteQueue();
    const large = new Uint8Array(10_000).fill(2);
    queue.push(Uint8Array.of(1), true);
    queue.push(large, true);
    queue.push(Uint8Array.of(3), true);
    const pieces = takeAll(queue);
    assertEquals(pieces.map((piece) => piece[0]), [1, 2, 3]);
    assertStrictEquals(pieces[1], large);
  });

  test("copies unstable pieces of any size", () => {
    const queue = new ByteQueue();
    for (const length of [1, 4096, 4097, 100_000]) {
      const bytes = new Uint8Array(length).fill(7);
      queue.push(bytes, false);
      bytes.fill(0);
    }
    const pieces = takeAll(queue);
    assertEquals(pieces.every((piece) => piece.every((byte) => byte === 7)), true);
    assertEquals(pieces.reduce((sum, piece) => sum + piece.length, 0), 1 + 4096 + 4097 + 100_000);
  });

  test("takes back unsent bytes", () => {
    const queue = new ByteQueue();
    queue.push(Uint8Array.of(1, 2, 3), false);
    queue.push(new Uint8Array(5000), true);
    const piece = queue.shift();
    queue.unshift(piece?.subarray(1) ?? new Uint8Array(0));
    queue.push(Uint8Array.of(4), false);
    assertEquals(takeAll(queue).map((piece) => [piece[0], piece.length]), [[2, 2], [0, 5000], [
      4,
      1,
    ]]);
  });

  test("returns at most as many bytes as requested", () => {
    const queue = new ByteQueue();
    const pattern = new Pattern();
    for (const length of [3, 5000, 10]) queue.push(pattern.take(length), false);
    const expected = new Pattern();
    let most = 1;
    for (let piece = queue.shift(most); piece !== undefined; piece = queue.shift(++most)) {
      assert(piece.length <= most);
      assert(expected.check(piece));
    }
    assertEquals([expected.position, queue.size], [5013, 0]);
  });

  test("has the number of its bytes", () => {
    const queue = new ByteQueue();
    for (const length of [0, 1, 4096, 4097, 70_000]) queue.push(new Uint8Array(length), true);
    assertEquals(queue.size, 78_194);
    const piece = queue.shift() ?? new Uint8Array(0);
    assertEquals(queue.size, 78_194 - piece.length);
    queue.unshift(piece.subarray(1));
    assertEquals(queue.size, 78_193);
    takeAll(queue);
    assertEquals(queue.size, 0);
  });

  // Just above half of a small buffer, so two of them do not fit into one buffer.
  for (const length of [1, 7, 100, 2100, 4096, 4097]) {
    test(`takes 1.5 times the memory of pieces of ${length} bytes`, () => {
      const queue = new ByteQueue();
      const piece = new Uint8Array(length);
      let bytes = 0;
      const { buffers } = count(() => {
        for (; bytes < 1_000_000; bytes += length) queue.push(piece, false);
      });
      const memory = buffers.reduce((sum, size) => sum + size, 0);
      assert(memory <= bytes * 1.5 + 4096, `${memory} bytes for ${bytes}`);
      // And few buffers, because each has an overhead besides its bytes.
      assert(buffers.length <= bytes / 4096 + 1, `${buffers.length} buffers`);
    });
  }
});
