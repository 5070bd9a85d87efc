import { assertEquals } from "@std/assert";
import { describe, test } from "node:test";
import { WriteLimiter } from "../../src/transport/write_limiter.ts";

/** Numbered writers. Each records when it begins. */
function scene(): {
  turns: WriteLimiter;
  begun: number[];
  take(first: number, last: number): void;
} {
  const turns = new WriteLimiter();
  const begun: number[] = [];
  const take = (first: number, last: number) => {
    for (let number = first; number <= last; number++) {
      turns.take({ begin: () => begun.push(number) });
    }
  };
  return { turns, begun, take };
}

function numbers(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

describe("the write limiter", () => {
  test("starts 16 writes in order, and another one when one settles", () => {
    const { turns, begun, take } = scene();
    take(1, 40);
    assertEquals(begun, numbers(1, 16));
    turns.settled();
    assertEquals(begun, numbers(1, 17));
    for (let settled = 0; settled < 40; settled++) turns.settled();
    assertEquals(begun, numbers(1, 40));
    take(41, 60);
    assertEquals(begun, numbers(1, 56));
    for (let settled = 0; settled < 20; settled++) turns.settled();
    assertEquals(begun, numbers(1, 60));
  });

  test("does not let peers that do not read block the others", async () => {
    const { begun, take } = scene();
    take(1, 100);
    assertEquals(begun, numbers(1, 16));
    while (begun.length < 100) await new Promise((resolve) => setTimeout(resolve, 1));
    assertEquals(begun, numbers(1, 100));
  });

  test("goes on if a writer has nothing to write any more", () => {
    const { turns, begun, take } = scene();
    take(1, 16);
    turns.take({ begin: () => turns.settled() });
    take(17, 17);
    turns.settled();
    assertEquals(begun, numbers(1, 17));
  });
});
