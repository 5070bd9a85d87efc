/**
 * Starts each process in its own process group, so that the whole group can be killed: nothing that a
 * test started outlives the run.
 *
 * @module
 */
import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
import { clearTimeout, setTimeout } from "node:timers";
import { root } from "../support/runtime.ts";

/** How a process ended. */
export interface Ended {
  /** Standard output and standard error, together. */
  readonly output: string;
  /** Why it failed, if it did. */
  readonly problem?: string;
  /** Whether it was killed at its time limit. */
  readonly late?: boolean;
}

/** How to run it. */
export interface RunOptions {
  readonly env: Readonly<Record<string, string>>;
  /** Time limit in milliseconds. The process is killed after it. */
  readonly timeout: number;
  /** Whether each output restarts the time limit. */
  readonly renewed?: boolean;
  /** The working directory. Default: the repository. */
  readonly cwd?: string;
  /** Called with the output as it arrives. */
  readonly onOutput?: (text: string) => void;
}

const running = new Set<ChildProcess>();

/** Runs a command to its end, or to its time limit. */
export function run(
  [path = "", ...args]: readonly string[],
  { env, timeout, renewed = false, cwd = root, onOutput }: RunOptions,
): Promise<Ended> {
  return new Promise((resolve) => {
    const child = spawn(path, args, {
      cwd,
      detached: process.platform !== "win32",
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    running.add(child);
    let output = "";
    let late = false;
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        output += text;
        onOutput?.(text);
        if (renewed) limit.refresh();
      });
    }
    const limit = setTimeout(() => {
      late = true;
      kill(child);
    }, timeout);
    const end = (problem: string | undefined) => {
      clearTimeout(limit);
      running.delete(child);
      resolve({ output, late, ...(problem === undefined ? {} : { problem }) });
    };
    child.once("error", ({ message }) => end(`could not start: ${message}`));
    child.once("close", (code, signal) => {
      if (late) {
        end(`${renewed ? "printed nothing for" : "was not done within"} ${timeout / 1000} s`);
      } else end(code === 0 ? undefined : `ended with ${code === null ? signal : `code ${code}`}`);
    });
  });
}

/** Kills all running processes. */
export function killAll(): void {
  for (const child of running) kill(child);
}

function kill(child: ChildProcess): void {
  if (child.pid === undefined) return;
  if (process.platform === "win32") {
    child.kill("SIGKILL");
    return;
  }
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch (error) {
    // The group has already ended.
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
