import { describe, test } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { type Link, type Timed, TimingWheel } from "../../src/timing/timing_wheel.ts";
import { FakeClock } from "../../src/testing/fake_clock.ts";

class Entry implements Timed {
  deadline = 0;
  before: Link | null = null;
  after: Link | null = null;
  expired: number[] = [];
  expire(now: number): void {
    this.expired.push(now);
  }
}

describe("the timing wheel", () => {
  test("expires an entry once, at its deadline or at most one tick later", async () => {
    const clock = new FakeClock();
    const wheel = new TimingWheel(clock);
    for (const delay of [0, 1, 24, 25, 26, 999, 5000, 25_600, 26_000, 60_000, 3_600_000]) {
      const entry = new Entry();
      const due = clock.now() + delay;
      wheel.set(entry, delay);
      await clock.advance(delay + 26);
      assertEquals(entry.expired.length, 1, `delay ${delay}`);
      const at = entry.expired[0] ?? 0;
      assert(at >= due && at <= due + 26, `due ${due}, expired ${at}`);
      assertEquals(entry.deadline, 0);
    }
    assertEquals(clock.pending, 0);
  });

  test("moves and removes entries, and sets no timeout when it is empty", async () => {
    const clock = new FakeClock();
    const wheel = new TimingWheel(clock);
    const [moved, removed, stays] = [new Entry(), new Entry(), new Entry()];
    wheel.set(moved, 100);
    wheel.set(removed, 100);
    wheel.set(stays, 100);
    wheel.set(moved, 300);
    wheel.remove(removed);
    wheel.remove(removed);
    await clock.advance(200);
    assertEquals([moved, removed, stays].map((e) => e.expired.length), [0, 0, 1]);
    await clock.advance(200);
    assertEquals(moved.expired.length, 1);
    assertEquals(clock.pending, 0);
    wheel.set(moved, 50);
    wheel.remove(moved);
    assertEquals(clock.pending, 1);
    await clock.advance(100);
    assertEquals(moved.expired.length, 1);
    assertEquals(clock.pending, 0);
  });

  test("puts an entry in the place of another, with its deadline", async () => {
    const clock = new FakeClock();
    const wheel = new TimingWheel(clock);
    const [first, second, third, by] = [new Entry(), new Entry(), new Entry(), new Entry()];
    // Of one slot, so that the one in the middle has neighbours.
    for (const entry of [first, second, third]) wheel.set(entry, 100);
    const { deadline } = second;
    wheel.replace(second, by);
    assertEquals([second.deadline, second.before, second.after], [0, null, null]);
    assertEquals(by.deadline, deadline);
    wheel.replace(new Entry(), second);
    assertEquals(second.deadline, 0, "one that is not in the wheel has no place to give");
    await clock.advance(200);
    assertEquals([first, second, third, by].map((e) => e.expired.length), [1, 0, 1, 1]);
    assertEquals(clock.pending, 0);
  });

  test("moves its timeout for an earlier entry", async () => {
    const clock = new FakeClock();
    const wheel = new TimingWheel(clock);
    const [late, early] = [new Entry(), new Entry()];
    wheel.set(late, 20_000);
    wheel.set(early, 30);
    assertEquals(clock.pending, 1);
    await clock.advance(60);
    assertEquals([late, early].map((e) => e.expired.length), [0, 1]);
    await clock.advance(20_000);
    assertEquals(late.expired.length, 1);
  });

  test("lets an entry set and remove itself and others while it expires", async () => {
    const clock = new FakeClock();
    const wheel = new TimingWheel(clock);
    const again = new Entry();
    const victim = new Entry();
    again.expire = (now) => {
      again.expired.push(now);
      wheel.remove(victim);
      if (again.expired.length < 3) wheel.set(again, 50);
    };
    wheel.set(victim, 50);
    wheel.set(again, 50);
    await clock.advance(400);
    assertEquals(again.expired.length, 3);
    assertEquals(victim.expired.length, 0);
    assertEquals(clock.pending, 0);
  });

  test("postpones a late timeout, so that pending input is read first", async () => {
    const clock = new FakeClock();
    const wheel = new TimingWheel(clock);
    const entry = new Entry();
    wheel.set(entry, 100);
    clock.sleep(5000);
    // Set behind the wheel's own, as the events of sockets come behind the timers.
    clock.setTimeout(() => wheel.set(entry, 100), 0);
    await clock.advance(50);
    assertEquals(entry.expired, []);
    await clock.advance(200);
    assertEquals(entry.expired.length, 1);
  });

  test("has no timeout without entries after rest()", () => {
    const clock = new FakeClock();
    const wheel = new TimingWheel(clock);
    const entry = new Entry();
    wheel.set(entry, 100);
    wheel.rest();
    assertEquals(clock.pending, 1);
    wheel.remove(entry);
    wheel.rest();
    wheel.rest();
    assertEquals(clock.pending, 0);
  });

  test("uses one timeout for many entries, even after the process slept", async () => {
    const clock = new FakeClock();
    const wheel = new TimingWheel(clock);
    const entries = Array.from({ length: 10_000 }, () => new Entry());
    entries.forEach((entry, i) => wheel.set(entry, i * 7));
    assertEquals(clock.pending, 1);
    // One late call for everything: as after a laptop's sleep.
    clock.sleep(100_000);
    await clock.advance(1);
    assert(entries.every((entry) => entry.expired.length === 1));
    assertEquals(clock.pending, 0);
  });
});
