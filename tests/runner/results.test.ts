import { assertEquals } from "@std/assert";
import { describe, test } from "node:test";
import { markOf } from "./batch_events.ts";
import type { Job } from "./plan.ts";
import { judge } from "./results.ts";
import { summary } from "./summary.ts";

const files = ["tests/runner/plan.test.ts", "tests/runner/junit.test.ts"];
const job: Job = { runtime: "node", files, label: "two files", waits: false, rank: 0 };

/** A report: the mark of each file, followed by the names of its tests. */
function reportOf(tests: Readonly<Record<string, readonly string[]>>): string {
  const cases = Object.entries(tests).flatMap(([file, names]) => [markOf(file), ...names]);
  return `<testsuites>${
    cases.map((name) =>
      name.endsWith("!")
        ? `<testcase name="${name}"><failure/></testcase>`
        : name.endsWith("?")
        ? `<testcase name="${name}"><skipped/></testcase>`
        : `<testcase name="${name}"/>`
    ).join("")
  }</testsuites>`;
}

const log = files.map((file, i) => JSON.stringify({ file, at: i + 1, cpu: 1 + i / 2 })).join("\n");
const done = `${log}\n${JSON.stringify({ file: "", at: 4, cpu: 3 })}\n`;

describe("a job", () => {
  test("whose tests passed has times for each file", () => {
    const report = reportOf({ [files[0] ?? ""]: ["a", "b"], [files[1] ?? ""]: ["c"] });
    const { passed, failures, times, total } = judge(job, { output: "" }, { report, log: done });
    assertEquals([passed, failures], [3, []]);
    assertEquals(times.map(({ seconds, cpu }) => [seconds, cpu]), [[1, 0.5], [2, 1.5]]);
    // The loading is only in the total.
    assertEquals(total, { seconds: 4, cpu: 3 });
  });

  test("fails for a test that failed or did not run, and for a file without any", () => {
    const report = reportOf({ [files[0] ?? ""]: ["a", "b!", "c?"] });
    const ended = { output: "", problem: "ended with code 1" };
    assertEquals(judge(job, ended, { report, log: done }).failures, [
      "tests/runner/plan.test.ts: b!",
      "tests/runner/plan.test.ts: c? (did not run)",
      "tests/runner/junit.test.ts: ran no test",
    ]);
  });

  test("fails for its process, if all tests passed, or if it wrote no report", () => {
    const report = reportOf(Object.fromEntries(files.map((file) => [file, ["a"]])));
    const ended = { output: "", problem: "ended with SIGSEGV" };
    assertEquals(judge(job, ended, { report, log: done }).failures, [
      "two files: the process ended with SIGSEGV",
    ]);
    assertEquals(judge(job, ended, { report: "", log }).failures, [
      "tests/runner/junit.test.ts: the process ended with SIGSEGV, and left no report",
    ]);
    assertEquals(judge(job, { output: "" }, { report: "", log: "" }).failures, [
      "two files: the process ended, and left no report",
    ]);
  });
});

describe("the summary", () => {
  const report = reportOf(Object.fromEntries(files.map((file) => [file, ["a"]])));
  const result = judge(job, { output: "" }, { report, log: done });
  const skip = { suite: "tests/x", reason: "y is not installed", command: "apt-get install y" };

  test("ends with what was skipped, and the numbers", () => {
    const options = { skips: [{ ...skip, allowed: true }], seed: 7, seconds: 9, slowest: 10 };
    const { text, failed } = summary([result], options);
    assertEquals(failed, false);
    assertEquals(text.split("\n").slice(-5), [
      "Skipped:",
      "  tests/x: y is not installed (apt-get install y)",
      "",
      "2 files in 9 s, with 3 s of CPU; --seed 7 repeats what is random",
      "2 passed, 0 failed, 1 skipped",
    ]);
  });

  test("has a failure for what must not be skipped", () => {
    const options = { skips: [{ ...skip, allowed: false }], seed: 7, seconds: 9, slowest: 10 };
    const { text, failed } = summary([result], options);
    assertEquals([failed, text.endsWith("2 passed, 1 failed, 1 skipped")], [true, true]);
  });

  test("names the slowest files", () => {
    const { text } = summary([result], { skips: [], seed: 7, seconds: 9, slowest: 10 });
    assertEquals(text.split("\n").slice(2, 4), [
      "     2.0 (1.5)  node  tests/runner/junit.test.ts",
      "     1.0 (0.5)  node  tests/runner/plan.test.ts",
    ]);
    const one = summary([result], { skips: [], seed: 7, seconds: 9, slowest: 1 });
    assertEquals(one.text.includes("tests/runner/plan.test.ts"), false);
  });
});
