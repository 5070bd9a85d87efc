import { assertEquals } from "@std/assert";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { describe, test } from "node:test";
import { root, type Runtime, runtimePath, runtimes } from "../support/runtime.ts";
import { FILES_VARIABLE, LOG_VARIABLE } from "./batch_events.ts";
import { parseJUnit } from "./junit.ts";
import { run } from "./process.ts";
import { batchCommand } from "./runtimes.ts";

/** Tests whose errors nobody catches. */
const SOURCE = `
import { describe, test } from "node:test";
test("passes", () => {});
test("throws in a timer", () => new Promise((resolve) => setTimeout(resolve, 20, setTimeout(() => {
  throw new Error("no");
}, 1))));
test("leaves a rejection", () => void Promise.reject(new Error("no")));
describe("after them", () => test("passes too", () => {}));
`;

/** Runs a file of tests in a batch, and returns its results. */
async function resultsOn(runtime: Runtime, source: string): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), "waterspout-batch-"));
  try {
    const [file, report] = [join(folder, "some.test.ts"), join(folder, "report.xml")];
    writeFileSync(file, source);
    const command = batchCommand(runtime, runtimePath(runtime), { report, verbose: false });
    const env = {
      [FILES_VARIABLE]: JSON.stringify([relative(root, file)]),
      [LOG_VARIABLE]: join(folder, "log"),
    };
    const { problem } = await run(command, { env, timeout: 60_000 });
    const results = parseJUnit(readFileSync(report, "utf8"));
    return [...results.map(({ name, outcome }) => `${name}: ${outcome}`), problem ?? "good"];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe("a batch", () => {
  for (const runtime of runtimes.filter((name) => name !== "bun")) {
    test(`on ${runtime} fails the test in which an error escapes`, async () => {
      assertEquals(await resultsOn(runtime, SOURCE), [
        "passes: passed",
        "throws in a timer: failed",
        "leaves a rejection: failed",
        "after them > passes too: passed",
        "ended with code 1",
      ]);
    });
  }

  test("on node fails a test that waits for nothing", async () => {
    const source = `
import { test } from "node:test";
test("waits", () => new Promise(() => {}));
test("passes", () => {});
`;
    assertEquals(await resultsOn("node", source), [
      "waits: failed",
      "passes: passed",
      "ended with code 1",
    ]);
  });
});
