/**
 * A copy of the repository in a temporary folder. One source at a time has a mistake.
 *
 * @module
 */
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { FILES_VARIABLE, LOG_VARIABLE, readEvents } from "../runner/batch_events.ts";
import { run } from "../runner/process.ts";
import { batchEnvironment } from "../runner/runtimes.ts";
import { root, runtimePath } from "../support/runtime.ts";
import type { Mutant } from "./mutants.ts";

/** The files and folders that tests load. */
const COPIED = ["src", "tests", "mod.ts", "package.json", "deno.json"];

/** Bun's time limit for a test, in milliseconds. Our own limit is shorter. */
const NEVER = 3_600_000;

/** The result of a mutant. */
export type Verdict = "killed" | "survived" | "timed out";

/** The times of tests without a mistake. */
export interface Measured {
  /** The longest time without output, in milliseconds: about the time of the slowest test. */
  readonly longest: number;
  /** The CPU time of each file, in seconds. */
  readonly costs: ReadonlyMap<string, number>;
}

/** The copy. The working tree is not changed. */
export class Sandbox {
  readonly #folder = mkdtempSync(join(tmpdir(), "waterspout-mutation-"));

  /** The log of the last run's times. Not the environment's log: this process may be a batch itself. */
  readonly #log = join(this.#folder, "events.jsonl");

  readonly #onExit = () => this.remove();

  constructor() {
    process.once("exit", this.#onExit);
    for (const name of COPIED) {
      cpSync(join(root, name), join(this.#folder, name), { recursive: true });
    }
    symlinkSync(join(root, "node_modules"), join(this.#folder, "node_modules"), "junction");
  }

  /** The current content of a file in the copy. */
  read(file: string): string {
    return readFileSync(join(this.#folder, file), "utf8");
  }

  /** Runs tests without a mistake, which must pass. */
  async measure(tests: readonly string[], timeout: number): Promise<Measured> {
    let [last, longest] = [performance.now(), 0];
    const note = () => {
      const now = performance.now();
      longest = Math.max(longest, now - last);
      last = now;
    };
    const { problem, output } = await this.#run(tests, { timeout, onOutput: note });
    note();
    if (problem === undefined) {
      const { times } = readEvents(readFileSync(this.#log, "utf8"));
      return { longest, costs: new Map(times.map(({ file, cpu }) => [file, cpu])) };
    }
    throw new Error(`Cannot mutate: the tests fail as it is, ${problem}\n${output.slice(-4096)}`);
  }

  /**
   * Runs tests with a mistake until a test fails or takes longer than `timeout`. Then restores the
   * source.
   */
  async judge(mutant: Mutant, tests: readonly string[], timeout: number): Promise<Verdict> {
    const path = join(this.#folder, mutant.file);
    const original = readFileSync(path);
    writeFileSync(path, mutant.source);
    try {
      const { problem, late } = await this.#run(tests, { timeout });
      if (late === true) return "timed out";
      return problem === undefined ? "survived" : "killed";
    } finally {
      writeFileSync(path, original);
    }
  }

  /** Removes the copy. */
  remove(): void {
    process.off("exit", this.#onExit);
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Runs tests on Bun, which starts fastest and stops at the first failure. */
  #run(
    tests: readonly string[],
    { timeout, onOutput = () => {} }: {
      readonly timeout: number;
      readonly onOutput?: () => void;
    },
  ): ReturnType<typeof run> {
    rmSync(this.#log, { force: true });
    return run(
      [runtimePath("bun"), "test", "--bail", `--timeout=${NEVER}`, "./tests/runner/batch.ts"],
      {
        cwd: this.#folder,
        timeout,
        renewed: true,
        onOutput,
        env: {
          ...batchEnvironment("bun"),
          [FILES_VARIABLE]: JSON.stringify(tests),
          [LOG_VARIABLE]: this.#log,
        },
      },
    );
  }
}
