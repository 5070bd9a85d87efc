/**
 * Standard input and output, as a terminal or as pipes. Only this file of the tool does its own I/O. It
 * uses modules of Node, which Deno and Bun have too.
 *
 * @module
 */
import { requireBuiltin } from "../transport/builtin_module.ts";
import type { Clock } from "../timing/clock.ts";
import { waitingClock } from "../timing/waiting_clock.ts";
import { LineQueue } from "./line_queue.ts";

/** The I/O that a command can use. */
export interface Terminal {
  /** Whether input and output are a terminal. Then lines can be edited, and messages are marked. */
  readonly interactive: boolean;
  /** Whether the output has colours. */
  readonly coloured: boolean;
  /** The source of time, for waits. */
  readonly clock: Clock;
  /** The lines of the input. Reading begins with the first call. */
  lines(): AsyncIterable<string>;
  /** Prints a line to standard output. On a terminal, the line appears above the edited one. */
  print(line: string): void;
  /** Prints a line to standard error. */
  warn(line: string): void;
  /** Sets a callback for Ctrl-C and SIGTERM. A second Ctrl-C ends the process. */
  onInterrupt(callback: () => void): void;
  /** Reads a file as text. @throws {Error} If it cannot be read. */
  readFile(path: string): string;
  /** Stops reading, and waits until all output is written. */
  close(): Promise<void>;
}

/** A stream of the process. */
interface Stream {
  readonly isTTY?: boolean;
  on(event: "error", callback: () => void): unknown;
  write(text: string, done?: () => void): unknown;
}

/** The part of `node:process` that is used. */
interface Process {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: Stream & { pause(): unknown; unref?(): unknown };
  readonly stdout: Stream;
  readonly stderr: Stream;
  once(event: "SIGINT" | "SIGTERM", callback: () => void): unknown;
  exit(code: number): never;
}

/** A line editor. */
interface Editor {
  on(event: "line", callback: (line: string) => void): unknown;
  on(event: "SIGINT" | "close", callback: () => void): unknown;
  prompt(keepsCursor?: boolean): void;
  pause(): unknown;
  resume(): unknown;
  close(): void;
}

interface ReadlineModule {
  createInterface(options: {
    input: unknown;
    output?: unknown;
    terminal: boolean;
    prompt: string;
    historySize?: number;
  }): Editor;
}

interface FileModule {
  readFileSync(path: string, encoding: "utf8"): string;
}

/** Moves to the first column, and clears the line. */
const CLEAR_LINE = "\r\x1b[K";

/** Writes to a stream, and tells when all is written. */
class Output {
  readonly #stream: Stream;
  #isBroken = false;
  /** How many writes are not complete. */
  #pending = 0;
  #idle: () => void = () => {};

  /** @param broken Called when the reader is gone, as in `waterspout … | head`. */
  constructor(stream: Stream, broken: () => void) {
    this.#stream = stream;
    // Without a listener, the process would end with a stack trace.
    stream.on("error", () => {
      this.#isBroken = true;
      this.#idle();
      broken();
    });
  }

  /** Whether it is a terminal. */
  get isTerminal(): boolean {
    return this.#stream.isTTY === true;
  }

  /** Writes a text, unless the reader is gone. */
  write(text: string): void {
    if (this.#isBroken) return;
    this.#pending++;
    this.#stream.write(text, () => {
      if (--this.#pending === 0) this.#idle();
    });
  }

  /**
   * Waits until all is written, or the reader is gone. On Bun, the callback of an empty write does not
   * wait for the writes before it.
   */
  async flushed(): Promise<void> {
    if (this.#pending === 0 || this.#isBroken) return;
    await new Promise<void>((resolve) => this.#idle = resolve);
  }
}

/** The terminal of this process. */
export class ProcessTerminal implements Terminal {
  readonly interactive: boolean;
  readonly coloured: boolean;
  readonly clock: Clock = waitingClock;
  readonly #process: Process = requireBuiltin<Process>("node:process", "run");
  readonly #stdout: Output;
  readonly #stderr: Output;
  #editor: Editor | null = null;
  #interrupted: () => void = () => {};

  /** Checks whether input and output are a terminal. Make only one object per process. */
  constructor() {
    const { stdin, stdout, stderr, env } = this.#process;
    this.#stdout = new Output(stdout, () => this.#interrupted());
    this.#stderr = new Output(stderr, () => this.#interrupted());
    this.interactive = stdin.isTTY === true && this.#stdout.isTerminal;
    // https://no-color.org
    this.coloured = this.#stdout.isTerminal && !env.NO_COLOR;
  }

  /** The arguments of the program. */
  get arguments(): readonly string[] {
    return this.#process.argv.slice(2);
  }

  lines(): AsyncIterable<string> {
    const { stdin, stdout } = this.#process;
    const { createInterface } = requireBuiltin<ReadlineModule>("node:readline", "read lines");
    const editor = this.#editor = createInterface({
      input: stdin,
      ...(this.interactive ? { output: stdout } : {}),
      terminal: this.interactive,
      prompt: "> ",
    });
    const queue = new LineQueue(editor);
    editor.on("line", (line) => {
      queue.push(line);
      if (this.interactive) editor.prompt();
    });
    editor.on("close", () => {
      this.#leaveLine();
      queue.end();
    });
    // While a line is edited, Ctrl-C reaches the editor instead of raising SIGINT.
    editor.on("SIGINT", () => this.#interrupted());
    if (this.interactive) editor.prompt();
    return queue;
  }

  print(line: string): void {
    this.#write(this.#stdout, line);
  }

  warn(line: string): void {
    this.#write(this.#stderr, line);
  }

  /** Writes a line. If a line is being edited, it is moved below. */
  #write(output: Output, line: string): void {
    const editor = this.interactive ? this.#editor : null;
    if (editor !== null) this.#stdout.write(CLEAR_LINE);
    output.write(`${line}\n`);
    editor?.prompt(true);
  }

  onInterrupt(callback: () => void): void {
    this.#interrupted = callback;
    this.#process.once("SIGINT", callback);
    this.#process.once("SIGTERM", callback);
  }

  readFile(path: string): string {
    return requireBuiltin<FileModule>("node:fs", "read a file").readFileSync(path, "utf8");
  }

  async close(): Promise<void> {
    this.#editor?.close();
    await this.#stdout.flushed();
    await this.#stderr.flushed();
  }

  /** Clears the prompt after the editor has closed. */
  #leaveLine(): void {
    if (this.#editor !== null && this.interactive) this.#stdout.write(CLEAR_LINE);
    this.#editor = null;
  }

  /** Ends the process. */
  exit(code: number): never {
    this.#process.exit(code);
  }
}
