/**
 * Connects the topics of several processes through Redis, with history in Redis Streams and
 * presence. Takes a client of `npm:redis` or `npm:ioredis`.
 *
 * @module
 */
import type {
  Broker,
  BrokerEvents,
  BrokerHistory,
  BrokerPresence,
  BrokerStatus,
} from "./broker.ts";
import { connectInTime } from "./time_limit.ts";
import { type IoRedisClient, ioRedisLinks, isIoRedis } from "./ioredis.ts";
import { type NodeRedisClient, nodeRedisLinks } from "./node_redis.ts";
import type { RedisLinks } from "./redis_link.ts";
import { RedisShard } from "./redis_shard.ts";
import {
  type CheckedOptions,
  checkedOptions,
  lateSubscription,
  type RedisServers,
  type RedisStreamsBrokerOptions,
  type ServersEvents,
  storedRedisBroker,
} from "./stored_redis_broker.ts";

export type {
  Broker,
  BrokerEvents,
  BrokerHistory,
  BrokerPresence,
  BrokerStatus,
  IoRedisClient,
  NodeRedisClient,
  RedisStreamsBrokerOptions,
};

/**
 * Connects the topics of all processes that use the same Redis and prefix. Redis keeps the messages
 * of topics with a history, and the table of presence. Redis 6.2 or newer, or Valkey.
 *
 * Topics without a history are channels, as those of `redisBroker`: both exchange their messages. A
 * topic with a history is a stream and a hash besides. Scripts change them, so that each message
 * gets exactly one position, whatever process publishes it. When Redis has restarted, or when a
 * replica has taken over, the newest messages may be lost. The topic then gets another epoch.
 * Positions of the old epoch stay valid up to the last message that was not lost.
 *
 * The broker makes two connections with the options of the client, one for commands and one to
 * subscribe. The client itself need not be connected. `close()` closes the two connections. The
 * user of Redis needs the commands of scripts, `INFO`, and those of channels, hashes, streams and
 * sorted sets.
 *
 * @example
 * ```ts
 * import { createClient } from "npm:redis";
 * import { Application } from "@waterspout/websocket";
 * import { redisStreamsBroker } from "@waterspout/websocket/brokers/redis_streams";
 *
 * async function start(): Promise<void> {
 *   const broker = await redisStreamsBroker(createClient({ url: "redis://localhost:6379" }));
 *   new Application([], { broker }).listen(8888);
 * }
 * ```
 *
 * @param client A client of `npm:redis` (`createClient()`) or `npm:ioredis` (`new Redis()`).
 * @param options The prefix and the limits.
 * @throws {Error} If Redis does not respond in time. The message has the address and the reason.
 * @throws {RangeError} If a number is out of its range.
 * @throws {TypeError} If `prefix` contains a brace.
 */
export async function redisStreamsBroker(
  client: NodeRedisClient | IoRedisClient,
  options: RedisStreamsBrokerOptions = {},
): Promise<Broker> {
  const checked = checkedOptions(options);
  const links = isIoRedis(client)
    ? ioRedisLinks(client, { resubscribes: true })
    : nodeRedisLinks(client);
  return await storedRedisBroker(new SingleServer(links, checked), checked);
}

/** One Redis server. */
class SingleServer implements RedisServers {
  readonly name: string;
  readonly publishCommand = "PUBLISH";
  events: ServersEvents | undefined = undefined;
  readonly #shard: RedisShard;
  readonly #options: CheckedOptions;
  #lastError: Error | undefined;
  #connected: () => void = () => {};

  constructor(links: RedisLinks, options: CheckedOptions) {
    this.name = `Redis at ${links.address}`;
    this.#options = options;
    this.#shard = new RedisShard(links, {
      maxBufferedAmount: options.maxBufferedAmount,
      sharded: false,
      receive: (message, channel) => this.events?.message(message, channel),
      requestTimeout: options.requestTimeout,
      changed: (_shard, error) => this.#changed(error),
      subscribed: (_shard, channel) => this.events?.missed(this.topicOf(channel)),
      moved: () => {},
    });
  }

  get status(): BrokerStatus {
    if (!this.#shard.isReady) return "down";
    return this.#shard.backlog.isSlow ? "slow" : "up";
  }

  #changed(error: Error | undefined): void {
    if (error !== undefined) this.#lastError = error;
    this.events?.changed(error);
    if (this.#shard.isReady) this.#connected();
  }

  connect(): Promise<void> {
    const { name } = this;
    const { timeout } = this.#options;
    return connectInTime({ name, timeout, lastError: () => this.#lastError }, (connected) => {
      this.#connected = connected;
      this.#shard.connect();
    });
  }

  shardOf(): RedisShard {
    if (!this.#shard.isReady) throw new Error(`no connection to ${this.#shard.address}`);
    return this.#shard;
  }

  targetOf(): RedisShard {
    return this.shardOf();
  }

  targetAt(address: string): never {
    throw new Error(`${this.name} is part of a cluster: it says that ${address} has the topic`);
  }

  recover(): Promise<void> {
    // Redis has forgotten a script. It is then sent whole.
    return Promise.resolve();
  }

  channelOf(topic: string): string {
    return this.#options.prefix + topic;
  }

  topicOf(channel: string): string {
    return channel.slice(this.#options.prefix.length);
  }

  async subscribe(topic: string): Promise<void> {
    const isActive = await this.#shard.subscribe(this.channelOf(topic));
    if (!isActive && this.status !== "down") this.events?.failed(lateSubscription(topic));
  }

  async unsubscribe(topic: string): Promise<void> {
    await this.#shard.unsubscribe(this.channelOf(topic));
  }

  close(): void {
    this.#shard.close();
  }
}
