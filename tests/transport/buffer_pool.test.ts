import { assertEquals, assertNotEquals, assertStrictEquals } from "@std/assert";
import { describe, test } from "node:test";
import { BufferPool } from "../../src/transport/buffer_pool.ts";

describe("BufferPool", () => {
  test("lends buffers of one size that do not overlap", () => {
    const pool = new BufferPool(8, 4, 10);
    const buffers = Array.from({ length: 9 }, () => pool.take());
    buffers.forEach((buffer, i) => buffer.fill(i));
    buffers.forEach((buffer, i) => assertEquals(buffer, new Uint8Array(8).fill(i)));
    assertEquals(pool.lent, 9);
  });

  test("makes perSlab buffers of one allocation", () => {
    const pool = new BufferPool(8, 2, 10);
    const [first, second, third] = [pool.take(), pool.take(), pool.take()];
    assertStrictEquals(first.buffer, second.buffer);
    assertNotEquals(first.buffer === third.buffer, true);
  });

  test("lends a returned buffer again", () => {
    const pool = new BufferPool(8, 1, 10);
    const buffer = pool.take();
    pool.give(buffer);
    assertEquals(pool.lent, 0);
    assertStrictEquals(pool.take(), buffer);
  });

  test("keeps at most maxFree buffers", () => {
    const pool = new BufferPool(8, 1, 1);
    const [first, second] = [pool.take(), pool.take()];
    pool.give(first);
    pool.give(second);
    assertStrictEquals(pool.take(), first);
    assertEquals(pool.take() === second, false);
  });
});
