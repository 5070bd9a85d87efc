/**
 * A terminal in memory.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import { runProgram } from "../../src/cli/program.ts";
import { FakeClock } from "../../src/testing/mod.ts";
import type { Terminal } from "../../src/cli/terminal.ts";

/** What a {@linkcode FakeTerminal} is like. */
export interface FakeTerminalOptions {
  /** The lines of the input. */
  readonly input?: readonly string[] | AsyncIterable<string>;
  /** Whether a person types and reads. */
  readonly interactive?: boolean;
}

/** A terminal that keeps what is printed. */
export class FakeTerminal implements Terminal {
  readonly interactive: boolean;
  readonly coloured: boolean;
  readonly clock = new FakeClock();
  /** The lines of standard output. */
  readonly printed: string[] = [];
  /** The lines of standard error. */
  readonly warned: string[] = [];
  /** Ctrl-C. */
  interrupt: () => void = () => {};
  /** Called with each printed line. */
  onPrint: (line: string) => void = () => {};
  readonly #input: readonly string[] | AsyncIterable<string>;

  constructor({ input = [], interactive = false }: FakeTerminalOptions = {}) {
    this.#input = input;
    this.interactive = this.coloured = interactive;
  }

  async *lines(): AsyncGenerator<string, void, undefined> {
    yield* this.#input;
  }

  print(line: string): void {
    this.printed.push(line);
    this.onPrint(line);
  }

  warn(line: string): void {
    this.warned.push(line);
  }

  onInterrupt(callback: () => void): void {
    this.interrupt = callback;
  }

  readFile(path: string): string {
    return readFileSync(path, "utf8");
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** What the program did. */
export interface Run {
  readonly code: number;
  readonly printed: readonly string[];
  readonly warned: readonly string[];
}

/** Runs the program to its end. */
export async function run(args: readonly string[], options?: FakeTerminalOptions): Promise<Run> {
  const terminal = new FakeTerminal(options);
  const code = await runProgram(args, terminal);
  return { code, printed: terminal.printed, warned: terminal.warned };
}
