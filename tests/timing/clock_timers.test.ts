import { assert, assertStrictEquals } from "@std/assert";
import { describe, test } from "node:test";
import { FakeClock } from "../../src/testing/fake_clock.ts";
import { systemClock } from "../../src/timing/clock.ts";
import { timersOf } from "../../src/timing/clock_timers.ts";

describe("timers", () => {
  test("are shared by all who have the same clock", () => {
    const [one, other] = [new FakeClock(), new FakeClock()];
    assertStrictEquals(timersOf(one), timersOf(one));
    assert(timersOf(one).turns !== timersOf(other).turns);
    assert(timersOf(one).wheel !== timersOf(other).wheel);
  });

  test("are not those of a clock that was copied or extended", () => {
    const original = { ...systemClock };
    const { turns } = timersOf(original);
    assert(timersOf({ ...original }).turns !== turns);
    assert(timersOf(Object.create(original)).turns !== turns);
    assertStrictEquals(timersOf(original).turns, turns);
  });

  test("go by their clock", async () => {
    const clock = new FakeClock();
    let calls = 0;
    timersOf(clock).wheel.set(
      { deadline: 0, before: null, after: null, expire: () => calls++ },
      50,
    );
    await clock.advance(200);
    assertStrictEquals(calls, 1);
  });

  test("of a frozen clock are not shared", () => {
    const { now, setTimeout, clearTimeout } = systemClock;
    const frozen = Object.freeze({ now, setTimeout, clearTimeout });
    assert(timersOf(frozen).turns !== timersOf(frozen).turns);
  });
});
