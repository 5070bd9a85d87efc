import { assertEquals } from "@std/assert";
import { describe, test } from "node:test";
import { Fifo } from "../../src/transport/fifo.ts";

describe("a queue", () => {
  test("returns the items in order, then undefined", () => {
    const fifo = new Fifo<number>();
    assertEquals([fifo.length, fifo.shift()], [0, undefined]);
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < 5000; i++) fifo.push(i);
      for (let i = 0; i < 5000; i++) {
        assertEquals(fifo.length, 5000 - i);
        assertEquals(fifo.shift(), i);
      }
      assertEquals([fifo.length, fifo.shift()], [0, undefined]);
    }
  });

  test("adds items at the beginning", () => {
    const fifo = new Fifo<string>();
    fifo.unshift("b");
    fifo.unshift("a");
    fifo.push("c");
    assertEquals(fifo.shift(), "a");
    fifo.unshift("A");
    assertEquals([fifo.shift(), fifo.shift(), fifo.shift(), fifo.shift()], [
      "A",
      "b",
      "c",
      undefined,
    ]);
  });

  test("that is never empty moves few items, and does not grow", () => {
    const fifo = new Fifo<number>();
    let moved = 0;
    let longest = 0;
    const { splice } = Array.prototype;
    Array.prototype.splice = function (this: unknown[], ...range: [number, number]) {
      moved += this.length - range[1];
      longest = Math.max(longest, this.length);
      return splice.apply(this, range);
    };
    try {
      for (let i = 0; i < 3000; i++) fifo.push(i);
      for (let i = 0; i < 100_000; i++) {
        fifo.push(3000 + i);
        if (fifo.shift() !== i) throw new Error(`Out of order at ${i}`);
      }
    } finally {
      Array.prototype.splice = splice;
    }
    assertEquals([moved <= 100_000, longest < 10_000], [true, true], `${moved}, ${longest}`);
  });
});
