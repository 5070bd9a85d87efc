/**
 * The messages between the runner and the process of a batch.
 *
 * @module
 */

/** The environment variable with the batch's files, as JSON. */
export const FILES_VARIABLE = "WATERSPOUT_TEST_FILES";
/** The environment variable with the path of the batch's log. */
export const LOG_VARIABLE = "WATERSPOUT_TEST_LOG";
/**
 * A variable of Bun's memory allocator: after how many milliseconds it returns unused memory to the
 * system. `-1` means never.
 */
export const BUN_PURGE_VARIABLE = "MIMALLOC_PURGE_DELAY";

/** A line of the log: a file begins, or (`""`) the last one has ended. */
export interface BatchEvent {
  readonly file: string;
  /** Since the process began, in seconds. */
  readonly at: number;
  /** The CPU time so far, including child processes that have ended, in seconds. */
  readonly cpu: number;
}

const MARK = /^file: (.*)$/;

/** The name of the test before a file's tests; for `""`, of the test after all files. */
export function markOf(file: string): string {
  return `file: ${file}`;
}

/** The file that begins at the test of this name; nothing if the test marks no file. */
export function markedFile(name: string): string | undefined {
  return MARK.exec(name)?.[1];
}

/** How long something took, and its CPU time, in seconds. */
export interface Time {
  readonly seconds: number;
  readonly cpu: number;
}

/** How long a file took in its process. */
export interface FileTime extends Time {
  readonly file: string;
}

/** What a log tells. */
export interface BatchTimes {
  /** The files that have ended. */
  readonly times: readonly FileTime[];
  /** The process from its start to the last event, with the loading of all files. */
  readonly total: Time;
  /** The file that was running when the log ended. */
  readonly running: string | undefined;
}

/** Reads the log of a batch. */
export function readEvents(log: string): BatchTimes {
  const events = log.split("\n").filter((line) => line !== "")
    .map((line) => JSON.parse(line) as BatchEvent);
  const times = events.slice(0, -1).map(({ file, at, cpu }, index) => ({
    file,
    seconds: (events[index + 1]?.at ?? at) - at,
    cpu: (events[index + 1]?.cpu ?? cpu) - cpu,
  }));
  const { at: seconds = 0, cpu = 0, file } = events.at(-1) ?? {};
  return { times, total: { seconds, cpu }, running: file || undefined };
}
