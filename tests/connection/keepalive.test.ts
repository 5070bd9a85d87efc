import { describe, test } from "node:test";
import { assertEquals } from "@std/assert";
import { Heart } from "../../src/connection/keepalive.ts";

const limits = { pingInterval: 100, pingTimeout: 250, idleTimeout: 0 };

/** Beats at each due time until `end`; tells what the beats asked for. */
function beats(heart: Heart, end: number, each: (now: number) => void = () => {}): string[] {
  const log: string[] = [];
  while (heart.next <= end) {
    const now = heart.next;
    each(now);
    log.push(`${now} ${heart.beat(now, "reading")}`);
    if (log.at(-1)?.endsWith("dead")) break;
  }
  return log;
}

describe("the heartbeat", () => {
  test("pings at its interval, and gives up at the timeout after the first silent ping", () => {
    const log = beats(new Heart(limits, true, 1000), 5000);
    assertEquals(log, ["1100 ping", "1200 ping", "1300 ping", "1350 dead"]);
  });

  test("any byte is life", () => {
    const heart = new Heart(limits, true, 1000);
    const log = beats(heart, 2000, () => heart.alive = true);
    assertEquals(log.filter((line) => !line.endsWith("ping") && !line.endsWith("wait")), []);
    assertEquals(log.filter((line) => line.endsWith("ping")).length, 10);
  });

  test("silence says nothing while we do not read", () => {
    const heart = new Heart(limits, true, 1000);
    for (let now = 1100; now < 3000; now += 50) {
      assertEquals(heart.beat(now, "busy") === "dead", false);
    }
  });

  test("a timeout below the interval", () => {
    const heart = new Heart({ ...limits, pingTimeout: 30 }, true, 1000);
    assertEquals(beats(heart, 5000), ["1100 ping", "1130 dead"]);
  });

  test("a timeout of 0 never gives up", () => {
    const heart = new Heart({ ...limits, pingTimeout: 0 }, true, 1000);
    assertEquals(beats(heart, 1350), ["1100 ping", "1200 ping", "1300 ping"]);
  });

  test("idle: no message for the time, whatever the pongs", () => {
    const heart = new Heart({ ...limits, idleTimeout: 150 }, true, 1000);
    heart.alive = true;
    assertEquals(heart.beat(1100, "reading"), "ping");
    heart.message(1120);
    heart.alive = true;
    assertEquals(heart.beat(1150, "reading"), "wait");
    heart.alive = true;
    assertEquals(heart.beat(1269, "reading"), "ping");
    assertEquals(heart.beat(1270, "reading"), "idle");
  });

  test("only the idle timeout where the version has no ping", () => {
    const heart = new Heart({ ...limits, idleTimeout: 150 }, false, 1000);
    assertEquals(heart.next, 1150);
    assertEquals(heart.beat(1150, "reading"), "idle");
  });

  test("output that is stuck is silence, without a ping behind it", () => {
    const heart = new Heart(limits, true, 1000);
    assertEquals(heart.beat(1100, "stuck", 5000), "wait");
    assertEquals(heart.beat(1200, "stuck", 5000), "wait");
    assertEquals(heart.beat(1349, "stuck", 5000), "wait");
    assertEquals(heart.next, 1350);
    assertEquals(heart.beat(1350, "stuck", 5000), "dead");
  });

  test("each byte that is taken of output that is stuck is life", () => {
    const heart = new Heart(limits, true, 1000);
    for (let now = 1100, taken = 5000; now < 3000; now += 100, taken++) {
      assertEquals(heart.beat(now, "stuck", taken), "wait");
    }
  });

  test("what the system took before output was stuck says nothing", () => {
    const heart = new Heart(limits, true, 1000);
    heart.alive = false;
    assertEquals(heart.beat(1100, "reading", 0), "ping");
    assertEquals(heart.beat(1200, "stuck", 5000), "wait");
    assertEquals(heart.beat(1350, "stuck", 5000), "dead");
  });

  test("stuck output is watched where the version has no ping, as long as it is stuck", () => {
    const heart = new Heart(limits, false, 1000);
    assertEquals(heart.next, Infinity);
    heart.stuck(2000);
    assertEquals(heart.next, 2100);
    assertEquals(heart.beat(2100, "stuck", 0), "wait");
    assertEquals(heart.beat(2200, "reading", 0), "wait");
    assertEquals(heart.next, Infinity);
    heart.stuck(3000);
    assertEquals(heart.beat(3100, "stuck", 0), "wait");
    assertEquals(heart.beat(3350, "stuck", 0), "dead");
  });

  test("the idle timeout goes on while output is stuck, and not while the handler is busy", () => {
    const idle = { ...limits, pingInterval: 0, idleTimeout: 150 };
    assertEquals(new Heart(idle, true, 1000).beat(1150, "stuck", 0), "idle");
    const heart = new Heart(idle, true, 1000);
    assertEquals(heart.beat(1150, "busy"), "wait");
    assertEquals(heart.next, 1300);
  });
});
