/**
 * The tests of several files in one process, on any runtime: a process and the modules of the
 * source cost more than most files' tests. The files come by environment; see `jobs.ts`.
 *
 * A test of its own before each file's tests marks it in the report, and appends a line to a log:
 * when the file began, and what CPU time had been used.
 *
 * @module
 */
import { appendFileSync, readFileSync } from "node:fs";
import { test } from "node:test";
import process from "node:process";
import { seedGlobals } from "../support/random.ts";
import { type BatchEvent, FILES_VARIABLE, LOG_VARIABLE, markOf } from "./batch_events.ts";

const files = JSON.parse(process.env[FILES_VARIABLE] ?? "[]") as string[];
const log = process.env[LOG_VARIABLE];

/** Notes that a file begins; or, without one, that the last has ended. */
function mark(file: string): void {
  if (log === undefined) return;
  const event: BatchEvent = { file, at: performance.now() / 1000, cpu: cpuSeconds() };
  appendFileSync(log, `${JSON.stringify(event)}\n`);
}

/** The CPU time of this process and, on Linux, of all processes that it has started and that ended. */
function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6 + (process.platform === "linux" ? cpuSecondsOfChildren() : 0);
}

/** `cutime` and `cstime` of proc(5), in hundredths of a second. */
function cpuSecondsOfChildren(): number {
  const stat = readFileSync("/proc/self/stat", "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[13]) + Number(fields[14])) / 100;
}

for (const file of files) {
  test(markOf(file), () => {
    seedGlobals(file);
    mark(file);
  });
  seedGlobals(file);
  try {
    await import(`../../${file}`);
  } catch (error) {
    test("the file can be loaded", () => {
      throw error;
    });
  }
}
test(markOf(""), () => mark(""));
