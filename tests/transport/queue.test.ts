import { assertEquals, assertStrictEquals } from "@std/assert";
import { describe, test } from "node:test";
import { OutputQueue } from "../../src/transport/queue.ts";
import { Pattern } from "./pattern.ts";

/** Takes everything out. */
function takeAll(queue: OutputQueue): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let piece = queue.shift(); piece !== undefined; piece = queue.shift()) pieces.push(piece);
  return pieces;
}

describe("OutputQueue", () => {
  test("is empty at first, and again", () => {
    const queue = new OutputQueue();
    assertEquals(queue.shift(), undefined);
    queue.push(Uint8Array.of(1), true);
    assertEquals(takeAll(queue), [Uint8Array.of(1)]);
    assertEquals(queue.shift(), undefined);
  });

  test("copies small pieces together", () => {
    const queue = new OutputQueue();
    const pattern = new Pattern();
    for (let i = 0; i < 40; i++) queue.push(pattern.take(100), i % 2 === 0);
    assertEquals(takeAll(queue), [new Pattern().take(4000)]);
  });

  test("goes on behind a piece that is being sent, without touching it", () => {
    const queue = new OutputQueue();
    queue.push(Uint8Array.of(1, 2), false);
    const sending = queue.shift();
    queue.push(Uint8Array.of(3), false);
    assertEquals(sending, Uint8Array.of(1, 2));
    assertEquals(takeAll(queue), [Uint8Array.of(3)]);
  });

  test("keeps large stable pieces by reference, in order", () => {
    const queue = new OutputQueue();
    const large = new Uint8Array(10_000).fill(2);
    queue.push(Uint8Array.of(1), true);
    queue.push(large, true);
    queue.push(Uint8Array.of(3), true);
    const pieces = takeAll(queue);
    assertEquals(pieces.map((piece) => piece[0]), [1, 2, 3]);
    assertStrictEquals(pieces[1], large);
  });

  test("copies unstable pieces of any size", () => {
    const queue = new OutputQueue();
    for (const length of [1, 4096, 4097, 100_000]) {
      const bytes = new Uint8Array(length).fill(7);
      queue.push(bytes, false);
      bytes.fill(0);
    }
    const pieces = takeAll(queue);
    assertEquals(pieces.every((piece) => piece.every((byte) => byte === 7)), true);
    assertEquals(pieces.reduce((sum, piece) => sum + piece.length, 0), 1 + 4096 + 4097 + 100_000);
  });

  test("takes back what was not sent", () => {
    const queue = new OutputQueue();
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
});
