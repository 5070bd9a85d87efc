/**
 * Soak and faults: `deno task soak [SECONDS] [CONNECTIONS] [IDLE] [RUNTIME …] [--seed N]`, 600 s
 * over the three runtimes by default.
 *
 * Connections of every version come and go, send messages of all sizes, and meet every fault of a client
 * or a network. Unharmed connections get every message back, once and in order. At the end, each `open`
 * has its `onClose`, and descriptors and memory are as before. Then many idle connections are held while
 * a hundred active ones go on. After that, browsers and other clients talk through a proxy that splits,
 * delays and cuts (chaos.ts).
 *
 * It runs on Node: under this load, Deno's `node:net` delays `connect` until the server has given up the
 * connections.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import process from "node:process";
import { COLLECTABLE } from "../support/collect.ts";
import { seedGlobals } from "../support/random.ts";
import type { Runtime } from "../support/runtime.ts";
import { type Child, spawnScript } from "../support/spawn.ts";
import { pushMebibytes, withSlowServer } from "../server/slow_server.ts";
import { streamMebibytes } from "../server/stream_server.ts";
import { chaos } from "./chaos.ts";
import { parseOptions } from "./options.ts";
import { type Counters, type Fault, makeTally, openAll, type SoakClient, start } from "./client.ts";

const { seconds, connections, idle, runtimes: chosen } = parseOptions(process.argv.slice(2));
seedGlobals("soak");
const FAULTS: readonly Fault[] = [
  "reset",
  "half-open",
  "cut frame",
  "stall",
  "throw",
  "fin",
  "close",
];
/** How many messages are in flight. With more, this process is the bottleneck. */
const MOST_PENDING = 1000;
const MIB = 1024 * 1024;
/** The descriptors of a process besides idle connections: active ones, and those of the runtime. */
const SPARE_DESCRIPTORS = 250;
/** The memory of buffers that are kept for the next large messages, in bytes. */
const SPARE_MEMORY = 16 * MIB;
/** What is pushed through a slow handler, and how much memory its server may take for it, in MiB. */
const PUSHED = 1024;
const FLAT = 200;
/** The share of the time for the clients behind the proxy, in addition, and the most of it per runtime. */
const CHAOS_SHARE = 0.75;
const MOST_CHAOS = 20_000;
/** How long to wait for anything, in milliseconds. The machine may be slow. */
const PATIENCE = 120_000;
/** The time between pings to idle connections, in milliseconds. */
const PING_INTERVAL = 30_000;
const LARGE = "語x".repeat(4 * 1024 * 1024 - 10);

interface Counts {
  readonly opened: number;
  readonly closed: number;
  /** The used memory inside and outside the heap, in bytes. */
  readonly memory: number;
  readonly descriptors: number;
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

async function counts(port: number): Promise<Counts> {
  const response = await fetch(`http://127.0.0.1:${port}/counts`);
  return await response.json();
}

let sent = 0;

function someText(): string {
  const size = [0, 5, 120, 130, 3000, 70_000][Math.floor(Math.random() ** 2 * 6)] ?? 0;
  const slow = Math.random() < 0.02 ? "slow " : "";
  return `${slow}${sent++} ${"é".repeat(size / 2)}`;
}

/** Runs churn, traffic and faults for the given time. */
async function churn(port: number, counters: Counters, until: number): Promise<void> {
  const clients = await openAll(port, counters, connections);
  // draft75 and draft76 have no ping: their half-open connections stay until the network works again.
  const replaced: SoakClient[] = [];
  while (Date.now() < until) {
    for (let i = 0; i < 300; i++) {
      const at = Math.floor(Math.random() * clients.length);
      const client = clients[at];
      if (client === undefined || !(client.isOpen || client.isOver)) continue;
      if (client.isOver) {
        replaced.push(client);
        clients[at] = start(port, counters);
      } else if (Math.random() < 0.03) {
        client.suffer(FAULTS[Math.floor(Math.random() * FAULTS.length)]!);
      } else if (client.pending < 3 && counters.pending < MOST_PENDING) client.send(someText());
    }
    if (Math.random() < 0.01) clients[0]?.send(`${sent++}${LARGE}`);
    await pause(1);
  }
  const patience = Date.now() + PATIENCE;
  while (Date.now() < patience && clients.some((client) => !client.isOver && client.pending > 0)) {
    await pause(50);
  }
  for (const client of clients) {
    if (!client.isOver && client.pending > 0) {
      counters.violations.push("a message did not come back");
    }
    client.leave();
  }
  await pause(500);
  for (const client of [...clients, ...replaced]) client.destroy();
}

/** Waits until the server has released everything, as far as one can tell from the counts before. */
async function settled(port: number, before?: Counts): Promise<Counts> {
  const patience = Date.now() + PATIENCE;
  let now = await counts(port);
  while (now.opened !== now.closed && Date.now() < patience) {
    await pause(250);
    now = await counts(port);
  }
  // The runtime frees the memory of the last connections when it is idle.
  do {
    await pause(2000);
    now = await counts(port);
  } while (before !== undefined && keeps(before, now).length > 0 && Date.now() < patience);
  return now;
}

/** What a server keeps of its connections. */
function keeps(before: Counts, after: Counts): string[] {
  const kept: string[] = [];
  if (after.opened !== after.closed) kept.push(`${after.opened} opened, ${after.closed} closed`);
  if (after.descriptors > before.descriptors + 3) {
    kept.push(`${before.descriptors} descriptors before, ${after.descriptors} after`);
  }
  if (after.memory > before.memory + SPARE_MEMORY) {
    const [mibBefore, mibAfter] = [before, after].map(({ memory }) => Math.round(memory / MIB));
    kept.push(`${mibBefore} MiB before, ${mibAfter} MiB after`);
  }
  return kept;
}

function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length * share)] ?? 0;
}

/** The p99 of the round-trip times of a hundred active connections, in milliseconds. */
async function activeP99(port: number, counters: Counters): Promise<number> {
  const active = await openAll(port, counters, 100);
  const trips: number[] = counters.trips = [];
  for (let round = 0; round < 100; round++) {
    for (const client of active) if (client.pending === 0) client.send(`${sent++} active`);
    await pause(10);
  }
  await pause(500);
  counters.trips = null;
  for (const client of active) client.leave();
  return percentile(trips, 0.99);
}

/** How many idle connections the descriptors of a process allow besides the active ones. */
function mostIdle(): number {
  const limits = readFileSync("/proc/self/limits", "utf8");
  const descriptors = Number(/^Max open files +(\d+)/m.exec(limits)?.[1] ?? Infinity);
  return Math.min(idle, descriptors - SPARE_DESCRIPTORS);
}

/** A server in its own process. */
interface Served extends AsyncDisposable {
  readonly port: number;
}

async function serve(runtime: Runtime, pingInterval: number): Promise<Served> {
  const server: Child = spawnScript("tests/soak/server.ts", ["0", `${pingInterval}`], {
    runtime,
    env: COLLECTABLE,
  });
  const [, port] = await server.waitFor(/ready (\d+)/);
  return {
    port: Number(port),
    async [Symbol.asyncDispose]() {
      await server.stop("SIGKILL");
      const unexpected = server.output.split("\n").slice(1).join("\n").trim();
      if (unexpected !== "") console.log(`  the server said: ${unexpected.slice(0, 2000)}`);
    },
  };
}

/** Measures active connections alone, and then besides idle ones. */
async function holdIdle(runtime: Runtime, counters: Counters): Promise<string> {
  await using server = await serve(runtime, PING_INTERVAL);
  const { port } = server;
  await activeP99(port, counters); // warms up both ends
  const alone = await activeP99(port, counters);
  const most = mostIdle();
  const holder = spawnScript("tests/soak/idle.ts", [`${port}`, `${most}`]);
  try {
    await holder.waitFor(/held/);
    const beside = await activeP99(port, counters);
    const { opened, closed } = await counts(port);
    if (opened - closed < most) {
      counters.violations.push(`${opened - closed} of ${most} idle are left`);
    }
    const [before, after] = [alone, beside].map((p99) => `${p99.toFixed(1)} ms`);
    return ` p99 of 100 active: ${before} alone, ${after} beside ${most} idle.`;
  } finally {
    await holder.stop("SIGKILL");
  }
}

async function soak(runtime: Runtime, milliseconds: number): Promise<boolean> {
  const counters = makeTally();
  await using server = await serve(runtime, 3000);
  const { port } = server;
  // A first, short round, after which the server has its normal size.
  await churn(port, counters, Date.now() + milliseconds * 0.2);
  const before = await settled(port);
  await churn(port, counters, Date.now() + milliseconds * 0.8);
  const after = await settled(port, before);
  const line = idle > 0 ? await holdIdle(runtime, counters) : "";
  const grown = await withSlowServer((port) => pushMebibytes(port, PUSHED), runtime);
  if (grown > FLAT) counters.violations.push(`${PUSHED} MiB pushed took ${grown} MiB`);
  await streamAll(runtime, counters);
  return report(runtime, counters, before, after, line);
}

/** Sends one message of a gigabyte in pieces, in each direction, compressed and not. */
async function streamAll(runtime: Runtime, counters: Counters): Promise<void> {
  for (const direction of ["up", "down"] as const) {
    for (const compressed of [false, true]) {
      const way = { direction, compressed, mebibytes: PUSHED };
      const { grown, all } = await streamMebibytes(way, runtime);
      const name = `${PUSHED} MiB ${direction} in pieces${compressed ? ", compressed," : ""}`;
      console.log(`${runtime}: ${name} took ${grown} MiB more; ${all} MiB in all`);
      if (grown > FLAT) counters.violations.push(`${name} took ${grown} MiB`);
    }
  }
}

function report(
  runtime: Runtime,
  counters: Counters,
  before: Counts,
  after: Counts,
  line: string,
): boolean {
  const { violations, faults } = counters;
  violations.push(...keeps(before, after));
  const [mibBefore, mibAfter] = [before, after].map(({ memory }) => Math.round(memory / MIB));
  const injected = Object.entries(faults).map(([name, count]) => `${count} ${name}`).join(", ");
  console.log(
    `${runtime}: ${counters.opened} connections, ${counters.messages} messages, ` +
      `${Math.round(counters.bytes / MIB)} MiB echoed; faults: ${injected}; ` +
      `memory ${mibBefore} → ${mibAfter} MiB, ` +
      `descriptors ${before.descriptors} → ${after.descriptors}.${line}`,
  );
  const kinds = Map.groupBy(violations, (violation) => violation.replace(/\b\d+ /g, "… "));
  for (const [, [first, ...more]] of [...kinds].slice(0, 10)) {
    console.log(`  violated: ${first}${more.length > 0 ? ` (${more.length} more like it)` : ""}`);
  }
  return violations.length === 0;
}

let good = true;
for (const runtime of chosen) {
  const time = seconds * 1000 / chosen.length;
  good = await soak(runtime, time) && good;
  good = await chaos(runtime, Math.min(time * CHAOS_SHARE, MOST_CHAOS)) && good;
}
process.exit(good ? 0 : 1);
