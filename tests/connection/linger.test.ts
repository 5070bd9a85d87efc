import { assertEquals, assertStrictEquals } from "@std/assert";
import { describe, test } from "node:test";
import { Linger, type LingerOptions } from "../../src/connection/linger.ts";
import { FakeClock } from "../../src/testing/fake_clock.ts";
import { TimingWheel } from "../../src/timing/timing_wheel.ts";
import { RecordedTransport } from "./recorded_transport.ts";

function start(options: Partial<LingerOptions> = {}, waiting = 0) {
  const transport = new RecordedTransport();
  transport.bufferedAmount = waiting;
  const clock = new FakeClock();
  const owner = { gone: () => void transport.calls.push("gone") };
  const wheel = new TimingWheel(clock);
  const linger = new Linger(transport, { wheel, timeout: 1000, owner, ...options });
  assertStrictEquals(transport.events, linger);
  return { transport, clock, linger };
}

/** Longer than the timeout, including the tick of the wheel. */
const LIMIT = 3000;

describe("a lingering socket", () => {
  test("sends FIN first, unless the peer must", () => {
    assertEquals(start().transport.take(), ["end"]);
    assertEquals(start({ peerEndsFirst: false }).transport.take(), ["end"]);
    assertEquals(start({ peerEndsFirst: true }).transport.take(), []);
  });

  test("answers the peer's FIN", () => {
    for (
      const [destroys, call] of [[undefined, "end"], [false, "end"], [true, "destroy"]] as const
    ) {
      const options = { peerEndsFirst: true, ...(destroys === undefined ? {} : { destroys }) };
      const { transport, linger } = start(options);
      linger.data();
      linger.drain();
      assertEquals(transport.take(), []);
      linger.end();
      assertEquals(transport.take(), [call]);
    }
  });

  test("stops its timer when it is closed", async () => {
    const { transport, clock, linger } = start();
    linger.closed();
    await clock.advance(LIMIT);
    assertEquals(transport.take(), ["end", "gone"]);
    assertEquals(clock.pending, 0);
  });

  test("is destroyed after the timeout", async () => {
    const { transport, clock } = start();
    await clock.advance(500);
    assertEquals(transport.take(), ["end"]);
    await clock.advance(LIMIT);
    assertEquals(transport.take(), ["destroy"]);
  });

  test("has no timeout if it is 0", async () => {
    const { transport, clock } = start({ timeout: 0 });
    assertEquals(clock.pending, 0);
    await clock.advance(1_000_000);
    assertEquals(transport.take(), ["end"]);
  });

  test("gets more time while the peer reads output", () => {
    const { transport, linger } = start({ timeout: 0 }, 100);
    transport.take();
    const rows: [number, string[]][] = [[99, []], [98, []], [98, ["destroy"]]];
    for (const [waiting, calls] of rows) {
      transport.bufferedAmount = waiting;
      linger.expire();
      assertEquals(transport.take(), calls);
    }
    // Neither an empty nor a growing output is progress.
    for (const waiting of [0, 101]) {
      const other = start({ timeout: 0 }, 100);
      other.transport.take();
      other.transport.bufferedAmount = waiting;
      other.linger.expire();
      assertEquals(other.transport.take(), ["destroy"]);
    }
  });

  test("gets the same time again", async () => {
    const { transport, clock } = start({ timeout: 1000 }, 100);
    transport.take();
    transport.bufferedAmount = 50;
    await clock.advance(1500);
    assertEquals(transport.take(), []);
    await clock.advance(LIMIT);
    assertEquals(transport.take(), ["destroy"]);
  });
});
