/**
 * Measures the cost of a published message: to 10,000 subscribers of one process, compared with
 * `Bun.serve`, a loop over `ws` and `Deno.upgradeWebSocket`; and from one process to another through
 * Redis and NATS.
 *
 *     deno task bench:publish [--quick] [--local | --brokers]
 *
 * `--local` measures the first part alone, `--brokers` the second.
 *
 * @module
 */

import { BrokerServer } from "../brokers/servers.ts";
import { Child } from "../support/spawn.ts";
import { orExit, parseTaskArgs, runTask } from "../support/usage.ts";
import { WireSocket } from "../support/wire_socket.ts";
import { buildLoadGenerator, type Load, runLoad } from "./load.ts";
import { root, runtimeCommand } from "./runtimes.ts";
import { LOAD_CORE, pinned, SERVER_CORE, startServer } from "./server_process.ts";
import { CONTESTS, type RuntimeName, runtimeTitle, type Subject, subjectsOf } from "./subjects.ts";

const FLAG = { type: "boolean", default: false } as const;
const { values: { quick: IS_QUICK, brokers: ONLY_BROKERS, local: ONLY_LOCAL } } = orExit(() =>
  parseTaskArgs(Deno.args, { quick: FLAG, brokers: FLAG, local: FLAG })
);
const REPETITIONS = IS_QUICK ? 1 : 5;
const RECEIVERS = 10_000;

/** One message at a time from one connection to all others. */
const FAN_OUT: Load = {
  mode: "fanout",
  format: "hybi",
  connections: RECEIVERS + 1,
  inFlight: 1,
  size: 64,
  binary: false,
  tls: false,
  seconds: IS_QUICK ? 2 : 5,
  warmUp: 1,
};

/** Messages one after the other, for the latency. */
const ROUND_TRIPS = IS_QUICK ? 500 : 3000;
/** Messages with a fixed number in flight, for the throughput. */
const MESSAGES = IS_QUICK ? 20_000 : 100_000;
const IN_FLIGHT = 500;

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN;
}

// --- To the subscribers of one process
// --------------------------------------------------------------

interface FanOut {
  readonly throughput: number;
  readonly cpu: number;
}

async function fanOut(subject: Subject): Promise<FanOut> {
  await using server = await startServer(subject, "fan");
  return await runLoad(FAN_OUT, server);
}

async function compareFanOut(): Promise<void> {
  const contests = CONTESTS.filter(({ column }) => column !== undefined && column !== "draft76");
  const subjects = subjectsOf(contests).filter(({ format }) => format === "hybi");
  const results = new Map<Subject, FanOut[]>(subjects.map((subject) => [subject, []]));
  for (let repetition = 0; repetition < REPETITIONS; repetition++) {
    for (const subject of repetition % 2 === 0 ? subjects : subjects.toReversed()) {
      results.get(subject)?.push(await fanOut(subject));
    }
  }
  console.log(`| to ${RECEIVERS} subscribers | deliveries/s | CPU µs for each |\n|---|--:|--:|`);
  for (const [{ name, runtime }, runs] of results) {
    const throughput = Math.round(median(runs.map(({ throughput }) => throughput)));
    const cpu = median(runs.map(({ cpu }) => cpu)).toFixed(2);
    console.log(`| ${name} on ${runtimeTitle(runtime)} | ${throughput} | ${cpu} |`);
  }
}

// --- Through a broker
// -------------------------------------------------------------------------------

/** Called for each message. */
interface Listener {
  heard: () => void;
}

/**
 * A process of tests/cluster/server.ts, with a connection that publishes and one that subscribes.
 */
class Process implements AsyncDisposable {
  readonly control: WireSocket;
  readonly listener: Listener;
  readonly #child: Child;
  readonly #subscriber: WireSocket;

  private constructor(
    child: Child,
    { control, subscriber, listener }: {
      control: WireSocket;
      subscriber: WireSocket;
      listener: Listener;
    },
  ) {
    this.#child = child;
    this.control = control;
    this.#subscriber = subscriber;
    this.listener = listener;
  }

  static async start(runtime: RuntimeName, broker: string, core: number): Promise<Process> {
    const command = runtimeCommand(runtime, `${root}/tests/cluster/server.ts`);
    if (runtime === "deno") command.splice(2, 0, "--unstable-net");
    const child = new Child(pinned(core, [...command, "0", broker]));
    const [, port] = await child.waitFor(/^ready (\d+)$/m);
    const options = { port: Number(port), version: "rfc6455" } as const;
    const control = await WireSocket.open({ ...options, path: "/control" });
    const listener: Listener = { heard() {} };
    // The first message confirms the subscription.
    const complete = new Promise<void>((resolve) => listener.heard = resolve);
    const onMessage = () => listener.heard();
    const subscriber = await WireSocket.open({ ...options, path: "/topic/news", onMessage });
    await complete;
    return new Process(child, { control, subscriber, listener });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.control.destroy();
    this.#subscriber.destroy();
    await this.#child.stop("SIGKILL");
  }
}

/** The median time from publishing in one process to receiving in another, in microseconds. */
async function latency(from: Process, to: Process): Promise<number> {
  const times: number[] = [];
  for (let trip = 0; trip < ROUND_TRIPS; trip++) {
    const start = performance.now();
    await new Promise<void>((resolve) => {
      to.listener.heard = resolve;
      from.control.send("news hello");
    });
    times.push((performance.now() - start) * 1000);
    // Waits a turn, so that deliveries to the others do not overlap with the next message.
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  to.listener.heard = () => {};
  return median(times);
}

/** Messages per second from one process to another. */
async function throughput(from: Process, to: Process): Promise<number> {
  let sent = 0;
  let heard = 0;
  const start = performance.now();
  await new Promise<void>((resolve) => {
    to.listener.heard = () => {
      heard++;
      if (heard === MESSAGES) resolve();
      else if (sent < MESSAGES) send();
    };
    const send = () => {
      sent++;
      from.control.send("news a message of 64 characters, as many as in the broadcast above");
    };
    while (sent < IN_FLIGHT) send();
  });
  to.listener.heard = () => {};
  return MESSAGES / (performance.now() - start) * 1000;
}

async function measureBroker(runtime: RuntimeName, broker: string): Promise<string> {
  await using one = await Process.start(runtime, broker, SERVER_CORE);
  await using other = await Process.start(runtime, broker, LOAD_CORE);
  await latency(one, other);
  const [local, remote] = [await latency(one, one), await latency(one, other)];
  const [alone, joined] = [await throughput(one, one), await throughput(one, other)];
  const cells = [local, remote, remote - local, alone, joined].map((value) => value.toFixed(0));
  return cells.join(" | ");
}

async function compareBrokers(): Promise<void> {
  console.log(
    "\n| broker | runtime | within a process, µs | to another, µs | added, µs | " +
      "messages/s within | to another |\n|---|---|--:|--:|--:|--:|--:|",
  );
  const redis = await BrokerServer.redis();
  const nats = await BrokerServer.nats();
  const brokers: readonly (readonly [string, string])[] = [
    ["Redis, npm:redis", `redis://127.0.0.1:${redis.port}`],
    ["Redis, npm:ioredis", `ioredis:${redis.port}`],
    ["NATS", `nats://127.0.0.1:${nats.port}`],
  ];
  for (const [name, url] of brokers) {
    for (const runtime of ["bun", "deno", "node"] as const) {
      console.log(`| ${name} | ${runtimeTitle(runtime)} | ${await measureBroker(runtime, url)} |`);
    }
  }
  await redis.stop();
  await nats.stop();
}

await runTask(async () => {
  if (!ONLY_BROKERS) {
    await buildLoadGenerator();
    await compareFanOut();
  }
  if (!ONLY_LOCAL) await compareBrokers();
  return 0;
});
