/**
 * The connections to one Redis server, and its subscriptions.
 *
 * @module
 */
import { messageOf } from "../../guard.ts";
import { Backlog } from "./backlog.ts";
import type { CallTarget } from "./redis_calls.ts";
import { SCRIPTS } from "./redis_scripts.ts";
import { inTime } from "./time_limit.ts";
import type { Receive, RedisLink, RedisLinks } from "./redis_link.ts";

/** The broker of a {@linkcode RedisShard}. */
export interface ShardOwner {
  /** How many bytes may wait for an acknowledgement. */
  readonly maxBufferedAmount: number;
  /** How long to wait for the reply to a subscription, in milliseconds; 0 is no limit. */
  readonly requestTimeout: number;
  /** Whether channels are sharded: SSUBSCRIBE instead of SUBSCRIBE. */
  readonly sharded: boolean;
  /** Receives messages. */
  readonly receive: Receive;
  /** Called when `isReady` or `backlog.isSlow` may have changed, with the error if there was one. */
  changed(shard: RedisShard, error?: Error): void;
  /** Called when a subscription is active after {@linkcode RedisShard.subscribe} gave up waiting. */
  subscribed(shard: RedisShard, channel: string): void;
  /** Called when the server no longer has a channel. */
  moved(): void;
}

/** One Redis server. */
export class RedisShard implements CallTarget {
  /** The address, without secrets. */
  readonly address: string;
  readonly publisher: RedisLink;
  /** The bytes without an acknowledgement. */
  readonly backlog: Backlog;
  /** The channels that are or will be subscribed to. */
  readonly channels: Set<string> = new Set();
  readonly #subscriber: RedisLink;
  readonly #owner: ShardOwner;
  /** Changes with each connection. */
  #connection = 0;
  /** Whether all channels are subscribed to on this connection. */
  #isSubscribed = false;
  #hasScripts = false;
  #isClosed = false;

  constructor({ address, publisher, subscriber }: RedisLinks, owner: ShardOwner) {
    this.address = address;
    this.publisher = publisher;
    this.#subscriber = subscriber;
    this.#owner = owner;
    this.backlog = new Backlog(owner.maxBufferedAmount, () => this.#changed());
  }

  /** Whether commands reach the server and all subscriptions are active. */
  get isReady(): boolean {
    return !this.#isClosed && this.publisher.isReady && this.#isSubscribed;
  }

  /** Connects and reconnects until {@linkcode close}. */
  connect(): void {
    this.publisher.watch((error) => {
      this.#loadScripts();
      this.#changed(error);
    });
    this.#subscriber.watch((error) => this.#look(error));
    if (this.#owner.sharded) this.#subscriber.watchMoves(() => this.#owner.moved());
    this.publisher.connect();
    this.#subscriber.connect();
  }

  /**
   * Loads the scripts on each connection. Otherwise Redis could refuse a script and execute the same
   * one behind it, because another process loads it in between.
   */
  #loadScripts(): void {
    const { isReady } = this.publisher;
    if (isReady === this.#hasScripts) return;
    this.#hasScripts = isReady;
    if (!isReady) return;
    for (const script of SCRIPTS) {
      // If this fails, so does the script, and its caller learns it.
      this.publisher.command(["SCRIPT", "LOAD", script]).catch(() => {});
    }
  }

  #changed(error?: Error): void {
    if (!this.#isClosed) this.#owner.changed(this, error);
  }

  #look(error?: Error): void {
    if (this.#isClosed) return;
    if (!this.#subscriber.isReady) {
      this.#isSubscribed = false;
      this.#connection++;
    } else if (!this.#isSubscribed) {
      void this.#subscribeAll(++this.#connection);
    }
    this.#changed(error);
  }

  /**
   * Subscribes to all channels. A client library may report that it is ready before its own
   * subscriptions are active, and a message in between would be missed.
   */
  async #subscribeAll(connection: number): Promise<void> {
    const results = await Promise.allSettled(
      Array.from(this.channels, (channel) => this.#subscribe(channel)),
    );
    if (connection !== this.#connection || this.#isClosed) return;
    this.#isSubscribed = true;
    const failed = results.find((result) => result.status === "rejected");
    this.#changed(failed?.reason);
  }

  #subscribe(channel: string): Promise<unknown> {
    const { sharded, receive } = this.#owner;
    return sharded
      ? this.#subscriber.subscribeShard(channel, receive)
      : this.#subscriber.subscribe(channel, receive);
  }

  /**
   * Subscribes to a channel, now and after each reconnection.
   *
   * @returns Whether the subscription is active. If not, it becomes active later.
   */
  subscribe(channel: string): Promise<boolean> {
    this.channels.add(channel);
    if (!this.#subscriber.isReady) return Promise.resolve(false);
    let isLate = false;
    const active = this.#subscribeOnce(channel).then((isActive) => {
      if (isActive && isLate && !this.#isClosed) this.#owner.subscribed(this, channel);
      return isActive;
    });
    return inTime(active, this.#owner.requestTimeout, () => {
      isLate = true;
      return false;
    });
  }

  async #subscribeOnce(channel: string): Promise<boolean> {
    const connection = this.#connection;
    try {
      await this.#subscribe(channel);
      return connection === this.#connection;
    } catch (error) {
      const isLost = connection !== this.#connection || !this.#subscriber.isReady;
      if (!isLost && !isMoved(error)) throw error;
      if (!isLost) this.#owner.moved();
      return false;
    }
  }

  /** Unsubscribes from a channel. Resolves when that is done, or after a timeout. */
  unsubscribe(channel: string): Promise<void> {
    this.channels.delete(channel);
    if (!this.#subscriber.isReady) return Promise.resolve();
    return inTime(this.#unsubscribeOnce(channel), this.#owner.requestTimeout, () => {});
  }

  async #unsubscribeOnce(channel: string): Promise<void> {
    const connection = this.#connection;
    try {
      if (this.#owner.sharded) await this.#subscriber.unsubscribeShard(channel);
      else await this.#subscriber.unsubscribe(channel);
    } catch (error) {
      // A lost connection has no subscriptions, nor has a server that no longer has the channel.
      const isLost = connection !== this.#connection || !this.#subscriber.isReady;
      if (!isLost && !isMoved(error)) throw error;
    }
  }

  /** Closes the connections at once. */
  close(): void {
    this.#isClosed = true;
    this.publisher.close();
    this.#subscriber.close();
  }
}

function isMoved(error: unknown): boolean {
  return messageOf(error).startsWith("MOVED ");
}
