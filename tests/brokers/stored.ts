/**
 * Brokers with history, for tests without an application.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { createCluster } from "redis";
import { Cluster } from "ioredis";
import type {
  Broker,
  BrokerHistory,
  BrokerPresence,
  BrokerStatus,
  HistoryLimits,
  Position,
  StoredAt,
} from "../../src/pubsub/brokers/broker.ts";
import { redisClusterBroker } from "../../src/pubsub/brokers/redis_cluster.ts";
import {
  redisStreamsBroker,
  type RedisStreamsBrokerOptions,
} from "../../src/pubsub/brokers/redis_streams.ts";
import { ioRedisClient, nodeRedisClient, RETRY } from "./kinds.ts";
import { BrokerServer, until } from "./servers.ts";

/** Limits that no test reaches by chance. */
export const LIMITS: HistoryLimits = { size: 10_000, ttl: 60_000, maxBytes: 64 * 1024 * 1024 };

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Encodes a text. */
export function bytesOf(text: string): Uint8Array {
  return encoder.encode(text);
}

/** Decodes a text. */
export function textOf(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

/** Makes a broker. */
export type MakeBroker = (port: number, options?: RedisStreamsBrokerOptions) => Promise<Broker>;

/** Brokers over one server, by client library. */
export const STREAMS: Readonly<Record<string, MakeBroker>> = {
  "npm:redis": (port, options) => redisStreamsBroker(nodeRedisClient(port), options),
  "npm:ioredis": (port, options) => redisStreamsBroker(ioRedisClient(port), options),
};

/** A client of a cluster by its port. Making one takes `npm:redis` 50 ms: it makes a class each time. */
const clusters = new Map<number, ReturnType<typeof openCluster>>();

function openCluster(port: number) {
  const cluster = createCluster({
    rootNodes: [{ url: `redis://127.0.0.1:${port}` }],
    defaults: { socket: { reconnectStrategy: () => RETRY } },
  });
  cluster.on("error", () => {});
  clusters.set(port, cluster);
  return cluster;
}

/** Brokers over a cluster, by client library. */
export const CLUSTERS: Readonly<Record<string, MakeBroker>> = {
  "npm:redis": (port, options) =>
    redisClusterBroker(clusters.get(port) ?? openCluster(port), options),
  "npm:ioredis": (port, options) => {
    const nodes = [{ host: "127.0.0.1", port }];
    const strategy = { lazyConnect: true, clusterRetryStrategy: () => RETRY };
    return redisClusterBroker(new Cluster(nodes, strategy), options);
  },
};

/** A message that has arrived. */
export interface Arrived {
  readonly text: string;
  readonly stored: StoredAt | undefined;
}

/** A broker, with what it has reported. */
export class Peer {
  readonly broker: Broker;
  readonly history: BrokerHistory;
  readonly presence: BrokerPresence;
  readonly arrived: Arrived[] = [];
  readonly statuses: BrokerStatus[] = [];
  readonly failures: string[] = [];
  readonly missed: string[] = [];
  /** Called when the status changes. */
  onStatus: (status: BrokerStatus) => void = () => {};

  constructor(broker: Broker) {
    this.broker = broker;
    if (!broker.history || !broker.presence) throw new Error(`${broker.name} stores nothing`);
    this.history = broker.history;
    this.presence = broker.presence;
    broker.events = {
      message: (data, stored) =>
        this.arrived.push({ text: data instanceof Uint8Array ? textOf(data) : "", stored }),
      status: (status) => {
        this.statuses.push(status);
        this.onStatus(status);
      },
      failed: (error) => this.failures.push(error.message),
      missed: (topic) => this.missed.push(topic),
    };
  }

  /** Stores a text. */
  append(topic: string, text: string, limits: HistoryLimits = LIMITS): Promise<Position> {
    return this.history.append(topic, bytesOf(text), limits);
  }

  /** Stores texts one after the other. Returns the position of the last one. */
  async appendAll(topic: string, texts: readonly string[], limits = LIMITS): Promise<Position> {
    const positions = await Promise.all(texts.map((text) => this.append(topic, text, limits)));
    const last = positions.at(-1);
    if (last === undefined) throw new Error("There are no texts");
    return last;
  }

  /** The texts that are kept, with whether that is all since a position. */
  async read(topic: string, since?: Position): Promise<readonly [boolean, readonly string[]]> {
    const { complete, messages } = await this.history.read(topic, since);
    return [complete, messages.map(({ message }) => textOf(message))];
  }

  /** Waits for a number of messages, and returns them all. */
  async received(count: number): Promise<readonly Arrived[]> {
    await until(`${count} messages`, () => this.arrived.length >= count);
    return this.arrived;
  }
}

/** Numbers as texts: `numbers(2, 4)` is `["2", "3", "4"]`. */
export function numbers(first: number, last: number): string[] {
  return Array.from({ length: last - first + 1 }, (_, index) => `${first + index}`);
}

/** Checks that messages of one topic have consecutive offsets from 1 in one epoch. */
export function assertContiguous(arrived: readonly Arrived[]): void {
  const offsets = arrived.map(({ stored }) => stored?.offset);
  assertEquals(offsets, Array.from(offsets, (_, index) => index + 1));
  assertEquals(new Set(arrived.map(({ stored }) => stored?.epoch)).size, 1);
}

/** A server with a client for what only a test does. */
export class Bench {
  readonly server: BrokerServer;
  readonly admin: ReturnType<typeof nodeRedisClient>;
  readonly #make: MakeBroker;
  readonly #peers: Peer[] = [];

  constructor(server: BrokerServer, make: MakeBroker) {
    this.server = server;
    this.#make = make;
    this.admin = nodeRedisClient(server.port);
  }

  /** Makes a broker, like that of another process. */
  async peer(options: RedisStreamsBrokerOptions = {}): Promise<Peer> {
    const peer = new Peer(await this.#make(this.server.port, options));
    this.#peers.push(peer);
    return peer;
  }

  /** Closes everything. */
  async end(): Promise<void> {
    this.server.thaw();
    for (const { broker } of this.#peers) await broker.close();
    this.admin.destroy();
    await this.server.stop();
  }
}

/** Runs `body` with a Redis server and the client library `name`. */
export async function withBench(
  name: string,
  body: (bench: Bench) => Promise<void>,
  settings: Readonly<Record<string, string>> = {},
): Promise<void> {
  const make = STREAMS[name];
  if (make === undefined) throw new Error(`There is no client ${name}`);
  const bench = new Bench(await BrokerServer.redis({ settings }), make);
  await bench.admin.connect();
  try {
    await body(bench);
  } finally {
    await bench.end();
  }
}
