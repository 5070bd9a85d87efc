/**
 * Work that the sockets of a listener defer.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { describe, test } from "node:test";
import { setImmediate } from "node:timers";
import { DeferredWork } from "../../src/transport/deferred_work.ts";

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

describe("deferred work", () => {
  test("starts in its order, and microtasks run after 32 of it", async () => {
    const work = new DeferredWork();
    const log: string[] = [];
    const numbers = Array.from({ length: 33 }, (_, i) => i);
    for (const i of numbers) {
      work.add({
        start() {
          log.push(`start ${i}`);
          queueMicrotask(() => log.push(`end ${i}`));
        },
      });
    }
    await undefined;
    assertEquals(log, []);
    await nextTurn();
    const of = (group: number[]) => [
      ...group.map((i) => `start ${i}`),
      ...group.map((i) => `end ${i}`),
    ];
    assertEquals(log, [...of(numbers.slice(0, 32)), ...of([32])]);
  });

  test("starts in a later turn if other work adds it", async () => {
    const work = new DeferredWork();
    const log: string[] = [];
    work.add({
      start() {
        work.add({ start: () => void log.push("second") });
        log.push("first");
      },
    });
    await nextTurn();
    assertEquals(log, ["first"]);
    await nextTurn();
    assertEquals(log, ["first", "second"]);
  });
});
