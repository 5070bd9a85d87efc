/**
 * The servers of a Redis Cluster: which of them has a topic, and what happens when that changes.
 *
 * @module
 */
import { messageOf, toError } from "../../guard.ts";
import type { BrokerStatus } from "./broker.ts";
import type { OpenCluster } from "./cluster_clients.ts";
import {
  addressText,
  parseAddress,
  parseSlots,
  type ServerAddress,
  SLOT_COUNT,
  slotOf,
  type SlotRange,
} from "./cluster_slots.ts";
import { RedisShard, type ShardOwner } from "./redis_shard.ts";
import { decodeTopic, encodeTopic } from "./redis_topics.ts";
import {
  type CheckedOptions,
  lateSubscription,
  type RedisServers,
  type ServersEvents,
} from "./stored_redis_broker.ts";
import { connectInTime, inTime } from "./time_limit.ts";

/** How long to wait before the servers are asked again while one is away, in milliseconds. */
const REFRESH_INTERVAL = 500;

/** How long to wait for the other servers when the first one is back, in milliseconds. */
const GATHER_TIME = 1000;

/** How long to wait while slots move before commands are sent again, in milliseconds. */
const SETTLING = 20;

/** How long to wait for a server's list of slots, in milliseconds. */
const REFRESH_TIMEOUT = 1000;

/** The masters of a cluster. */
export class ClusterServers implements RedisServers {
  readonly name: string;
  readonly publishCommand = "SPUBLISH";
  events: ServersEvents | undefined = undefined;
  readonly #cluster: OpenCluster;
  readonly #options: CheckedOptions;
  readonly #owner: ShardOwner;
  /** The servers by address. */
  readonly #shards: Map<string, RedisShard> = new Map();
  readonly #addresses: Map<RedisShard, ServerAddress> = new Map();
  /** The server of each slot. */
  #slots: (RedisShard | undefined)[] = new Array(SLOT_COUNT).fill(undefined);
  /** The servers that have slots; `undefined` among them if a slot has none. */
  #owners: ReadonlySet<RedisShard | undefined> = new Set([undefined]);
  /** The topics that are subscribed to, with the server that was asked. */
  readonly #topics: Map<string, RedisShard | undefined> = new Map();
  /** Servers that get a slot while it moves, and may have none yet. */
  readonly #importing: Set<RedisShard> = new Set();
  /** Servers that were connected at the last look. */
  readonly #ready: Set<RedisShard> = new Set();
  #refreshing: Promise<void> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Whether messages reach other processes. */
  #isUp = false;
  #gathering: ReturnType<typeof setTimeout> | undefined;
  #isClosed = false;
  #lastError: Error | undefined;
  #connected: () => void = () => {};

  constructor(cluster: OpenCluster, options: CheckedOptions) {
    this.name = `Redis Cluster at ${addressText(cluster.server)}`;
    this.#cluster = cluster;
    this.#options = options;
    const { maxBufferedAmount, requestTimeout } = options;
    this.#owner = {
      maxBufferedAmount,
      requestTimeout,
      sharded: true,
      receive: (message, channel) => this.events?.message(message, channel),
      changed: (shard, error) => this.#changed(shard, error),
      subscribed: (_shard, channel) => this.events?.missed(this.topicOf(channel)),
      moved: () => void this.#refresh(),
    };
  }

  // --- Status -----------------------------------------------------------------------------------

  get status(): BrokerStatus {
    const ready = [...this.#shards.values()].filter(({ isReady }) => isReady);
    if (!this.#isUp || ready.length === 0) return "down";
    return ready.every(({ backlog }) => backlog.isSlow) ? "slow" : "up";
  }

  #changed(shard: RedisShard, error: Error | undefined): void {
    if (error !== undefined) this.#lastError = error;
    const wasUp = this.#isUp;
    const wasReady = this.#ready.has(shard);
    if (shard.isReady) this.#ready.add(shard);
    else this.#ready.delete(shard);
    this.#look(error);
    if (shard.isReady && !wasReady && wasUp) this.#missedAt(shard);
    if (this.#isComplete) this.#connected();
    else if (shard.isReady && !wasReady) void this.#refresh();
    else this.#refreshLater();
  }

  /**
   * Updates the status. The servers of a cluster come back one after the other, and "up" means that
   * all subscriptions are active. So it waits for all of them, but not long.
   */
  #look(error?: Error): void {
    const hasReady = this.#ready.size > 0;
    if (!hasReady || this.#isComplete) this.#gathered();
    else if (!this.#isUp && this.#gathering === undefined) {
      this.#gathering = later(() => {
        this.#gathered();
        this.events?.changed();
      }, GATHER_TIME);
    }
    this.events?.changed(error);
  }

  /** Is content with the servers that are connected. Returns whether there are any. */
  #gathered(): boolean {
    clearTimeout(this.#gathering);
    this.#gathering = undefined;
    this.#isUp = this.#ready.size > 0;
    return this.#isUp;
  }

  /** Other topics were served all the time, so the status does not tell of this. */
  #missedAt(shard: RedisShard): void {
    for (const [topic, at] of this.#topics) if (at === shard) this.events?.missed(topic);
  }

  get #isComplete(): boolean {
    return [...this.#owners].every((shard) => shard?.isReady === true);
  }

  connect(): Promise<void> {
    const options = {
      name: this.name,
      timeout: this.#options.timeout,
      isEnough: () => {
        const isEnough = this.#gathered();
        this.events?.changed();
        return isEnough;
      },
      lastError: () => this.#lastError,
    };
    return connectInTime(options, (connected) => {
      this.#connected = connected;
      this.#shardAt(this.#cluster.server);
    });
  }

  // --- Slots ------------------------------------------------------------------------------------

  #shardAt(server: ServerAddress): RedisShard {
    const address = addressText(server);
    const known = this.#shards.get(address);
    if (known !== undefined) return known;
    const shard = new RedisShard(this.#cluster.links(server), this.#owner);
    this.#shards.set(address, shard);
    this.#addresses.set(shard, server);
    shard.connect();
    return shard;
  }

  /** Asks which server has which slot. */
  #refresh(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    return this.#refreshing ??= this.#askAll().finally(() => {
      this.#refreshing = undefined;
      if (!this.#isComplete) this.#refreshLater();
    });
  }

  #refreshLater(): void {
    if (this.#isClosed || this.#timer !== undefined || this.#refreshing !== undefined) return;
    this.#timer = later(() => void this.#refresh(), REFRESH_INTERVAL);
  }

  async #askAll(): Promise<void> {
    for (const [shard, server] of [...this.#addresses]) {
      if (this.#isClosed || !shard.publisher.isReady) continue;
      try {
        const reply = shard.publisher.command(["CLUSTER", "SLOTS"]);
        const answer = await inTime(reply, REFRESH_TIMEOUT, () => {
          throw new Error(`no reply from ${shard.address} within ${REFRESH_TIMEOUT} ms`);
        });
        if (!this.#isClosed) this.#apply(parseSlots(answer, server));
        return;
      } catch (error) {
        this.#lastError = toError(error);
      }
    }
  }

  #apply(ranges: readonly SlotRange[]): void {
    const slots: (RedisShard | undefined)[] = new Array(SLOT_COUNT).fill(undefined);
    for (const { first, last, server } of ranges) {
      slots.fill(this.#shardAt(server), first, last + 1);
    }
    this.#slots = slots;
    for (const [topic, before] of this.#topics) this.#move(topic, before);
    const used = new Set(slots);
    this.#owners = used;
    for (const [shard, server] of [...this.#addresses]) {
      if (used.has(shard)) this.#importing.delete(shard);
      if (used.has(shard) || this.#importing.has(shard)) continue;
      this.#shards.delete(addressText(server));
      this.#addresses.delete(shard);
      this.#ready.delete(shard);
      shard.close();
    }
    this.#look();
    if (this.#isComplete) this.#connected();
  }

  /** Subscribes to a topic at the server that has it now. */
  #move(topic: string, before: RedisShard | undefined): void {
    const now = this.#slots[this.#slotOf(topic)];
    if (now === before) return;
    this.#topics.set(topic, now);
    const channel = this.channelOf(topic);
    const report = (error: unknown) => this.events?.failed(toError(error));
    before?.unsubscribe(channel).catch(report);
    now?.subscribe(channel).then((isActive) => {
      if (isActive) this.events?.missed(topic);
    }, report);
  }

  #slotOf(topic: string): number {
    return slotOf(this.channelOf(topic));
  }

  shardOf(topic: string): RedisShard {
    const shard = this.#slots[this.#slotOf(topic)];
    if (shard === undefined) throw new Error(`no server of ${this.name} has its slot`);
    if (!shard.isReady) throw new Error(`no connection to ${shard.address}`);
    return shard;
  }

  targetOf(topic: string): RedisShard {
    return this.shardOf(topic);
  }

  targetAt(address: string): RedisShard {
    const shard = this.#shardAt(parseAddress(address, this.#cluster.server));
    if (!shard.publisher.isReady) throw new Error(`no connection to ${shard.address}`);
    return shard;
  }

  async recover(errors: readonly Error[]): Promise<void> {
    const messages = errors.map(messageOf);
    for (const text of messages) if (text.startsWith("ASK")) this.#import(text);
    if (messages.some((text) => text.startsWith("MOVED"))) await this.#refresh();
    // Servers do not learn of a change at the same time, and a new one must be connected.
    const isOver = messages.every((text) => text.startsWith("NOSCRIPT"));
    if (!isOver) await new Promise((resolve) => setTimeout(resolve, SETTLING));
  }

  /** Connects to the server that a reply `ASK 1234 10.0.0.7:6379` names. */
  #import(text: string): void {
    const [, , address = ""] = text.split(" ");
    this.#importing.add(this.#shardAt(parseAddress(address, this.#cluster.server)));
  }

  // --- Topics -----------------------------------------------------------------------------------

  channelOf(topic: string): string {
    return `${this.#options.prefix}{${encodeTopic(topic)}}`;
  }

  topicOf(channel: string): string {
    return decodeTopic(channel.slice(this.#options.prefix.length + 1, -1));
  }

  async subscribe(topic: string): Promise<void> {
    const shard = this.#slots[this.#slotOf(topic)];
    this.#topics.set(topic, shard);
    const isActive = await shard?.subscribe(this.channelOf(topic));
    const at = this.#topics.get(topic);
    if (isActive || at !== shard || this.status === "down") return;
    this.events?.failed(lateSubscription(topic));
  }

  async unsubscribe(topic: string): Promise<void> {
    const shard = this.#topics.get(topic);
    this.#topics.delete(topic);
    await shard?.unsubscribe(this.channelOf(topic));
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#gathering);
    for (const shard of this.#shards.values()) shard.close();
  }
}

/** Sets a timer that does not keep the process alive. */
function later(callback: () => void, delay: number): ReturnType<typeof setTimeout> {
  const timer = setTimeout(callback, delay);
  (timer as { unref?: () => void }).unref?.();
  return timer;
}
