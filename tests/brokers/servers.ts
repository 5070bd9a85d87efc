/**
 * Redis and NATS servers that a test starts, kills and restarts, on a free port of 127.0.0.1.
 *
 * @module
 */
import { createServer } from "node:net";
import process from "node:process";
import { findExecutable } from "../support/runtime.ts";
import { Child } from "../support/spawn.ts";

/** The server of a broker. A test that starts one must call `stop`. */
export class BrokerServer {
  /** The port on 127.0.0.1. */
  readonly port: number;
  readonly #command: readonly string[];
  readonly #ready: RegExp;
  #child: Child | undefined;

  private constructor(port: number, command: readonly string[], ready: RegExp) {
    this.port = port;
    this.#command = command;
    this.#ready = ready;
  }

  /** A Redis server without persistence. */
  static async redis(): Promise<BrokerServer> {
    const port = await freePort();
    const options = [
      "--port",
      `${port}`,
      "--bind",
      "127.0.0.1",
      "--save",
      "",
      "--appendonly",
      "no",
    ];
    const command = [findExecutable("redis-server"), ...options];
    return await new BrokerServer(port, command, /Ready to accept connections/).start();
  }

  /** A NATS server. */
  static async nats(): Promise<BrokerServer> {
    const port = await freePort();
    const command = [findExecutable("nats-server"), "--addr", "127.0.0.1", "--port", `${port}`];
    return await new BrokerServer(port, command, /Server is ready/).start();
  }

  /** Starts the server, or restarts it after {@linkcode kill}. Waits until it accepts connections. */
  async start(): Promise<this> {
    this.#child = new Child(this.#command);
    await this.#child.waitFor(this.#ready);
    return this;
  }

  /** Freezes the server: connections stay open, and it does not respond. */
  freeze(): void {
    process.kill(this.#pid(), "SIGSTOP");
  }

  /** Continues after {@linkcode freeze}. */
  thaw(): void {
    process.kill(this.#pid(), "SIGCONT");
  }

  #pid(): number {
    if (this.#child === undefined) throw new Error("The server is not running");
    return this.#child.pid;
  }

  /** Ends the server like a crash. */
  async kill(): Promise<void> {
    await this.#child?.stop("SIGKILL");
  }

  /** Ends the server. */
  async stop(): Promise<void> {
    await this.kill();
  }
}

/** A free port. In rare cases, another process takes it first. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
}

/** How long a test waits at most, in milliseconds. */
const PATIENCE = 20_000;

/** Resolves when `condition` is true. Rejects with `what` after a timeout. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
): Promise<void> {
  const end = Date.now() + PATIENCE;
  while (!await condition()) {
    if (Date.now() > end) throw new Error(`Waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
