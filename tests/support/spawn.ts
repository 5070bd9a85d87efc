/**
 * Processes that tests start: servers under a runtime, proxies, browsers.
 *
 * @module
 */
import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
import { type Runtime, runtime, scriptCommand } from "./runtime.ts";

/** How to start a {@linkcode Child}. */
export interface SpawnOptions {
  /** Environment variables to add; `undefined` removes one. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** The working directory. Default: that of the test. */
  readonly cwd?: string;
  /** The runtime of a script. Default: that of the test. */
  readonly runtime?: Runtime;
  /** A file descriptor of this process. It becomes descriptor 3 of the new process. */
  readonly descriptor?: number;
  /** The permissions of a script on Deno. Default: `"--allow-all"`. */
  readonly permission?: string;
  /** Further flags of a script on Deno. */
  readonly denoFlags?: readonly string[];
}

/** How long to wait for output, in milliseconds. */
const PATIENCE = 120_000;

/** How long a process may take to stop before it is killed, in milliseconds. Longer than a closing handshake. */
const STOPPING = 60_000;

/**
 * The environment variables of every process. Half a second after its start, Deno would ask for a newer
 * version: over the network, with files that it opens, or panics if it cannot.
 */
const OWN_ENV = { DENO_NO_UPDATE_CHECK: "1" };

/** A running process, its output collected. Every test that starts one ends it with `stop`. */
export class Child {
  /** The exit code, `null` after a signal. Settles when the process has ended and all is read. */
  readonly exited: Promise<number | null>;
  /** The process's id. */
  readonly pid: number;
  /** What it has printed so far, standard output and standard error together. */
  output = "";
  readonly #name: string;
  readonly #process: ChildProcess;
  #alive = false;
  #ended = false;
  readonly #watchers = new Set<() => void>();

  /** Starts `command`, its name or path first. */
  constructor(command: readonly string[], options: SpawnOptions = {}) {
    const [path = "", ...args] = command;
    this.#name = command.join(" ");
    this.#process = spawn(path, args, {
      cwd: options.cwd,
      env: { ...process.env, ...OWN_ENV, ...options.env },
      stdio: ["ignore", "pipe", "pipe", options.descriptor ?? "ignore"],
    });
    // Undefined if the process could not be started: then "error" is emitted.
    this.pid = this.#process.pid ?? -1;
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        this.output += text;
        this.#changed();
      });
    }
    this.#process.once("spawn", () => this.#alive = true);
    this.#process.once("exit", () => this.#alive = false);
    this.exited = new Promise((resolve) => {
      const end = (code: number | null) => {
        this.#ended = true;
        this.#changed();
        resolve(code);
      };
      this.#process.once("close", end);
      this.#process.once("error", (error) => {
        this.output += `${error.message}\n`;
        end(null);
      });
    });
  }

  /**
   * Resolves to the first match of `pattern` in the output, including earlier output.
   *
   * @param pattern What to look for; with the `m` flag, `^` and `$` match at lines.
   * @throws {Error} If the process ends or two minutes pass first. The message has the last output.
   */
  waitFor(pattern: RegExp): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const fail = (what: string) => {
        settle();
        reject(new Error(`${this.#name} ${what} ${pattern}:\n${this.output.slice(-4096)}`));
      };
      const late = setTimeout(() => fail("did not print"), PATIENCE);
      const look = () => {
        const match = pattern.exec(this.output);
        if (match) {
          settle();
          resolve(match);
        } else if (this.#ended) fail("ended without printing");
      };
      const settle = () => {
        clearTimeout(late);
        this.#watchers.delete(look);
      };
      this.#watchers.add(look);
      look();
    });
  }

  /** Sends a signal and resolves to the exit code after the process ends. A second call does nothing. */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<number | null> {
    this.#kill(signal);
    const force = setTimeout(() => this.#kill("SIGKILL"), STOPPING);
    const code = await this.exited;
    clearTimeout(force);
    return code;
  }

  #kill(signal: NodeJS.Signals): void {
    // Not ChildProcess.kill: on Deno 2.9 the exit code would always be null.
    if (this.#alive) process.kill(this.pid, signal);
  }

  #changed(): void {
    for (const look of this.#watchers) look();
  }
}

/** Starts a TypeScript file of the repository under a runtime. */
export function spawnScript(
  path: string,
  args: readonly string[] = [],
  options: SpawnOptions = {},
): Child {
  const { runtime: on = runtime, permission = "--allow-all", denoFlags = [] } = options;
  const command = scriptCommand(path, on, permission);
  // These come after `deno run`.
  if (on === "deno") command.splice(2, 0, ...denoFlags);
  return new Child([...command, ...args], options);
}
