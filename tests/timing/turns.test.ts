import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { describe, test } from "node:test";
import { FakeClock } from "../../src/testing/fake_clock.ts";
import { type Clock, systemClock } from "../../src/timing/clock.ts";
import { DONE, Turns } from "../../src/timing/turns.ts";

/** A count of turns whose event loop turns when the test says so. */
function held(): { clock: FakeClock; turns: Turns } {
  const clock = new FakeClock();
  clock.holdTurns();
  return { clock, turns: new Turns(clock) };
}

describe("turns", () => {
  for (const beyond of [0, 1]) {
    test(`${beyond === 0 ? "are not waited for at" : "are waited for beyond"} the budget`, async () => {
      const { clock, turns } = held();
      turns.add(5000);
      turns.add(5000 + beyond);
      const wait = turns.wait(10_000);
      assertEquals(wait === DONE, beyond === 0);
      assertEquals(await clock.turn(), beyond);
      await wait;
    });
  }

  test("are one for all who wait, and each of them has its own budget", async () => {
    const { clock, turns } = held();
    turns.add(10_000);
    const first = turns.wait(5000);
    assertStrictEquals(turns.wait(9999), first);
    assertStrictEquals(turns.wait(10_000), DONE);
    assertEquals(await clock.turn(), 1);
    assertStrictEquals(turns.wait(5000), DONE);
    turns.add(10_000);
    assert(turns.wait(5000) !== first);
    assertEquals(await clock.turn(), 1);
  });

  test("count each write as 1 KiB at least", () => {
    const { turns } = held();
    for (let i = 0; i < 10; i++) turns.add(1);
    assertStrictEquals(turns.wait(10 * 1024), DONE);
    turns.add(0);
    assert(turns.wait(10 * 1024) !== DONE);
  });

  test("are timeouts where a clock has no turns of its own", () => {
    const calls: [() => void, number][] = [];
    const clock: Clock = {
      now: () => 0,
      setTimeout: (callback, delay) => calls.push([callback, delay]),
      clearTimeout: () => {},
    };
    const turns = new Turns(clock);
    turns.add(2000);
    turns.wait(1000);
    assertEquals(calls.map(([, delay]) => delay), [0]);
    calls[0]?.[0]();
    assertStrictEquals(turns.wait(1000), DONE);
  });

  test("of the system let timers run", async () => {
    const turns = new Turns(systemClock);
    let isDue = false;
    setTimeout(() => isDue = true, 0);
    for (let turn = 0; !isDue; turn++) {
      turns.add(2000);
      await turns.wait(1000);
      assert(turn < 1_000_000, "the loop does not turn");
    }
  });
});
