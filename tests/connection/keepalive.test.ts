import { describe, test } from "node:test";
import { assertEquals } from "@std/assert";
import { Keepalive } from "../../src/connection/keepalive.ts";

const limits = { pingInterval: 100, pingTimeout: 250, idleTimeout: 0 };

/** Beats at each due time until `end`; tells what the beats asked for. */
function beats(
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

describe("the heartbeat", () => {
  test("pings at its interval, and gives up at the timeout after the first silent ping", () => {
    const log = beats(new Keepalive(limits, true, 1000), 5000);
    assertEquals(log, ["1100 ping", "1200 ping", "1300 ping", "1350 dead"]);
  });

  test("any byte is life", () => {
    const keepalive = new Keepalive(limits, true, 1000);
    const log = beats(keepalive, 2000, () => keepalive.sawTraffic = true);
    assertEquals(log.filter((line) => !line.endsWith("ping") && !line.endsWith("wait")), []);
    assertEquals(log.filter((line) => line.endsWith("ping")).length, 10);
  });

  test("silence says nothing while we do not read", () => {
    const keepalive = new Keepalive(limits, true, 1000);
    for (let now = 1100; now < 3000; now += 50) {
      assertEquals(keepalive.tick(now, "busy") === "dead", false);
    }
  });

  test("a timeout below the interval", () => {
    const keepalive = new Keepalive({ ...limits, pingTimeout: 30 }, true, 1000);
    assertEquals(beats(keepalive, 5000), ["1100 ping", "1130 dead"]);
  });

  test("a timeout of 0 never gives up", () => {
    const keepalive = new Keepalive({ ...limits, pingTimeout: 0 }, true, 1000);
    assertEquals(beats(keepalive, 1350), ["1100 ping", "1200 ping", "1300 ping"]);
  });

  test("idle: no message for the time, whatever the pongs", () => {
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

  test("only the idle timeout where the version has no ping", () => {
    const keepalive = new Keepalive({ ...limits, idleTimeout: 150 }, false, 1000);
    assertEquals(keepalive.next, 1150);
    assertEquals(keepalive.tick(1150, "reading"), "idle");
  });

  test("output that is stuck is silence, without a ping behind it", () => {
    const keepalive = new Keepalive(limits, true, 1000);
    assertEquals(keepalive.tick(1100, "stalled", 5000), "wait");
    assertEquals(keepalive.tick(1200, "stalled", 5000), "wait");
    assertEquals(keepalive.tick(1349, "stalled", 5000), "wait");
    assertEquals(keepalive.next, 1350);
    assertEquals(keepalive.tick(1350, "stalled", 5000), "dead");
  });

  test("each byte that is taken of output that is stuck is life", () => {
    const keepalive = new Keepalive(limits, true, 1000);
    for (let now = 1100, taken = 5000; now < 3000; now += 100, taken++) {
      assertEquals(keepalive.tick(now, "stalled", taken), "wait");
    }
  });

  test("what the system took before output was stuck says nothing", () => {
    const keepalive = new Keepalive(limits, true, 1000);
    keepalive.sawTraffic = false;
    assertEquals(keepalive.tick(1100, "reading", 0), "ping");
    assertEquals(keepalive.tick(1200, "stalled", 5000), "wait");
    assertEquals(keepalive.tick(1350, "stalled", 5000), "dead");
  });

  test("stuck output is watched where the version has no ping, as long as it is stuck", () => {
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

  test("the idle timeout goes on while output is stuck, and not while the handler is busy", () => {
    const idle = { ...limits, pingInterval: 0, idleTimeout: 150 };
    assertEquals(new Keepalive(idle, true, 1000).tick(1150, "stalled", 0), "idle");
    const keepalive = new Keepalive(idle, true, 1000);
    assertEquals(keepalive.tick(1150, "busy"), "wait");
    assertEquals(keepalive.next, 1300);
  });
});
