import { assertEquals, assertThrows } from "@std/assert";
import { describe, test } from "node:test";
import { Backlog } from "../../src/pubsub/brokers/backlog.ts";

/**
 * The steps (a sent message, or acknowledged bytes), and whether the broker is slow after each.
 */
type Step = readonly [act: "send" | "confirm", size: number, taken: boolean, isSlow: boolean];

const cases: Readonly<Record<string, readonly Step[]>> = {
  "takes what fits exactly, and no byte more": [
    ["send", 60, true, false],
    ["send", 40, true, false],
    ["send", 1, false, true],
  ],
  "takes one message of any size if nothing waits": [
    ["send", 500, true, false],
    ["send", 1, false, true],
  ],
  "drops all until no more than half waits": [
    ["send", 100, true, false],
    ["send", 1, false, true],
    ["confirm", 49, true, true],
    ["send", 1, false, true],
    ["confirm", 1, true, false],
    ["send", 50, true, false],
    ["send", 1, false, true],
  ],
  "is quick again when all is lost": [
    ["send", 100, true, false],
    ["send", 100, false, true],
    ["confirm", 100, true, false],
  ],
};

describe("the backlog of a broker", () => {
  for (const [name, steps] of Object.entries(cases)) {
    test(name, () => {
      const told: boolean[] = [];
      const backlog: Backlog = new Backlog(100, () => told.push(backlog.isSlow));
      const seen = steps.map(([act, size]): Step => {
        const taken = act === "confirm" || backlog.admits(size);
        if (act === "confirm") backlog.remove(size);
        else if (taken) backlog.add(size);
        return [act, size, taken, backlog.isSlow];
      });
      assertEquals(seen, steps);
      // Each change is reported once.
      assertEquals(told, told.map((_, index) => index % 2 === 0));
    });
  }

  test("has a limit: a positive integer or Infinity", () => {
    const message =
      "Cannot use maxBufferedAmount: must be a positive integer, or Infinity for no limit";
    for (const limit of [0, -1, 1.5, NaN]) {
      assertThrows(() => new Backlog(limit, () => {}), RangeError, `${message}, got ${limit}`);
    }
    assertThrows(() => new Backlog("1" as unknown as number, () => {}), TypeError, message);
    const endless = new Backlog(Infinity, () => {});
    endless.add(2 ** 50);
    assertEquals(endless.admits(2 ** 50), true);
  });
});
