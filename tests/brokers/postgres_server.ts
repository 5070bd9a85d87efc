/**
 * A Postgres server that a test starts, kills and restarts, with data of its own.
 *
 * @module
 */
import { execFileSync } from "node:child_process";
import { chownSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { freePort } from "../support/free_port.ts";
import { findExecutable } from "../support/runtime.ts";
import { Child } from "../support/spawn.ts";
import { findPostgres } from "./postgres_programs.ts";

/** The user whom Debian's package makes. Postgres refuses to run as root. */
const USER = "postgres";

const isRoot = process.getuid?.() === 0;

/** The command as a user who is not root. */
function asUser(command: readonly string[]): readonly string[] {
  if (!isRoot) return command;
  const user = [`--reuid=${USER}`, `--regid=${USER}`, "--clear-groups"];
  return [findExecutable("setpriv"), ...user, ...command];
}

function idOf(kind: "-u" | "-g"): number {
  return Number(execFileSync("id", [kind, USER], { encoding: "utf8" }));
}

/** A server. A test that starts one must call `stop`. */
export class PostgresServer {
  /** The port on 127.0.0.1. */
  readonly port: number;
  readonly #folder: string;
  #child: Child | undefined;
  #isFrozen = false;

  private constructor(port: number, folder: string) {
    this.port = port;
    this.#folder = folder;
  }

  /** Makes a database in a new folder, and starts its server. */
  static async make(): Promise<PostgresServer> {
    const folder = mkdtempSync(join(tmpdir(), "waterspout-postgres-"));
    if (isRoot) chownSync(folder, idOf("-u"), idOf("-g"));
    const init = [findPostgres("initdb"), "--pgdata", folder, "--username", "test", "--no-sync"];
    const child = new Child(
      asUser([...init, "--auth", "trust", "--no-locale", "--encoding=UTF8"]),
      {
        cwd: folder,
      },
    );
    if (await child.exited !== 0) throw new Error(`initdb failed:\n${child.output}`);
    return await new PostgresServer(await freePort(), folder).start();
  }

  /** Starts the server, or restarts it after {@linkcode kill}. Waits until it accepts connections. */
  async start(): Promise<this> {
    const settings = [
      "listen_addresses=127.0.0.1",
      "unix_socket_directories=",
      "fsync=off",
      "shared_buffers=1MB",
      "max_connections=20",
      "max_worker_processes=0",
      "wal_level=minimal",
      "max_wal_senders=0",
      "autovacuum=off",
      "jit=off",
    ];
    const options = ["-D", this.#folder, "-p", `${this.port}`];
    const command = [
      findPostgres("postgres"),
      ...options,
      ...settings.flatMap((one) => ["-c", one]),
    ];
    this.#child = new Child(asUser(command), { cwd: this.#folder });
    await this.#child.waitFor(/ready to accept connections/);
    return this;
  }

  /** Ends all its processes at once, like a crash. */
  async kill(): Promise<void> {
    // SIGKILL would leave the processes of its connections behind.
    const ended = this.#child?.stop("SIGQUIT");
    if (this.#isFrozen) this.thaw();
    await ended;
  }

  /** Freezes the server: connections stay open, and it does not respond. */
  freeze(): void {
    this.#isFrozen = true;
    const { pid } = this.#running();
    process.kill(pid, "SIGSTOP");
    // From then on it neither forks nor reaps, so that each of its children is there for a signal.
    while (!isStopped(pid)) continue;
    for (const child of childrenOf(pid)) process.kill(child, "SIGSTOP");
  }

  /** Continues after {@linkcode freeze}. */
  thaw(): void {
    this.#isFrozen = false;
    const { pid } = this.#running();
    for (const child of childrenOf(pid)) process.kill(child, "SIGCONT");
    process.kill(pid, "SIGCONT");
  }

  #running(): Child {
    if (this.#child === undefined) throw new Error("The server is not running");
    return this.#child;
  }

  /** Ends the server and removes its data. */
  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true });
  }
}

/** The processes of the server's connections. */
function childrenOf(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
  return children === "" ? [] : children.split(" ").map(Number);
}

/** Whether SIGSTOP has taken effect: the state follows the name, which is in parentheses. */
function isStopped(pid: number): boolean {
  return readFileSync(`/proc/${pid}/stat`, "utf8").includes(") T ");
}
