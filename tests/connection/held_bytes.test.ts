import { assert, assertEquals } from "@std/assert";
import { describe, test } from "node:test";
import { HeldBytes } from "../../src/connection/held_bytes.ts";
import { count } from "../support/counting.ts";
import { Pattern } from "../transport/pattern.ts";

describe("held bytes", () => {
  test("are copied unless they are owned and take most of their memory", () => {
    const chunk = new Uint8Array(1000);
    const rows: [bytes: Uint8Array, transferred: boolean, same: boolean][] = [
      [chunk, true, true],
      [chunk.subarray(500), true, true],
      [chunk.subarray(501), true, false],
      [chunk, false, false],
    ];
    for (const [bytes, transferred, same] of rows) {
      const held = new HeldBytes();
      held.push(bytes, transferred);
      const taken = held.take();
      assertEquals(taken, bytes);
      assertEquals(taken.buffer === chunk.buffer, same);
      assertEquals([held.length, held.take().length], [0, 0]);
    }
  });

  test("of two connections share no memory", () => {
    const [one, other] = [new HeldBytes(), new HeldBytes()];
    one.push(Uint8Array.of(1), false);
    other.push(Uint8Array.of(2), false);
    assertEquals([one.take(), other.take()], [Uint8Array.of(1), Uint8Array.of(2)]);
  });

  for (const length of [1, 10, 1000]) {
    test(`in chunks of ${length} bytes are copied a few times, into 1.5 times their memory`, () => {
      const held = new HeldBytes();
      const pattern = new Pattern();
      let bytes = 0;
      const { buffers, copies } = count(() => {
        for (; bytes < 40_000; bytes += length) held.push(pattern.take(length), false);
      });
      // The bytes of the pattern itself are copied once.
      const copied = copies.reduce((sum, size) => sum + size, 0) - bytes;
      assert(copied <= bytes * 4, `${copied} bytes were copied`);
      assert(Math.max(...buffers) <= bytes * 1.5, `${Math.max(...buffers)} bytes`);
      const taken = held.take();
      assertEquals(taken.length, bytes);
      assert(new Pattern().check(taken));
      held.push(Uint8Array.of(7), false);
      assertEquals(held.take(), Uint8Array.of(7));
    });
  }
});
