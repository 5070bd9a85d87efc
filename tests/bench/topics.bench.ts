/**
 * Measures topics without the network: subscribing, publishing and unsubscribing with 1,000 to 100,000
 * topics, and publishing to many. Run by `deno task bench:micro --only topics`.
 *
 * @module
 */

import process from "node:process";
import { Application, type Published, WebSocketHandler } from "../../mod.ts";
import type { Address, Transport, TransportEvents } from "../../src/transport/transport.ts";
import { openingHandshake } from "../support/wire_client.ts";

/** How often each figure is measured. The median counts. */
const REPETITIONS = 5;
/** How many connections share the topics. */
const CONNECTIONS = 1000;
const TOPICS: readonly number[] = [1000, 10_000, 100_000];
const SUBSCRIBERS: readonly number[] = [100, 1000, 10_000];

const ADDRESS: Address = { transport: "tcp", hostname: "127.0.0.1", port: 1 };

/** A connection that discards its output. */
class Sink implements Transport {
  events: TransportEvents = { data() {}, drain() {}, end() {}, closed() {} };
  readonly bufferedAmount = 0;
  readonly remoteAddress = ADDRESS;
  readonly localAddress = ADDRESS;
  readonly secure = false;
  written = 0;
  write(bytes: Uint8Array): void {
    this.written += bytes.length;
  }
  pause(): void {}
  resume(): void {}
  end(): void {}
  destroy(): void {
    this.events.closed();
  }
  setNoDelay(): void {}
  setKeepAlive(): void {}
}

class Member extends WebSocketHandler {
  static readonly all: Member[] = [];
  override open(): void {
    Member.all.push(this);
  }
  onMessage(): void {}
}

interface Scene {
  readonly app: Application;
  readonly members: readonly Member[];
  readonly sinks: readonly Sink[];
}

function connect(count: number): Scene {
  const app = new Application([["/", Member]], { pingInterval: 0 });
  Member.all.length = 0;
  const sinks = Array.from({ length: count }, () => {
    const sink = new Sink();
    app.accept(sink);
    sink.events.data(openingHandshake("/", "rfc6455"));
    return sink;
  });
  return { app, members: [...Member.all], sinks };
}

/** The time of `count` operations, in nanoseconds for each. */
function time(count: number, run: (index: number) => void): number {
  const start = performance.now();
  for (let index = 0; index < count; index++) run(index);
  return (performance.now() - start) / count * 1e6;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN;
}

/** Waits for scheduled work: the writes of published messages. */
function settle(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

interface TopicCosts {
  readonly subscribe: number;
  readonly publish: number;
  readonly leave: number;
  readonly bytes: number;
}

async function measureTopics(topics: number): Promise<TopicCosts> {
  const { app, members, sinks } = connect(CONNECTIONS);
  const names = Array.from({ length: topics }, (_, index) => `topic ${index}`);
  // Every member exists: there is one for each connection.
  const memberOf = (index: number) => members[index % CONNECTIONS]!;
  const before = process.memoryUsage().rss;
  const subscribe = time(topics, (index) => memberOf(index).subscribe(names[index]!));
  const bytes = (process.memoryUsage().rss - before) / topics;
  const messages = 10_000;
  let published: Pick<Published, "sent" | "ready"> = {
    sent: 0,
    ready: Promise.resolve(),
  };
  const publish = time(messages, (index) => {
    published = app.publish(names[index * 7919 % topics]!, "a short message");
  });
  if (published.sent !== 1) throw new Error("Cannot measure: a message was not sent");
  await settle();
  const leave = time(CONNECTIONS, (index) => sinks[index]!.destroy()) * CONNECTIONS / topics;
  if (app.stats().topics !== 0) throw new Error("Cannot measure: a topic is left");
  return { subscribe, publish, leave, bytes };
}

/** Nanoseconds per receiver of a message, including the write to the transport. */
async function measureMessage(subscribers: number): Promise<number> {
  const { app, members, sinks } = connect(subscribers);
  for (const member of members) member.subscribe("all");
  const messages = Math.ceil(200_000 / subscribers);
  const start = performance.now();
  for (let index = 0; index < messages; index++) {
    app.publish("all", "a message of 64 characters, as many as in the broadcast's load ...");
    await Promise.resolve();
  }
  const elapsed = performance.now() - start;
  await settle();
  for (const sink of sinks) sink.destroy();
  return elapsed / messages / subscribers * 1e6;
}

async function repeat<Result>(measure: () => Promise<Result>): Promise<Result[]> {
  const results: Result[] = [];
  for (let repetition = 0; repetition < REPETITIONS; repetition++) results.push(await measure());
  return results;
}

console.log("| topics, each with a subscriber | subscribe, ns | publish, ns | leave, ns | bytes |");
console.log("|--:|--:|--:|--:|--:|");
for (const topics of TOPICS) {
  const results = await repeat(() => measureTopics(topics));
  const [subscribe, publish, leave] = (["subscribe", "publish", "leave"] as const)
    .map((name) => median(results.map((result) => result[name])).toFixed(0));
  // Only the first measurement includes getting new memory from the system.
  const bytes = (results[0]?.bytes ?? NaN).toFixed(0);
  console.log(`| ${topics} | ${subscribe} | ${publish} | ${leave} | ${bytes} |`);
}
console.log("\n| subscribers of one topic | ns for each |\n|--:|--:|");
for (const subscribers of SUBSCRIBERS) {
  const results = await repeat(() => measureMessage(subscribers));
  console.log(`| ${subscribers} | ${median(results).toFixed(0)} |`);
}
process.exit(0);
