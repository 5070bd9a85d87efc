/**
 * Topics of several processes joined by Redis, through a client of your own: `npm:redis` or
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

/** How {@linkcode redisBroker} uses Redis. */
export interface RedisBrokerOptions {
  /** What the channels' names begin with; `"waterspout:"` unless told. One for each application. */
  readonly prefix?: string;
  /** How long the first connection may take, in milliseconds; 0 is for ever. Default: 5 s. */
  readonly timeout?: number;
  /**
   * How much may wait for Redis to acknowledge it, in bytes; `Infinity` is no limit. Beyond it
   * messages are dropped and counted, and the status is `"slow"`, until no more than half of it
   * waits. Each message counts 2 KiB beside its bytes, which is what the clients' libraries keep of a
   * command. Default: 64 MiB.
   */
  readonly maxBufferedAmount?: number;
}

/** What a client keeps of a command until it is answered, beside its bytes: measured 1.1 to 2.4 KiB. */
const COMMAND_SIZE = 2048;

/**
 * Joins the topics of all processes that use the same Redis and prefix.
 *
 * The client only says how to connect, and need not be connected: the broker makes two connections
 * like it, one to publish and one to subscribe, and closes them in `close()`. A topic is a channel,
 * which a process subscribes to while it has subscribers of its own.
 *
 * When Redis goes away, or hangs so long that `maxBufferedAmount` waits for it, messages reach the
 * subscribers of their own process alone; those for other processes are dropped and counted. The
 * client library connects again as its options say.
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
 * @param client What `createClient()` of `npm:redis` or `new Redis()` of `npm:ioredis` has made.
 * @param options The channels' prefix, how long to try, and how much may wait.
 * @throws {Error} If Redis cannot be reached in time; the message has the address and the reason.
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

  /** Resolves when both connections are there; rejects if they are not in time. */
  connect(timeout: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const late = timeout === 0 ? undefined : setTimeout(() => {
        const cause = this.#lastError;
        const reason = cause === undefined ? `no answer in ${timeout} ms` : describe(cause);
        reject(new Error(`Cannot reach Redis at ${this.#address}: ${reason}`, { cause }));
      }, timeout);
      this.#changed = () => {
        if (this.status !== "up") return;
        clearTimeout(late);
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
      // What was under way when the connection broke is lost like what comes after it.
      if (this.status !== "down") this.events?.failed(error);
    });
  }

  async subscribe(topic: string): Promise<void> {
    await this.#subscriber.subscribe(this.#prefix + topic, this.#receive);
  }

  async unsubscribe(topic: string): Promise<void> {
    await this.#subscriber.unsubscribe(this.#prefix + topic);
  }

  readonly #receive = (message: Uint8Array): void => this.events?.message(message);

  close(): Promise<void> {
    this.#closed = true;
    this.status = "down";
    this.#publisher.close();
    this.#subscriber.close();
    return Promise.resolve();
  }
}

/** An error in a line; Node's own for several addresses has no message. */
function describe(error: Error): string {
  const { message, code } = error as Error & { readonly code?: unknown };
  return message || String(code ?? error.name);
}
