/**
 * Runs the tests of several files in one process, on any runtime. Starting a process and loading the
 * sources cost more than the tests of most files. An environment variable lists the files; see
 * `batch_events.ts`.
 *
 * An extra test before each file's tests marks the file in the report. It also appends a line to a
 * log: when the file began, and the CPU time used until then.
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

/** Logs that a file begins or, without a file, that the last file has ended. */
function mark(file: string): void {
  if (log === undefined) return;
  const event: BatchEvent = { file, at: performance.now() / 1000, cpu: cpuSeconds() };
  appendFileSync(log, `${JSON.stringify(event)}\n`);
}

/** The CPU time of this process and, on Linux, of its child processes that have ended. */
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
