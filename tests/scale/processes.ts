/**
 * The processes of a scale run: servers that share a port, and swarms of clients.
 *
 * @module
 */
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { type Runtime, scriptCommand } from "../support/runtime.ts";

/** A line of output, parsed. */
export type Line = Readonly<Record<string, number | boolean>>;

/** A process that prints lines of JSON. */
export class Talker {
  /** Its id. */
  readonly pid: number;
  readonly #process: ChildProcess;
  readonly #lines: Line[] = [];
  readonly #waiting: { key: string; value: unknown; resolve: (line: Line) => void }[] = [];
  readonly #ended: Promise<never>;

  /** Starts a command. */
  constructor(command: readonly string[]) {
    const [path = "", ...args] = command;
    const child = this.#process = spawn(path, args, { stdio: ["pipe", "pipe", "inherit"] });
    this.pid = child.pid ?? -1;
    this.#ended = new Promise((_, reject) => {
      child.once("error", reject);
      child.once("close", (code) => reject(new Error(`${path} ended with exit code ${code}`)));
    });
    this.#ended.catch(() => {});
    const { stdout } = child;
    if (stdout === null) throw new TypeError("Cannot read the output: it is not a pipe");
    createInterface({ input: stdout }).on("line", (line) => this.#received(JSON.parse(line)));
  }

  #received(line: Line): void {
    const at = this.#waiting.findIndex(({ key, value }) => matches(line, key, value));
    if (at === -1) this.#lines.push(line);
    else this.#waiting.splice(at, 1)[0]?.resolve(line);
  }

  /**
   * Resolves to the first line with a key, and with a value if one is given. Earlier lines count.
   *
   * @throws {Error} If the process ends first, or nothing comes within `seconds`.
   */
  async next(key: string, { value, seconds = 60 }: { value?: number; seconds?: number } = {}) {
    const at = this.#lines.findIndex((line) => matches(line, key, value));
    const known = at === -1 ? undefined : this.#lines.splice(at, 1)[0];
    if (known !== undefined) return known;
    const { promise, resolve, reject } = Promise.withResolvers<Line>();
    this.#waiting.push({ key, value, resolve });
    const wanted = `${key}${value === undefined ? "" : ` ${value}`}`;
    const late = setTimeout(
      () => reject(new Error(`process ${this.pid} did not print ${wanted} in ${seconds} s`)),
      seconds * 1000,
    );
    try {
      return await Promise.race([promise, this.#ended]);
    } finally {
      clearTimeout(late);
    }
  }

  /** Sends a line, and resolves to the first line of output with a key. */
  ask(line: string, key: string, seconds?: number): Promise<Line> {
    this.tell(line);
    return this.next(key, seconds === undefined ? {} : { seconds });
  }

  /** Sends a line. */
  tell(line: string): void {
    this.#process.stdin?.write(`${line}\n`);
  }

  /** The resident memory in bytes. */
  get memory(): number {
    const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(
      readFileSync(`/proc/${this.pid}/status`, "utf8"),
    ) ?? [];
    return Number(kilobytes) * 1024;
  }

  /** Kills the process if it still runs. */
  kill(): void {
    this.#process.kill("SIGKILL");
  }
}

function matches(line: Line, key: string, value: unknown): boolean {
  return key in line && (value === undefined || line[key] === value);
}

/** Starts a server of `server.ts`. */
export function startServer(
  runtime: Runtime,
  { port, broker, pingInterval }: { port: number; broker: string; pingInterval: number },
): Talker {
  const command = scriptCommand("tests/scale/server.ts", runtime, "--allow-all");
  // `reusePort` of Deno.
  if (runtime === "deno") command.splice(2, 0, "--unstable-net");
  return new Talker([...command, `${port}`, broker, `${pingInterval}`]);
}

/**
 * How many packets the kernel has dropped since its start, because the queue of a processor was full
 * (`net.core.netdev_max_backlog`). Packets between sockets of one machine pass it, too.
 */
export function droppedPackets(): number {
  return readFileSync("/proc/net/softnet_stat", "utf8").trim().split("\n")
    .reduce((total, line) => total + parseInt(line.split(" ")[1] ?? "0", 16), 0);
}

/** The memory that the kernel uses for its objects and for bytes in sockets, of all processes. */
export function kernelMemory(): number {
  const [, slab] = /^Slab:\s+(\d+) kB$/m.exec(readFileSync("/proc/meminfo", "utf8")) ?? [];
  const [, pages] = /^TCP: .* mem (\d+)$/m.exec(readFileSync("/proc/net/sockstat", "utf8")) ?? [];
  return 1024 * Number(slab) + 4096 * Number(pages);
}
