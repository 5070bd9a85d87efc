/**
 * Opens as many connections as this machine holds: `deno task scale [--connections N]`.
 *
 * The processes of the server share a port, and a broker joins them. The clients are swarms of
 * `swarm.c`, which speak the five versions in turn. Needs Linux, and a C compiler.
 *
 * @module
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { BrokerServer } from "../brokers/servers.ts";
import { root, type Runtime, runtimes } from "../support/runtime.ts";
import { parseTaskArgs, runTask, UsageError } from "../support/usage.ts";
import { droppedPackets, kernelMemory, type Line, startServer, Talker } from "./processes.ts";
import { type Figures, report } from "./report.ts";

/**
 * The connections of one process: below the 20,000 descriptors that many machines allow. The kernel
 * spreads connections over the servers by chance, so a server has some more or fewer.
 */
const PER_PROCESS = 19_000;
const PUBLISHES = 5;
/** How long to wait until a message has reached 10,000 clients, in seconds. */
const PATIENCE = 2;
const LATE: Line = { first: Infinity, last: Infinity };
/** How many connections are opened at a time, by all swarms. The queue of a server has 511. */
const BACKLOG = 256;

interface Options {
  readonly connections: number;
  readonly runtime: Runtime;
  readonly broker: "redis" | "nats";
  /** In seconds. */
  readonly pingInterval: number;
  /** Where the report is written; `""` if it is only printed. */
  readonly output: string;
}

function optionsOf(args: readonly string[]): Options {
  const { values } = parseTaskArgs(args, {
    connections: { type: "string", default: "100000" },
    runtime: { type: "string", default: "bun" },
    broker: { type: "string", default: "redis" },
    ping: { type: "string", default: "60" },
    output: { type: "string", default: "" },
  });
  const connections = Number(values.connections);
  const runtime = runtimes.find((name) => name === values.runtime);
  const { broker, output } = values;
  const pingInterval = Number(values.ping);
  if (!Number.isSafeInteger(connections) || connections < 1) {
    throw new UsageError(`--connections must be a positive integer, got ${values.connections}`);
  }
  if (runtime === undefined) {
    throw new UsageError(`--runtime must be deno, bun or node, got ${values.runtime}`);
  }
  if (broker !== "redis" && broker !== "nats") {
    throw new UsageError(`--broker must be redis or nats, got ${broker}`);
  }
  if (!(pingInterval > 0)) {
    throw new UsageError(`--ping must be a number of seconds above 0, got ${values.ping}`);
  }
  return { connections, runtime, broker, pingInterval, output };
}

/** Everything that runs, to be ended whatever happens. */
class Machine {
  readonly servers: Talker[] = [];
  readonly swarms: Talker[] = [];
  readonly folder: string = mkdtempSync(join(tmpdir(), "scale-"));
  readonly options: Options;
  broker: BrokerServer | undefined;

  constructor(options: Options) {
    this.options = options;
  }

  async start(): Promise<number> {
    const { runtime, broker, connections, pingInterval } = this.options;
    execFileSync("cc", ["-O2", "-D_GNU_SOURCE", "-o", this.swarm, `${root}/tests/scale/swarm.c`]);
    this.broker = await BrokerServer[broker]();
    const url = `${broker}://127.0.0.1:${this.broker.port}`;
    let port = 0;
    for (let i = 0; i < Math.ceil(connections / PER_PROCESS); i++) {
      const server = startServer(runtime, { port, broker: url, pingInterval });
      this.servers.push(server);
      port = Number((await server.next("port"))["port"]);
    }
    return port;
  }

  get swarm(): string {
    return join(this.folder, "swarm");
  }

  /** Starts the swarms, and waits until all connections are open. Returns how many are. */
  async open(port: number): Promise<number> {
    const { connections } = this.options;
    const atOnce = Math.max(1, Math.floor(BACKLOG * PER_PROCESS / connections));
    for (let from = 0; from < connections; from += PER_PROCESS) {
      const count = Math.min(PER_PROCESS, connections - from);
      // 500 clients have the same address.
      const address = Math.ceil(from / 500);
      const numbers = [port, count, address, atOnce].map(String);
      this.swarms.push(new Talker([this.swarm, ...numbers]));
    }
    const lines = await Promise.all(this.swarms.map((swarm) => swarm.next("all", LONG)));
    return lines.reduce((sum, { all }) => sum + Number(all), 0);
  }

  end(): void {
    for (const talker of [...this.servers, ...this.swarms]) talker.kill();
    void this.broker?.stop();
    rmSync(this.folder, { recursive: true });
  }
}

/** Opening half a million connections takes minutes. */
const LONG = { seconds: 1800 } as const;

function sum(talkers: readonly Talker[]): number {
  return talkers.reduce((total, { memory }) => total + memory, 0);
}

async function cpuOf(servers: readonly Talker[]): Promise<number> {
  const lines = await Promise.all(servers.map((server) => server.ask("stats", "cpu")));
  return lines.reduce((total, { cpu }) => total + Number(cpu), 0);
}

/**
 * Publishes a message. Returns when the first and the last client had it, in seconds; `Infinity` if a
 * client has not got it in time.
 */
async function publish(machine: Machine, number: number): Promise<{ first: number; last: number }> {
  const { servers, swarms, options } = machine;
  const seconds = 10 + PATIENCE * options.connections / 10_000;
  servers[number % servers.length]?.tell(`publish ${number}`);
  const lines = await Promise.all(
    swarms.map((swarm) => swarm.next("message", { value: number, seconds }).catch(() => LATE)),
  );
  return {
    first: Math.min(...lines.map(({ first }) => Number(first))),
    last: Math.max(...lines.map(({ last }) => Number(last))),
  };
}

async function counted(swarms: readonly Talker[], key: string): Promise<number> {
  const lines = await Promise.all(swarms.map((swarm) => swarm.ask("report", key)));
  return lines.reduce((total, line) => total + Number(line[key]), 0);
}

function pause(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000));
}

/** How many pings were answered in one interval, and the CPU time for each in microseconds. */
async function measurePings(machine: Machine): Promise<{ pings: number; cost: number }> {
  const { servers, swarms, options } = machine;
  const [pings, cpu] = [await counted(swarms, "pings"), await cpuOf(servers)];
  await pause(options.pingInterval);
  const sent = await counted(swarms, "pings") - pings;
  return { pings: sent, cost: (await cpuOf(servers) - cpu) / sent };
}

/** Shuts all servers down. Returns the seconds, and how many clients got the code 1001. */
async function shutDown({ servers, swarms }: Machine): Promise<{ seconds: number; told: number }> {
  const began = performance.now();
  const ends = swarms.map((swarm) => swarm.next("normal", LONG));
  await Promise.all(servers.map((server) => server.ask("stop", "stopped", LONG.seconds)));
  const lines = await Promise.all(ends);
  return {
    seconds: (performance.now() - began) / 1000,
    told: lines.reduce((total, { normal }) => total + Number(normal), 0),
  };
}

async function measure(machine: Machine): Promise<Figures> {
  const { options, servers, swarms } = machine;
  const port = await machine.start();
  const dropped = droppedPackets();
  const before = { servers: sum(servers), kernel: kernelMemory(), cpu: await cpuOf(servers) };
  const began = performance.now();
  const open = await machine.open(port);
  const openSeconds = (performance.now() - began) / 1000;
  const openCpu = await cpuOf(servers) - before.cpu;
  console.error(`${open} connections are open after ${openSeconds.toFixed(0)} s`);
  // Long enough for a garbage collection.
  await pause(10);
  const serverMemory = sum(servers) - before.servers;
  const kernel = kernelMemory() - before.kernel;
  const times: { first: number; last: number }[] = [];
  for (let number = 1; number <= PUBLISHES; number++) times.push(await publish(machine, number));
  const wrong = await counted(swarms, "wrong");
  const lost = PUBLISHES * open - await counted(swarms, "delivered");
  const pings = await measurePings(machine);
  console.error(`${PUBLISHES} messages were published; the servers shut down`);
  const end = await shutDown(machine);
  return {
    ...options,
    processes: servers.length,
    open,
    openSeconds,
    openCpu: openCpu / open,
    serverMemory: serverMemory / open,
    kernelMemory: kernel / open,
    times,
    wrong,
    lost,
    droppedPackets: droppedPackets() - dropped,
    ...pings,
    shutdownSeconds: end.seconds,
    told: end.told,
    machine: `${cpus().length} cores (${cpus()[0]?.model}), ${
      Math.round(totalmem() / 2 ** 30)
    } GiB, Linux`,
    date: new Date().toISOString().slice(0, 10),
  };
}

async function main(): Promise<number> {
  const options = optionsOf(process.argv.slice(2));
  const machine = new Machine(options);
  try {
    const figures = await measure(machine);
    const text = report(figures);
    console.log(text);
    if (options.output !== "") writeFileSync(options.output, `${JSON.stringify(figures)}\n`);
    return figures.open === options.connections && figures.wrong + figures.lost === 0 ? 0 : 1;
  } finally {
    machine.end();
  }
}

await runTask(main);
