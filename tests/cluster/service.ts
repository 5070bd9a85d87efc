/**
 * A service with one process on each runtime and hundreds of clients.
 *
 * @module
 */
import { until } from "../brokers/servers.ts";
import { type Runtime, runtimes, scriptCommand } from "../support/runtime.ts";
import { Child } from "../support/spawn.ts";
import { VERSIONS } from "../support/wire_client.ts";
import { WireSocket } from "../support/wire_socket.ts";

/** How many clients connect at a time. */
const AT_A_TIME = 100;

/** One process. Its control connection publishes. */
export interface Process {
  readonly runtime: Runtime;
  readonly child: Child;
  readonly control: WireSocket;
}

/** A client and what it has received. Messages are `PUBLISHER NUMBER` or `probe PUBLISHER`. */
export class Client {
  /** The id of the process that serves it. */
  server = 0;
  /** The last number of each publisher. */
  readonly numbers: Map<string, number> = new Map();
  /** The publishers whose probe has arrived. */
  readonly probes: Set<string> = new Set();
  /** The errors found so far. */
  readonly problems: string[] = [];
  /** Its connection. */
  socket: WireSocket | undefined;

  /** Receives a message. */
  readonly hear = (message: string | Uint8Array): void => {
    const [first = "", second = "", third = ""] = String(message).split(" ");
    if (first === "served") this.server = Number(third);
    else if (first === "probe") this.probes.add(second);
    else {
      const before = this.numbers.get(first) ?? 0;
      if (Number(second) !== before + 1) this.problems.push(`${before} then ${message}`);
      this.numbers.set(first, Number(second));
    }
  };
}

/** The processes and their clients. */
export class Service {
  readonly processes: Map<number, Process> = new Map();
  readonly clients: Client[] = [];
  readonly #children: { readonly runtime: Runtime; readonly child: Child }[] = [];
  readonly topics: readonly string[];
  /** The number of the last message of each publisher. */
  readonly #published: Map<string, number> = new Map();
  #port = 0;

  /** @param topics How many topics there are. */
  constructor(topics: number) {
    this.topics = Array.from({ length: topics }, (_, index) => `topic-${index}`);
  }

  /** Starts a process on each runtime, all on one port. */
  async start(brokers: Readonly<Record<Runtime, string>>): Promise<void> {
    for (const runtime of runtimes) {
      const [path = "", ...rest] = scriptCommand("tests/cluster/server.ts", runtime, "--allow-all");
      if (runtime === "deno") rest.splice(1, 0, "--unstable-net");
      const child = new Child([path, ...rest, `${this.#port}`, brokers[runtime]]);
      this.#children.push({ runtime, child });
      const [, port] = await child.waitFor(/^ready (\d+)$/m);
      this.#port = Number(port);
    }
    await until("a control connection to each", async () => {
      await this.#openControl();
      return this.processes.size === runtimes.length;
    });
  }

  /** Which process gets a connection is the kernel's choice. */
  async #openControl(): Promise<void> {
    let server = 0;
    const control = await WireSocket.open({
      port: this.#port,
      path: "/control",
      version: "rfc6455",
      onMessage: (message) => server = Number(String(message).split(" ")[2]),
    });
    await until("the greeting", () => server !== 0);
    const own = this.#children.find(({ child }) => child.pid === server);
    if (own === undefined || this.processes.has(server)) control.destroy();
    else this.processes.set(server, { ...own, control });
  }

  /** Connects clients of all versions, and waits until each has subscribed to its topic. */
  async connect(count: number): Promise<void> {
    while (this.clients.length < count) {
      const batch = Array.from({ length: AT_A_TIME }, () => this.#connectOne());
      await Promise.all(batch);
    }
    await until("all subscriptions", () => this.clients.every(({ server }) => server !== 0));
  }

  async #connectOne(): Promise<void> {
    const client = new Client();
    const number = this.clients.push(client);
    client.socket = await WireSocket.open({
      port: this.#port,
      path: `/topic/${this.topics[number % this.topics.length]}`,
      version: VERSIONS[number % VERSIONS.length] ?? "rfc6455",
      onMessage: client.hear,
    });
  }

  /** The clients of processes that are alive. */
  get live(): Client[] {
    return this.clients.filter(({ server }) => this.processes.has(server));
  }

  /** Publishes a message on every topic at every process. */
  publish(): void {
    for (const [id, { control }] of this.processes) {
      const number = (this.#published.get(`${id}`) ?? 0) + 1;
      this.#published.set(`${id}`, number);
      for (const topic of this.topics) control.send(`${topic} ${id} ${number}`);
    }
  }

  /** Publishes until every live client has heard from every live process. */
  async probe(): Promise<void> {
    await this.#probeUntil(
      "every client to hear every process",
      ({ probes }) => probes.size >= this.processes.size,
    );
  }

  /** Publishes until every live client has heard from its own process, and from no other. */
  async probeLocally(): Promise<void> {
    await this.#probeUntil(
      "every client to hear its own process",
      ({ probes, server }) => probes.has(`${server}`),
    );
    for (const { probes, problems } of this.live) {
      if (probes.size !== 1) problems.push(`heard ${[...probes]} without a broker`);
    }
  }

  async #probeUntil(what: string, isDone: (client: Client) => boolean): Promise<void> {
    for (const { probes } of this.clients) probes.clear();
    await until(what, async () => {
      for (const [id, { control }] of this.processes) {
        for (const topic of this.topics) control.send(`${topic} probe ${id}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
      return this.live.every(isDone);
    });
  }

  /** Waits until every live client has every message of every live process. */
  async delivered(): Promise<void> {
    const ids = [...this.processes.keys()].map(String);
    await until(
      "every message",
      () =>
        this.live.every(({ numbers }) =>
          ids.every((id) => (numbers.get(id) ?? 0) === (this.#published.get(id) ?? 0))
        ),
    );
  }

  /** Restarts the numbering. Earlier messages do not count. */
  forget(): void {
    this.#published.clear();
    for (const { numbers } of this.clients) numbers.clear();
  }

  /** Ends a process as a crash would. */
  async kill(id: number): Promise<void> {
    const victim = this.processes.get(id);
    this.processes.delete(id);
    await victim?.child.stop("SIGKILL");
    victim?.control.destroy();
  }

  /** Ends everything. */
  async end(): Promise<void> {
    for (const { socket } of this.clients) socket?.destroy();
    for (const { control } of this.processes.values()) control.destroy();
    for (const { child } of this.#children) await child.stop("SIGKILL");
  }
}
