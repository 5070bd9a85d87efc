import { assertEquals } from "@std/assert";
import { describe, test } from "node:test";
import { FakeClock } from "../../src/testing/mod.ts";

describe("the fake clock", () => {
  test("calls timers in the order of their time, and those with the same time in the order of their setting", async () => {
    const clock = new FakeClock();
    const log: string[] = [];
    const note = (name: string) => () => void log.push(`${name} ${clock.now() - start}`);
    const start = clock.now();
    clock.setTimeout(note("c"), 20);
    clock.setTimeout(note("a"), 10);
    clock.setTimeout(note("b"), 10);
    clock.clearTimeout(clock.setTimeout(note("never"), 15));
    clock.setTimeout(note("late"), 31);
    await clock.advance(30);
    assertEquals(log, ["a 10", "b 10", "c 20"]);
    assertEquals([clock.now() - start, clock.pending], [30, 1]);
  });

  test("calls timers that are set by timers, and settles promises between them", async () => {
    const clock = new FakeClock();
    const log: string[] = [];
    clock.setTimeout(() => {
      log.push("first");
      clock.setTimeout(() => log.push("second"), 10);
      Promise.resolve().then(() => log.push("between"));
    }, 10);
    await clock.advance(100);
    assertEquals(log, ["first", "between", "second"]);
  });

  test("sleeps: timers are called late", async () => {
    const clock = new FakeClock();
    const start = clock.now();
    const at: number[] = [];
    clock.setTimeout(() => at.push(clock.now() - start), 10);
    clock.sleep(500);
    assertEquals(at, []);
    await clock.advance(0);
    assertEquals(at, [500]);
  });
});
