/**
 * Redis, Valkey and NATS servers that a test starts, kills and restarts, on a free port of 127.0.0.1.
 *
 * @module
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { freePort } from "../support/free_port.ts";
import { findExecutable } from "../support/runtime.ts";
import { Child } from "../support/spawn.ts";

/** The program of a Redis server. */
export type RedisProgram = "redis-server" | "valkey-server";

/** The options of a Redis server. */
export interface RedisOptions {
  /** The port. Default: a free one. */
  readonly port?: number;
  /** The program. Default: `"redis-server"`. */
  readonly program?: RedisProgram;
  /** Lines of its configuration. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** What a test does to a server or to all servers of a cluster. */
export interface Servers {
  /** Starts it again. */
  start(): Promise<unknown>;
  /** Ends it like a crash. */
  kill(): Promise<void>;
  /** Freezes it. */
  freeze(): void;
  /** Continues after a freeze. */
  thaw(): void;
}

/** The server of a broker. A test that starts one must call `stop`. */
export class BrokerServer implements Servers {
  /** The port on 127.0.0.1. */
  readonly port: number;
  readonly #command: readonly string[];
  readonly #ready: RegExp;
  #child: Child | undefined;
  #isKilled = false;

  private constructor(port: number, command: readonly string[], ready: RegExp) {
    this.port = port;
    this.#command = command;
    this.#ready = ready;
  }

  /** A server of Redis or Valkey without persistence. Further options replace some. */
  static async redis(options: RedisOptions = {}): Promise<BrokerServer> {
    const port = options.port ?? await freePort();
    const settings = {
      port: `${port}`,
      bind: "127.0.0.1",
      save: "",
      appendonly: "no",
      "enable-debug-command": "yes",
      ...options.settings,
    };
    const words = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
    const command = [findExecutable(options.program ?? "redis-server"), ...words];
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
    this.#isKilled = false;
    this.#child = new Child(this.#command);
    await this.#child.waitFor(this.#ready);
    return this;
  }

  /** Waits until a server of a cluster accepts commands. */
  async waitForCluster(): Promise<void> {
    await this.#child?.waitFor(/Cluster state changed: ok/);
  }

  /** Deletes everything that a Redis server has stored. */
  flush(): Promise<void> {
    return new Promise((resolve, reject) => {
      const socket = connect(this.port, "127.0.0.1");
      socket.once("error", reject);
      socket.once("data", () => socket.end());
      socket.once("close", () => resolve());
      socket.write("FLUSHALL\r\n");
    });
  }

  /** Freezes the server: connections stay open, and it does not respond. */
  freeze(): void {
    process.kill(this.#pid(), "SIGSTOP");
  }

  /** Continues after {@linkcode freeze}. Does nothing if the server has ended. */
  thaw(): void {
    if (!this.#isKilled) process.kill(this.#pid(), "SIGCONT");
  }

  #pid(): number {
    if (this.#child === undefined) throw new Error("The server is not running");
    return this.#child.pid;
  }

  /** Ends the server like a crash. */
  async kill(): Promise<void> {
    this.#isKilled = true;
    await this.#child?.stop("SIGKILL");
  }

  /** Ends the server. */
  async stop(): Promise<void> {
    await this.kill();
  }
}

/**
 * A cluster of three masters without replicas. Their tables are written before they start:
 * then they need not meet first.
 */
export class BrokerCluster implements Servers {
  /** The servers. */
  readonly nodes: readonly BrokerServer[];
  /** The port of the first one. */
  readonly port: number;
  readonly #folder: string;

  private constructor(nodes: readonly BrokerServer[], folder: string) {
    this.nodes = nodes;
    this.port = nodes[0]?.port ?? 0;
    this.#folder = folder;
  }

  /** Starts one, and waits until it accepts commands: two seconds. */
  static async start(program: RedisProgram = "redis-server"): Promise<BrokerCluster> {
    const folder = mkdtempSync(join(tmpdir(), "waterspout-cluster-"));
    const ports = await Promise.all([freePort(), freePort(), freePort()]);
    const buses = await Promise.all([freePort(), freePort(), freePort()]);
    const slots = ["0-5460", "5461-10922", "10923-16383"];
    const nodes = await Promise.all(ports.map(async (port, own) => {
      const lines = ports.map((other, index) => {
        const flags = index === own ? "myself,master" : "master";
        // Valkey 8.0 crashes if a shard has no name. Redis 7.0 knows no names.
        const shard = program === "valkey-server" ? `,,shard-id=${`${index}`.repeat(40)}` : "";
        const address = `127.0.0.1:${other}@${buses[index]}${shard}`;
        return `${`${index}`.repeat(40)} ${address} ${flags} - 0 0 ${index + 1} connected ${
          slots[index]
        }`;
      });
      const table = [...lines, "vars currentEpoch 3 lastVoteEpoch 0", ""].join("\n");
      writeFileSync(join(folder, `${own}.conf`), table);
      const settings = {
        dir: folder,
        "cluster-enabled": "yes",
        "cluster-config-file": `${own}.conf`,
        "cluster-port": `${buses[own]}`,
        // A server that was frozen for less has not failed.
        "cluster-node-timeout": "10000",
        "cluster-require-full-coverage": "no",
      };
      return await BrokerServer.redis({ port, program, settings });
    }));
    const cluster = new BrokerCluster(nodes, folder);
    await cluster.#settled();
    return cluster;
  }

  async #settled(): Promise<void> {
    for (const node of this.nodes) await node.waitForCluster();
  }

  /** Starts all servers again. */
  async start(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.start()));
    await this.#settled();
  }

  /** Ends all servers like a crash. */
  async kill(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.kill()));
  }

  /** Deletes everything that is stored. */
  async flush(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.flush()));
  }

  /** Freezes all servers. */
  freeze(): void {
    for (const node of this.nodes) node.freeze();
  }

  /** Continues after {@linkcode freeze}. */
  thaw(): void {
    for (const node of this.nodes) node.thaw();
  }

  /** Ends all servers. */
  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true });
  }
}

/** How long a test waits at most, in milliseconds. */
const PATIENCE = 90_000;

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
