/**
 * Measures topics with a history in Redis Streams: the rate of publishing beside plain topics and
 * XADD, the latency, and how long 10,000 clients take to recover after Redis has restarted. Run it
 * on each runtime:
 *
 *     node tests/bench/history.ts       # or bun, or deno run -A
 *
 * Clients, applications and Redis share the machine. The clients are in memory.
 *
 * @module
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import type { Broker, Position } from "../../src/pubsub/brokers/broker.ts";
import { Application } from "../../src/server/application.ts";
import { WebSocketHandler } from "../../src/server/handler.ts";
import { redisStreamsBroker } from "../../src/pubsub/brokers/redis_streams.ts";
import { nodeRedisClient } from "../brokers/kinds.ts";
import { BrokerServer, until } from "../brokers/servers.ts";
import { Member } from "../pubsub/member.ts";

const MESSAGES = 20_000;
const IN_FLIGHT = 500;
const ROUND_TRIPS = 500;
const CLIENTS = 10_000;
const MISSED = 20;
/** How many clients connect in one turn of the event loop. */
const BATCH = 250;
const TEXT = "x".repeat(64);

/** Subscribes to the topic of its path, and says when it is up to date. */
class Follower extends WebSocketHandler {
  override async open(topic: string): Promise<void> {
    const since = this.getQueryArgument("since", "");
    const options = since === "" ? {} : { since: JSON.parse(since) as Position };
    const { recovered } = await this.subscribe(topic, options);
    this.writeMessage(recovered ? "recovered" : "subscribed");
  }
  onMessage(): void {}
}

function makeApp(broker: Broker): Application {
  return new Application([["/:topic", Follower]], {
    pingInterval: 0,
    broker,
    history: { "kept/*": { size: 1000 } },
  });
}

/** Runs `send` with a fixed number in flight. Returns calls per second, and CPU µs for each. */
async function rate(send: (index: number) => Promise<unknown>): Promise<string> {
  let next = 0;
  const lane = async () => {
    while (next < MESSAGES) await send(next++);
  };
  const [start, before] = [performance.now(), process.cpuUsage()];
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
  const { user, system } = process.cpuUsage(before);
  const perSecond = MESSAGES / (performance.now() - start) * 1000;
  return `${perSecond.toFixed(0)}/s, ${((user + system) / MESSAGES).toFixed(1)} µs of CPU each`;
}

/** The times from publishing to arrival at a client of another application. */
async function latency(from: Application, to: Member, topic: string): Promise<string> {
  const times: number[] = [];
  for (let trip = 0; trip < ROUND_TRIPS; trip++) {
    to.take();
    const start = performance.now();
    from.publish(topic, TEXT);
    while (to.messages.length === 0) await new Promise((resolve) => setImmediate(resolve));
    times.push(performance.now() - start);
  }
  times.sort((a, b) => a - b);
  const at = (share: number) => (times[Math.floor(times.length * share)] ?? NaN).toFixed(2);
  return `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`;
}

async function joinTopic(app: Application, path: string): Promise<Member> {
  const member = await Member.join(app, path, "rfc6455");
  await until("the subscription", () => member.messages.length > 0);
  return member;
}

async function measureRates(port: number): Promise<void> {
  const admin = nodeRedisClient(port);
  await admin.connect();
  const [one, other] = [
    await redisStreamsBroker(nodeRedisClient(port)),
    await redisStreamsBroker(nodeRedisClient(port)),
  ];
  const [from, to] = [makeApp(one), makeApp(other)];
  const trim = { TRIM: { strategy: "MAXLEN", strategyModifier: "~", threshold: 1000 } } as const;
  const raw = () => admin.xAdd("raw", "*", { m: TEXT }, trim);
  const [plain, kept] = [
    await joinTopic(to, "/plain"),
    await joinTopic(to, `/${encodeURIComponent("kept/a")}`),
  ];
  console.log("XADD alone:", await rate(raw));
  let arrived = plain.messages.length;
  const published = rate(async () => {
    const goal = arrived++;
    from.publish("plain", TEXT);
    while (plain.messages.length <= goal) await new Promise((resolve) => setImmediate(resolve));
  });
  console.log("plain topic, until arrival:", await published);
  console.log(
    "topic with history, until stored:",
    await rate(() => from.publish("kept/a", TEXT).position),
  );
  await until("all", () => kept.messages.length > MESSAGES);
  console.log("latency of a plain topic:", await latency(from, plain, "plain"));
  console.log("latency of a topic with history:", await latency(from, kept, "kept/a"));
  for (const broker of [one, other]) await broker.close();
  admin.destroy();
}

/** All clients come back at the same time, after Redis has restarted with its data. */
async function measureRecovery(server: BrokerServer): Promise<void> {
  const broker = await redisStreamsBroker(nodeRedisClient(server.port));
  let reads = 0;
  const { history } = broker;
  if (history === undefined) throw new Error("The broker has no history");
  const read = history.read.bind(history);
  history.read = (topic, since) => {
    reads++;
    return read(topic, since);
  };
  const app = makeApp(broker);
  const since = await app.publish("kept/a", "first").position;
  for (let number = 0; number < MISSED; number++) await app.publish("kept/a", TEXT).position;
  await server.kill();
  await until("the end", () => broker.status === "down");
  await server.start();
  await until("the start", () => broker.status === "up");
  const path = `/${encodeURIComponent("kept/a")}?since=${
    encodeURIComponent(JSON.stringify(since))
  }`;
  const [start, before] = [performance.now(), process.cpuUsage()];
  const members: Member[] = [];
  while (members.length < CLIENTS) {
    const joining = Array.from({ length: BATCH }, () => Member.join(app, path, "rfc6455"));
    members.push(...await Promise.all(joining));
  }
  await until("all", () => members.every(({ messages }) => messages.length > MISSED));
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(before);
  const recovered = members.filter(({ messages }) => messages.at(-1) === "recovered").length;
  console.log(
    `${CLIENTS} clients with ${MISSED} missed messages, after a restart: ${recovered} recovered in ` +
      `${seconds.toFixed(2)} s, ${((user + system) / CLIENTS).toFixed(0)} µs of CPU each, ` +
      `${reads} reads from Redis`,
  );
  await broker.close();
}

const dir = mkdtempSync(join(tmpdir(), "waterspout-bench-"));
const settings = { dir, appendonly: "yes", appendfsync: "everysec" };
const server = await BrokerServer.redis({ settings });
try {
  await measureRates(server.port);
  await measureRecovery(server);
} finally {
  await server.stop();
  rmSync(dir, { recursive: true });
}
process.exit();
