/**
 * Connects the topics of several processes through Redis, with a client of `npm:redis` or
 * `npm:ioredis`.
 *
 * @module
 */
import { checkValue, TIME } from "../../validation.ts";
import { Backlog, MAX_BUFFERED_AMOUNT } from "./backlog.ts";
import type { Broker, BrokerEvents, BrokerStatus } from "./broker.ts";
import { type IoRedisClient, ioRedisLinks, isIoRedis } from "./ioredis.ts";
import { type NodeRedisClient, nodeRedisLinks } from "./node_redis.ts";
import type { RedisLink, RedisLinks } from "./redis_link.ts";

export type { Broker, BrokerEvents, BrokerStatus, IoRedisClient, NodeRedisClient };

/**
 * The options of {@linkcode redisBroker}.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import type { RedisBrokerOptions } from "@waterspout/websocket/brokers/redis";
 *
 * const options: RedisBrokerOptions = { prefix: "chat:", maxBufferedAmount: 16 * 1024 * 1024 };
 * assert(options.prefix === "chat:");
 * ```
 */
export interface RedisBrokerOptions {
  /** The prefix of all channels. Use one for each application. Default: `"waterspout:"`. */
  readonly prefix?: string;
  /** How long to wait for the first connection, in milliseconds; 0 is no limit. Default: 5 s. */
  readonly timeout?: number;
  /**
   * How many bytes may wait for an acknowledgement; `Infinity` is no limit. If more would wait,
   * messages are dropped and counted, and the status is `"slow"`, until at most half of the limit
   * waits. Each message counts as its size plus 2 KiB, the memory of a command in the client
   * library. Default: 64 MiB.
   */
  readonly maxBufferedAmount?: number;
}

/** The memory of a pending command in a client library, without its bytes: 1.1 to 2.4 KiB. */
const COMMAND_SIZE = 2048;

/**
 * Connects the topics of all processes that use the same Redis and prefix.
 *
 * The broker makes two connections with the options of the client, one to publish and one to
 * subscribe. The client itself need not be connected. `close()` closes the two connections. Each
 * topic is a channel. A process subscribes to a channel while the topic has local subscribers.
 *
 * While Redis is not reachable, or more than `maxBufferedAmount` waits for it, messages reach only
 * the subscribers of the same process. Messages for other processes are dropped and counted. The
 * client library reconnects as its options say.
 *
 * @example
 * ```ts
 * import { createClient } from "npm:redis";
 * import { Application } from "@waterspout/websocket";
 * import { redisBroker } from "@waterspout/websocket/brokers/redis";
 *
 * async function start(): Promise<void> {
 *   const broker = await redisBroker(createClient({ url: "redis://localhost:6379" }));
 *   new Application([], { broker }).listen(8888);
 * }
 * ```
 *
 * @param client A client of `npm:redis` (`createClient()`) or `npm:ioredis` (`new Redis()`).
 * @param options The prefix and the limits.
 * @throws {Error} If Redis does not respond in time. The message has the address and the reason.
 * @throws {RangeError} If `timeout` or `maxBufferedAmount` is out of its range.
 */
export async function redisBroker(
  client: NodeRedisClient | IoRedisClient,
  options: RedisBrokerOptions = {},
): Promise<Broker> {
  const { prefix = "waterspout:", timeout = 5000, maxBufferedAmount = MAX_BUFFERED_AMOUNT } =
    options;
  checkValue(timeout, "Cannot use timeout:", TIME);
  const links = isIoRedis(client) ? ioRedisLinks(client) : nodeRedisLinks(client);
  const broker = new RedisBroker(links, { prefix, maxBufferedAmount });
  try {
    await broker.connect(timeout);
  } catch (error) {
    await broker.close();
    throw error;
  }
  return broker;
}

class RedisBroker implements Broker {
  readonly name: string;
  events: BrokerEvents | undefined = undefined;
  status: BrokerStatus = "down";
  readonly #address: string;
  readonly #prefix: string;
  readonly #publisher: RedisLink;
  readonly #subscriber: RedisLink;
  readonly #backlog: Backlog;
  #closed = false;
  #lastError: Error | undefined;
  #changed: () => void = () => {};

  constructor(
    { address, publisher, subscriber }: RedisLinks,
    { prefix, maxBufferedAmount }: Required<Omit<RedisBrokerOptions, "timeout">>,
  ) {
    this.name = `Redis at ${address}`;
    this.#address = address;
    this.#prefix = prefix;
    this.#publisher = publisher;
    this.#subscriber = subscriber;
    this.#backlog = new Backlog(maxBufferedAmount, () => this.#look());
  }

  /** Resolves when both connections are ready. Rejects after `timeout`. */
  connect(timeout: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = timeout === 0 ? undefined : setTimeout(() => {
        const cause = this.#lastError;
        const reason = cause === undefined
          ? `no response within timeout (${timeout} ms)`
          : describe(cause);
        reject(new Error(`Cannot reach Redis at ${this.#address}: ${reason}`, { cause }));
      }, timeout);
      this.#changed = () => {
        if (this.status !== "up") return;
        clearTimeout(timer);
        resolve();
      };
      for (const link of [this.#publisher, this.#subscriber]) {
        link.watch((error) => this.#look(error));
        link.connect();
      }
    });
  }

  #look(error?: Error): void {
    if (error !== undefined) this.#lastError = error;
    if (this.#closed) return;
    const status = this.#currentStatus();
    if (status === this.status) return;
    this.status = status;
    this.#changed();
    this.events?.status(status, status === "down" ? error : undefined);
  }

  #currentStatus(): BrokerStatus {
    if (!this.#publisher.isReady || !this.#subscriber.isReady) return "down";
    return this.#backlog.isSlow ? "slow" : "up";
  }

  publish(topic: string, message: Uint8Array): void {
    const backlog = this.#backlog;
    const size = message.length + COMMAND_SIZE;
    if (!backlog.admits(size)) return;
    const published = this.#publisher.publish(this.#prefix + topic, message);
    backlog.add(size);
    published.then(() => backlog.remove(size), (error) => {
      backlog.remove(size);
      // A message that is lost with the connection is no failure of its own.
      if (this.status !== "down") this.events?.failed(error);
    });
  }

  async subscribe(topic: string): Promise<void> {
    await this.#subscriber.subscribe(this.#prefix + topic, this.#receive);
  }

  async unsubscribe(topic: string): Promise<void> {
    await this.#subscriber.unsubscribe(this.#prefix + topic);
  }

  readonly #receive = (message: Uint8Array): void => {
    // A client may still deliver what has arrived before it was closed.
    if (!this.#closed) this.events?.message(message);
  };

  close(): Promise<void> {
    this.#closed = true;
    this.status = "down";
    this.#publisher.close();
    this.#subscriber.close();
    return Promise.resolve();
  }
}

/** Describes an error. Node's error for several addresses has no message. */
function describe(error: Error): string {
  const { message, code } = error as Error & { readonly code?: unknown };
  return message || String(code ?? error.name);
}
