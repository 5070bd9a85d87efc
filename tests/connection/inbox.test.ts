import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { describe, test } from "node:test";
import { Inbox, PeerClose } from "../../src/connection/inbox.ts";
import { count } from "../support/counting.ts";
import { Pattern } from "../transport/pattern.ts";

describe("events that wait", () => {
  test("come out in order, and count for what they take", () => {
    const inbox = new Inbox();
    const rows = [
      ["", 64],
      ["abc", 67],
      [new Uint8Array(0), 320],
      [new Uint8Array(100), 420],
      [new PeerClose(1000, "bye"), 64],
      [new Error("broken"), 64],
    ] as const;
    let size = 0;
    for (const [event, counted] of rows) {
      inbox.push(event);
      size += counted;
      assertEquals([inbox.size, inbox.length > 0], [size, true]);
    }
    for (const [event, counted] of rows) {
      assertStrictEquals(inbox.shift(), event);
      size -= counted;
      assertEquals(inbox.size, size);
    }
    assertEquals([inbox.shift(), inbox.length, inbox.size], [undefined, 0, 0]);
  });

  test("are dropped, and the bytes behind them stay", () => {
    const inbox = new Inbox();
    inbox.push("message");
    inbox.hold(Uint8Array.of(1), false);
    inbox.dropEvents();
    assertEquals([inbox.shift(), inbox.length, inbox.size], [undefined, 0, 0]);
    assertEquals(inbox.release(), Uint8Array.of(1));
  });

  test("are 100,000, and few of them are moved", () => {
    const inbox = new Inbox();
    let moved = 0;
    const { splice } = Array.prototype;
    Array.prototype.splice = function (this: unknown[], ...range: [number, number]) {
      moved += this.length - range[1];
      return splice.apply(this, range);
    };
    try {
      for (let i = 0; i < 100_000; i++) inbox.push(`${i}`);
      for (let i = 0; i < 100_000; i++) {
        if (inbox.shift() !== `${i}`) throw new Error(`Out of order at ${i}`);
      }
    } finally {
      Array.prototype.splice = splice;
    }
    assert(moved <= 100_000, `${moved}`);
  });
});

describe("bytes that are held", () => {
  test("are copied unless they may be kept and are most of their memory", () => {
    const chunk = new Uint8Array(1000);
    const rows: [bytes: Uint8Array, transferred: boolean, same: boolean][] = [
      [chunk, true, true],
      [chunk.subarray(500), true, true],
      [chunk.subarray(501), true, false],
      [chunk, false, false],
    ];
    for (const [bytes, transferred, same] of rows) {
      const inbox = new Inbox();
      inbox.hold(bytes, transferred);
      const held = inbox.release();
      assertEquals([held === bytes, held?.length], [same, bytes.length]);
      assertEquals(held?.buffer === chunk.buffer, same);
      assertEquals([inbox.held, inbox.release()], [null, null]);
    }
  });

  for (const length of [1, 10, 1000]) {
    test(`in chunks of ${length} bytes are copied a few times, into 1.5 times their memory`, () => {
      const inbox = new Inbox();
      const pattern = new Pattern();
      let bytes = 0;
      const { buffers, copies } = count(() => {
        for (; bytes < 100_000; bytes += length) inbox.hold(pattern.take(length), false);
      });
      // The pattern's own are as many as the bytes, each once.
      const copied = copies.reduce((sum, size) => sum + size, 0) - bytes;
      assert(copied <= bytes * 4, `${copied} bytes were copied`);
      assert(Math.max(...buffers) <= bytes * 1.5, `${Math.max(...buffers)} bytes`);
      const held = inbox.release();
      assertEquals(held?.length, bytes);
      assert(new Pattern().check(held ?? new Uint8Array(0)));
      inbox.hold(Uint8Array.of(7), false);
      assertEquals(inbox.release(), Uint8Array.of(7));
    });
  }
});
