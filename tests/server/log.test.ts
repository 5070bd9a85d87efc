import { describe, test } from "node:test";
import { assertEquals } from "@std/assert";
import { LimitedLog, LOG_INTERVAL } from "../../src/server/log.ts";
import { FakeClock } from "../../src/testing/fake_clock.ts";

function setUp() {
  const clock = new FakeClock();
  const lines: string[] = [];
  const log = new LimitedLog((message, error) => {
    lines.push(error === undefined ? message : `${message} ${(error as Error).message}`);
  }, clock);
  return { clock, lines, log };
}

describe("the rate-limited log", () => {
  test("writes the first line at once, with its error", () => {
    const { lines, log } = setUp();
    log.write("origin", "refused", new Error("because"));
    assertEquals(lines, ["refused because"]);
  });

  test("writes one line per interval, with the number of those suppressed before it", async () => {
    const { clock, lines, log } = setUp();
    for (let round = 0; round < 3; round++) {
      // 0, 1 and 2 more lines after the first.
      for (let more = 0; more <= round; more++) log.write("origin", `round ${round}`);
      await clock.advance(LOG_INTERVAL - 1);
      assertEquals(lines.length, round + 1);
      await clock.advance(1);
    }
    log.write("origin", "round 3");
    assertEquals(lines, [
      "round 0",
      "round 1",
      "round 2 (1 similar line suppressed)",
      "round 3 (2 similar lines suppressed)",
    ]);
  });

  test("starts again after a silence, and sets no timer", async () => {
    const { clock, lines, log } = setUp();
    log.write("origin", "first");
    await clock.advance(LOG_INTERVAL * 10);
    log.write("origin", "second");
    assertEquals(lines, ["first", "second"]);
    assertEquals(clock.pending, 0);
  });
});
