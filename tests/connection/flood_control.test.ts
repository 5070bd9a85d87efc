import { assertEquals } from "@std/assert";
import { describe, test } from "node:test";
import { FloodControl, type FloodLimits } from "../../src/connection/flood_control.ts";
import { FakeClock } from "../../src/testing/fake_clock.ts";
import { TimingWheel } from "../../src/timing/timing_wheel.ts";

/** One control, and what it has told. */
class Watched {
  readonly clock = new FakeClock();
  readonly told: string[] = [];
  readonly flood: FloodControl;

  constructor(limits: Partial<FloodLimits>) {
    const { clock, told } = this;
    const all = { messageRate: undefined, byteRate: undefined, ...limits };
    this.flood = new FloodControl(all, new TimingWheel(clock), {
      throttled: () => void told.push("throttled"),
      resumed: () => void told.push("resumed"),
      refused: ({ code, message }) => void told.push(`refused ${code} ${message}`),
    });
  }

  /** What was told since the last call, and whether nothing may be parsed. */
  look(): [told: string[], isBlocked: boolean] {
    return [this.told.splice(0), this.flood.isBlocked];
  }
}

describe("a rate that waits", () => {
  test("stops after the last token, and resumes with the next one", async () => {
    const { flood, clock, ...watched } = new Watched({ messageRate: { perSecond: 10, burst: 2 } });
    const look = () => [watched.told.splice(0), flood.isBlocked];
    assertEquals([flood.message(), ...look()], [true, [], false]);
    assertEquals([flood.message(), ...look()], [true, ["throttled"], true]);
    await clock.advance(99);
    assertEquals(look(), [[], true]);
    await clock.advance(26);
    assertEquals([...look(), clock.pending], [["resumed"], false, 0]);
    assertEquals([flood.message(), ...look()], [true, ["throttled"], true]);
  });

  test("waits until a large amount is paid for, and tells it once", async () => {
    const watched = new Watched({ byteRate: { perSecond: 100, burst: 50 } });
    const { flood, clock } = watched;
    assertEquals([flood.bytes(49), watched.look()], [true, [[], false]]);
    assertEquals([flood.bytes(151), watched.look()], [true, [["throttled"], true]]);
    await clock.advance(1000);
    assertEquals([flood.bytes(50), watched.look()], [true, [[], true]]);
    await clock.advance(1000);
    assertEquals(watched.look(), [[], true]);
    await clock.advance(50);
    assertEquals(watched.look(), [["resumed"], false]);
  });

  test("is the slower one of two", async () => {
    const watched = new Watched({
      messageRate: { perSecond: 1, burst: 1 },
      byteRate: { perSecond: 10, burst: 10, action: "wait" },
    });
    const { flood, clock } = watched;
    flood.message();
    flood.bytes(30);
    assertEquals(watched.look(), [["throttled"], true]);
    await clock.advance(2050);
    assertEquals(watched.look(), [[], true]);
    await clock.advance(100);
    assertEquals(watched.look(), [["resumed"], false]);
  });

  test("leaves no timer when it stops", async () => {
    const watched = new Watched({ messageRate: { perSecond: 1, burst: 1 } });
    watched.flood.message();
    watched.flood.stop();
    await watched.clock.advance(5000);
    assertEquals(watched.look(), [["throttled"], true]);
  });

  test("does not limit what has no rate", () => {
    const messages = new Watched({ messageRate: { perSecond: 1, burst: 1 } });
    assertEquals([messages.flood.bytes(1e9), messages.look()], [true, [[], false]]);
    const bytes = new Watched({ byteRate: { perSecond: 1, burst: 1 } });
    assertEquals([bytes.flood.message(), bytes.flood.message()], [true, true]);
    assertEquals(bytes.look(), [[], false]);
  });
});

describe("a rate that closes", () => {
  const action = "close";

  test("refuses what exceeds it, and nothing before", async () => {
    const watched = new Watched({ messageRate: { perSecond: 10, burst: 2, action } });
    const { flood, clock } = watched;
    assertEquals([flood.message(), flood.message(), watched.look()], [true, true, [[], false]]);
    await clock.advance(100);
    assertEquals([flood.message(), watched.look()], [true, [[], false]]);
    await clock.advance(99);
    assertEquals([flood.message(), watched.look()], [false, [
      ["refused 1008 messages must not exceed messageRate (10 per second, 2 at once)"],
      false,
    ]]);
    assertEquals(clock.pending, 0);
  });

  test("may be that of bytes alone: the other one waits", async () => {
    const watched = new Watched({
      messageRate: { perSecond: 100, burst: 1 },
      byteRate: { perSecond: 0.5, burst: 10, action },
    });
    const { flood, clock } = watched;
    assertEquals([flood.bytes(10), flood.message(), watched.look()], [true, true, [
      ["throttled"],
      true,
    ]]);
    // The empty bucket of bytes does not delay it.
    await clock.advance(50);
    assertEquals(watched.look(), [["resumed"], false]);
    assertEquals([flood.bytes(1), watched.look()], [false, [
      ["refused 1008 bytes must not exceed byteRate (0.5 per second, 10 at once)"],
      false,
    ]]);
  });
});
