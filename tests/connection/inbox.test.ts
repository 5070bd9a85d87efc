import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { describe, test } from "node:test";
import { Inbox, PeerClose, PeerPing } from "../../src/connection/inbox.ts";

describe("the inbox", () => {
  test("returns events in order, and counts their size", () => {
    const inbox = new Inbox();
    const rows = [
      ["", 64],
      ["abc", 67],
      [new Uint8Array(0), 320],
      [new Uint8Array(100), 420],
      [new PeerPing(new Uint8Array(5)), 325],
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

  test("can be cleared", () => {
    const inbox = new Inbox();
    inbox.push("message");
    inbox.clear();
    assertEquals([inbox.shift(), inbox.length, inbox.size], [undefined, 0, 0]);
  });

  test("holds 100,000 events, and moves few of them", () => {
    const inbox = new Inbox();
    let [moved, splices] = [0, 0];
    const { splice } = Array.prototype;
    Array.prototype.splice = function (this: unknown[], ...range: [number, number]) {
      moved += this.length - range[1];
      splices++;
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
    // The places of events that were taken are given up, while others wait.
    assert(splices > 0 && splices < 20, `${splices}`);
  });
});
