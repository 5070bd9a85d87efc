import { assertEquals } from "@std/assert";
import { describe, test } from "node:test";
import { Backoff } from "../../src/client/backoff.ts";

describe("a backoff", () => {
  test("doubles its bound up to the longest, for ever", () => {
    const backoff = new Backoff({ initialDelay: 10, maxDelay: 45, random: () => 1 });
    assertEquals(Array.from({ length: 6 }, () => backoff.next()), [10, 20, 40, 45, 45, 45]);
    for (let count = 0; count < 2000; count++) backoff.next();
    assertEquals(backoff.next(), 45);
    backoff.reset();
    assertEquals(backoff.next(), 10);
  });

  test("of 0 stays 0", () => {
    const backoff = new Backoff({ initialDelay: 0, maxDelay: 45, random: () => 0.5 });
    const delays = Array.from({ length: 2000 }, () => backoff.next());
    assertEquals(delays.every((delay) => delay === 0), true);
  });
});
