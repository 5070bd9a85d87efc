import { assertEquals } from "@std/assert";
import { describe, test } from "node:test";
import { LineQueue } from "../../src/cli/line_queue.ts";

describe("the lines of the input", () => {
  test("pause it while many wait, and come in order", async () => {
    const calls: string[] = [];
    const queue = new LineQueue({
      pause: () => calls.push("pause"),
      resume: () => calls.push("resume"),
    });
    const lines = Array.from({ length: 40 }, (_, index) => String(index));
    for (const line of lines.slice(0, 15)) queue.push(line);
    assertEquals(calls, []);
    // Some more come after a pause.
    for (const line of lines.slice(15, 20)) queue.push(line);
    assertEquals(calls, ["pause"]);

    const taken: string[] = [];
    const taking = (async () => {
      for await (const line of queue) taken.push(line);
    })();
    while (taken.length < 20) await Promise.resolve();
    await new Promise((resolve) => setTimeout(resolve, 0));
    assertEquals([taken, calls], [lines.slice(0, 20), ["pause", "resume"]]);
    for (const line of lines.slice(20)) queue.push(line);
    queue.end();
    await taking;
    // After the end there is nothing to resume.
    assertEquals([taken, calls], [lines, ["pause", "resume", "pause"]]);
  });

  test("may end while somebody waits for one", async () => {
    const queue = new LineQueue({ pause: () => {}, resume: () => {} });
    const next = queue[Symbol.asyncIterator]().next();
    queue.end();
    assertEquals((await next).done, true);
  });
});
