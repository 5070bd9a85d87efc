/**
 * A broker with history and presence, over one or several Redis servers.
 *
 * @module
 */
import { checkValue, TIME } from "../../validation.ts";
import { MAX_BUFFERED_AMOUNT } from "./backlog.ts";
import type {
  Broker,
  BrokerEvents,
  BrokerHistory,
  BrokerPresence,
  BrokerStatus,
} from "./broker.ts";
import { RedisRequests, type RequestServers } from "./redis_requests.ts";
import { redisHistory, redisPresence, type StoreOptions } from "./redis_store.ts";
import { parseMessage, plainMessage } from "./redis_topics.ts";

/**
 * The options of `redisStreamsBroker` and `redisClusterBroker`.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import type { RedisStreamsBrokerOptions } from "@waterspout/websocket/brokers/redis_streams";
 *
 * const options: RedisStreamsBrokerOptions = { prefix: "chat:", requestTimeout: 2000 };
 * assert(options.prefix === "chat:");
 * ```
 */
export interface RedisStreamsBrokerOptions {
  /** The prefix of all channels and keys. Use one for each application. Default: `"waterspout:"`. */
  readonly prefix?: string;
  /** How long to wait for the first connection, in milliseconds; 0 is no limit. Default: 5 s. */
  readonly timeout?: number;
  /**
   * How long to wait for the reply to a request of history or presence, in milliseconds; 0 is no
   * limit. Default: 5 s.
   */
  readonly requestTimeout?: number;
  /**
   * How many bytes may wait for an acknowledgement of one server; `Infinity` is no limit. If more
   * would wait, messages are dropped and counted, and requests fail, until at most half of the
   * limit waits. Each message counts as its size plus 2 KiB, the memory of a command in the client
   * library. Default: 64 MiB.
   */
  readonly maxBufferedAmount?: number;
}

/** Receives what happens at the servers. */
export interface ServersEvents {
  /** A message has arrived on a channel. */
  message(data: Uint8Array, channel: Uint8Array): void;
  /** The status may have changed, with the error if there was one. */
  changed(error?: Error): void;
  /** The subscription of a topic is active after an interruption. */
  missed(topic: string): void;
  /** A subscription failed. */
  failed(error: Error): void;
}

/** The servers of a broker. */
export interface RedisServers extends RequestServers {
  /** The name for logs: `"Redis at 10.0.0.7:6379"`. */
  readonly name: string;
  /** Whether messages reach them. */
  readonly status: BrokerStatus;
  /** `PUBLISH` or `SPUBLISH`. */
  readonly publishCommand: string;
  /** The receiver of events. */
  events: ServersEvents | undefined;
  /** Returns the channel of a topic. */
  channelOf(topic: string): string;
  /** Returns the topic of a channel. */
  topicOf(channel: string): string;
  /** Subscribes to a topic. Resolves when the subscription is active, or after a timeout. */
  subscribe(topic: string): Promise<void>;
  /** Unsubscribes from a topic. */
  unsubscribe(topic: string): Promise<void>;
  /** Connects. Rejects after a timeout. */
  connect(): Promise<void>;
  /** Closes all connections. */
  close(): void;
}

/** The options with their defaults. */
export type CheckedOptions = Required<RedisStreamsBrokerOptions>;

/**
 * Checks options and adds the defaults.
 *
 * @throws {RangeError} If a number is out of its range.
 */
export function checkedOptions(options: RedisStreamsBrokerOptions): CheckedOptions {
  const checked = {
    prefix: "waterspout:",
    timeout: 5000,
    requestTimeout: 5000,
    maxBufferedAmount: MAX_BUFFERED_AMOUNT,
    ...options,
  };
  checkValue(checked.timeout, "Cannot use timeout:", TIME);
  checkValue(checked.requestTimeout, "Cannot use requestTimeout:", TIME);
  if (/[{}]/.test(checked.prefix)) {
    throw new TypeError(`Cannot use prefix ${JSON.stringify(checked.prefix)}: it has a brace`);
  }
  return checked;
}

/** The error if a subscription is not active yet. It becomes active by itself. */
export function lateSubscription(topic: string): Error {
  return new Error(`Redis has not yet subscribed to topic ${JSON.stringify(topic)}`);
}

/** Connects to servers and makes a broker of them. */
export async function storedRedisBroker(
  servers: RedisServers,
  { prefix, requestTimeout }: CheckedOptions,
): Promise<Broker> {
  const requests = new RedisRequests(servers, requestTimeout);
  const store: StoreOptions = {
    prefix,
    run: requests.run,
    channelOf: (topic) => servers.channelOf(topic),
    publishCommand: servers.publishCommand,
  };
  const [history, presence] = await Promise.all([redisHistory(store), redisPresence(store)]);
  const broker = new StoredRedisBroker(servers, requests, { history, presence });
  try {
    await servers.connect();
  } catch (error) {
    await broker.close();
    throw error;
  }
  return broker;
}

const decoder = new TextDecoder();

class StoredRedisBroker implements Broker {
  readonly name: string;
  readonly history: BrokerHistory;
  readonly presence: BrokerPresence;
  events: BrokerEvents | undefined = undefined;
  status: BrokerStatus = "down";
  readonly #servers: RedisServers;
  readonly #requests: RedisRequests;
  #closed = false;

  constructor(
    servers: RedisServers,
    requests: RedisRequests,
    { history, presence }: {
      readonly history: BrokerHistory;
      readonly presence: BrokerPresence;
    },
  ) {
    this.name = servers.name;
    this.history = history;
    this.presence = presence;
    this.#servers = servers;
    this.#requests = requests;
    servers.events = {
      message: (data, channel) => this.#receive(data, channel),
      changed: (error) => this.#look(error),
      missed: (topic) => this.events?.missed?.(topic),
      failed: (error) => this.events?.failed(error),
    };
  }

  #look(error?: Error): void {
    const { status } = this.#servers;
    if (this.#closed || status === this.status) return;
    this.status = status;
    this.events?.status(status, status === "down" ? error : undefined);
  }

  #receive(bytes: Uint8Array, channel: Uint8Array): void {
    // A client may still deliver what has arrived before it was closed.
    if (this.#closed) return;
    const { data, position } = parseMessage(bytes);
    if (position === undefined) return this.events?.message(data);
    const topic = this.#servers.topicOf(decoder.decode(channel));
    this.events?.message(data, { topic, ...position });
  }

  /** The status, which publishing may have changed. */
  get currentStatus(): BrokerStatus {
    return this.status;
  }

  publish(topic: string, message: Uint8Array): void {
    if (this.status !== "up") return;
    const { publishCommand } = this.#servers;
    const channel = this.#servers.channelOf(topic);
    const isSent = this.#requests.publish(
      topic,
      [publishCommand, channel, plainMessage(message)],
      (error, shard) => {
        // A message that is lost with the connection is no failure of its own.
        if (shard.isReady) this.events?.failed(error);
      },
    );
    // Without another server, the status would tell it.
    if (!isSent && this.currentStatus === "up") {
      const what = `Cannot publish to topic ${JSON.stringify(topic)} in Redis`;
      throw new Error(`${what}: too many messages wait for a reply`);
    }
  }

  subscribe(topic: string): Promise<void> {
    return this.#servers.subscribe(topic);
  }

  unsubscribe(topic: string): Promise<void> {
    return this.#servers.unsubscribe(topic);
  }

  close(): Promise<void> {
    this.#closed = true;
    this.status = "down";
    this.#servers.close();
    this.#requests.close(new Error("the broker is closed"));
    return Promise.resolve();
  }
}
