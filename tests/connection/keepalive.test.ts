import { describe, test } from "node:test";
import { assertEquals } from "@std/assert";
import { Keepalive } from "../../src/connection/keepalive.ts";

const limits = { pingInterval: 100, pingTimeout: 250, idleTimeout: 0 };

/** Ticks at each due time until `end`, and returns the actions. */
function ticks(
  keepalive: Keepalive,
  end: number,
  each: (now: number) => void = () => {},
): string[] {
  const log: string[] = [];
  while (keepalive.next <= end) {
    const now = keepalive.next;
    each(now);
    log.push(`${now} ${keepalive.tick(now, "reading")}`);
    if (log.at(-1)?.endsWith("dead")) break;
  }
  return log;
}

describe("the keepalive", () => {
  test("pings at its interval, and is dead pingTimeout after the first unanswered ping", () => {
    const log = ticks(new Keepalive(limits, true, 1000), 5000);
    assertEquals(log, ["1100 ping", "1200 ping", "1300 ping", "1350 dead"]);
  });

  test("counts any received byte as an answer", () => {
    const keepalive = new Keepalive(limits, true, 1000);
    const log = ticks(keepalive, 2000, () => keepalive.sawTraffic = true);
    assertEquals(log.filter((line) => !line.endsWith("ping") && !line.endsWith("wait")), []);
    assertEquals(log.filter((line) => line.endsWith("ping")).length, 10);
  });

  test("ignores silence while the handler is busy", () => {
    const keepalive = new Keepalive(limits, true, 1000);
    for (let now = 1100; now < 3000; now += 50) {
      assertEquals(keepalive.tick(now, "busy") === "dead", false);
    }
  });

  test("may have a pingTimeout below the pingInterval", () => {
    const keepalive = new Keepalive({ ...limits, pingTimeout: 30 }, true, 1000);
    assertEquals(ticks(keepalive, 5000), ["1100 ping", "1130 dead"]);
  });

  test("is never dead with a pingTimeout of 0", () => {
    const keepalive = new Keepalive({ ...limits, pingTimeout: 0 }, true, 1000);
    assertEquals(ticks(keepalive, 1350), ["1100 ping", "1200 ping", "1300 ping"]);
  });

  test("is idle after idleTimeout without a message, even with pongs", () => {
    const keepalive = new Keepalive({ ...limits, idleTimeout: 150 }, true, 1000);
    keepalive.sawTraffic = true;
    assertEquals(keepalive.tick(1100, "reading"), "ping");
    keepalive.message(1120);
    keepalive.sawTraffic = true;
    assertEquals(keepalive.tick(1150, "reading"), "wait");
    keepalive.sawTraffic = true;
    assertEquals(keepalive.tick(1269, "reading"), "ping");
    assertEquals(keepalive.tick(1270, "reading"), "idle");
  });

  test("has only the idle timeout in versions without pings", () => {
    const keepalive = new Keepalive({ ...limits, idleTimeout: 150 }, false, 1000);
    assertEquals(keepalive.next, 1150);
    assertEquals(keepalive.tick(1150, "reading"), "idle");
  });

  test("may have times of a millisecond", () => {
    const off = { pingInterval: 0, pingTimeout: 0, idleTimeout: 0 };
    assertEquals(new Keepalive(off, true, 1000).next, Infinity);
    const idle = new Keepalive({ ...off, idleTimeout: 1 }, true, 1000);
    assertEquals([idle.next, idle.tick(1001, "reading")], [1001, "idle"]);
    const pinging = new Keepalive({ ...off, pingInterval: 10, pingTimeout: 1 }, true, 1000);
    assertEquals(ticks(pinging, 2000), ["1010 ping", "1011 dead"]);
    const quick = new Keepalive({ ...off, pingInterval: 1 }, true, 1000);
    assertEquals(ticks(quick, 1002), ["1001 ping", "1002 ping"]);
    for (
      const [key, pings, needed] of [
        ["pingInterval", true, true],
        ["pingInterval", false, false],
        ["pingTimeout", true, false],
        ["idleTimeout", true, true],
        ["idleTimeout", false, true],
      ] as const
    ) {
      assertEquals(Keepalive.needed({ ...off, [key]: 1 }, pings), needed, `${key} ${pings}`);
    }
  });

  test("is dead while output stalls, without sending pings", () => {
    const keepalive = new Keepalive(limits, true, 1000);
    assertEquals(keepalive.tick(1100, "stalled", 5000), "wait");
    assertEquals(keepalive.tick(1200, "stalled", 5000), "wait");
    assertEquals(keepalive.tick(1349, "stalled", 5000), "wait");
    assertEquals(keepalive.next, 1350);
    assertEquals(keepalive.tick(1350, "stalled", 5000), "dead");
  });

  test("counts each flushed byte of stalled output as an answer", () => {
    const keepalive = new Keepalive(limits, true, 1000);
    for (let now = 1100, flushed = 5000; now < 3000; now += 100, flushed++) {
      assertEquals(keepalive.tick(now, "stalled", flushed), "wait");
    }
  });

  test("counts the end of a congestion as an answer, unless the system was only asynchronous", () => {
    for (const [duration, action] of [[99, "dead"], [100, "wait"]] as const) {
      const keepalive = new Keepalive(limits, true, 1000);
      keepalive.sawTraffic = false;
      assertEquals(keepalive.tick(1100, "reading"), "ping");
      keepalive.outputCongested(1200);
      keepalive.outputDrained(1200 + duration);
      assertEquals(keepalive.tick(1350, "reading"), action === "wait" ? "ping" : "dead");
    }
  });

  test("pings after a congestion during which a ping was due, and counts from that ping", () => {
    const keepalive = new Keepalive({ ...limits, pingTimeout: 30 }, true, 1000);
    keepalive.outputCongested(1099);
    assertEquals(keepalive.tick(1100, "stalled", 0), "wait");
    assertEquals([keepalive.outputDrained(1120), keepalive.outputDrained(1121)], [true, false]);
    assertEquals(keepalive.tick(1130, "reading"), "wait");
    assertEquals(keepalive.tick(1149, "reading"), "wait");
    assertEquals(keepalive.tick(1150, "reading"), "dead");
  });

  test("counts from an earlier ping if that was sent, whatever was due since", () => {
    const keepalive = new Keepalive(limits, true, 1000);
    keepalive.sawTraffic = false;
    assertEquals(keepalive.tick(1100, "reading"), "ping");
    keepalive.outputCongested(1199);
    assertEquals(keepalive.tick(1200, "stalled", 0), "wait");
    assertEquals(keepalive.outputDrained(1210), true);
    assertEquals(keepalive.tick(1349, "reading"), "ping");
    assertEquals(keepalive.tick(1350, "reading"), "dead");
  });

  test("needs no ping after a congestion in versions without pings", () => {
    const keepalive = new Keepalive(limits, false, 1000);
    keepalive.outputStalled(1000);
    assertEquals(keepalive.tick(1100, "stalled", 0), "wait");
    assertEquals(keepalive.outputDrained(1110), false);
  });

  test("ignores bytes flushed before the output stalled", () => {
    const keepalive = new Keepalive(limits, true, 1000);
    keepalive.sawTraffic = false;
    assertEquals(keepalive.tick(1100, "reading", 0), "ping");
    assertEquals(keepalive.tick(1200, "stalled", 5000), "wait");
    assertEquals(keepalive.tick(1350, "stalled", 5000), "dead");
  });

  test("watches stalled output in versions without pings, as long as it stalls", () => {
    const keepalive = new Keepalive(limits, false, 1000);
    assertEquals(keepalive.next, Infinity);
    keepalive.outputStalled(2000);
    assertEquals(keepalive.next, 2100);
    assertEquals(keepalive.tick(2100, "stalled", 0), "wait");
    assertEquals(keepalive.tick(2200, "reading", 0), "wait");
    assertEquals(keepalive.next, Infinity);
    keepalive.outputStalled(3000);
    assertEquals(keepalive.tick(3100, "stalled", 0), "wait");
    assertEquals(keepalive.tick(3350, "stalled", 0), "dead");
  });

  test("does not start again when output stalls that is already watched", () => {
    const keepalive = new Keepalive(limits, false, 1000);
    keepalive.outputStalled(2000);
    keepalive.outputStalled(2050);
    assertEquals(keepalive.next, 2100);
    const pinging = new Keepalive(limits, true, 1000);
    pinging.outputStalled(1050);
    assertEquals(pinging.next, 1100);
  });

  test("counts the idle timeout while output stalls, but not while input is not read", () => {
    const idle = { ...limits, pingInterval: 0, idleTimeout: 150 };
    assertEquals(new Keepalive(idle, true, 1000).tick(1150, "stalled", 0), "idle");
    for (const flow of ["busy", "resumed"] as const) {
      const keepalive = new Keepalive(idle, true, 1000);
      assertEquals(keepalive.tick(1150, flow), "wait");
      assertEquals(keepalive.next, 1300);
      assertEquals(keepalive.tick(1300, "reading"), "idle");
    }
  });
});
