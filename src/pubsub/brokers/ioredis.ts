/**
 * Connections to Redis with `npm:ioredis`.
 *
 * @module
 */
import { redisAddress, type RedisLink, type RedisLinks, toBuffer } from "./redis_link.ts";

/** The part of a client of `npm:ioredis` that is used, as `new Redis()` makes it. */
export interface IoRedisClient {
  /** The options of the client. */
  readonly options: {
    readonly host?: string | undefined;
    readonly port?: number | undefined;
    readonly path?: string | undefined;
  };
  /** The state; `"ready"` if commands reach Redis. */
  readonly status: string;
  /** Makes another client. `overrides` replaces some options. */
  duplicate(overrides: object): IoRedisClient;
  /** Connects. */
  connect(): Promise<unknown>;
  /** Ends the connection. */
  disconnect(): void;
  /** Listens for an event. */
  on(event: string, listener: (...args: never[]) => void): unknown;
  /** PUBLISH. Takes a string or a `Buffer`. */
  publish(channel: string, message: never): Promise<unknown>;
  /** SUBSCRIBE. */
  subscribe(channel: string): Promise<unknown>;
  /** UNSUBSCRIBE. */
  unsubscribe(channel: string): Promise<unknown>;
}

/** Whether a client is from `npm:ioredis`. */
export function isIoRedis(client: object): client is IoRedisClient {
  return "status" in client && typeof client.status === "string";
}

/** Makes two connections with the options of a client. */
export function ioRedisLinks(client: IoRedisClient): RedisLinks {
  const common = { lazyConnect: true, keyPrefix: "", enableAutoPipelining: false };
  return {
    address: redisAddress(client.options),
    // Without these options, a message could arrive twice after a reconnection, or very late.
    publisher: new IoRedisLink(client.duplicate({
      ...common,
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
    })),
    subscriber: new IoRedisLink(client.duplicate({
      ...common,
      autoResubscribe: true,
      autoResendUnfulfilledCommands: true,
      maxRetriesPerRequest: null,
    })),
  };
}

class IoRedisLink implements RedisLink {
  readonly #client: IoRedisClient;
  #receives = false;

  constructor(client: IoRedisClient) {
    this.#client = client;
  }

  get isReady(): boolean {
    return this.#client.status === "ready";
  }

  watch(changed: (error?: Error) => void): void {
    this.#client.on("ready", () => changed());
    this.#client.on("close", () => changed());
    this.#client.on("error", (error: Error) => changed(error));
  }

  connect(): void {
    // Events tell of success and failure.
    this.#client.connect().catch(() => {});
  }

  publish(channel: string, message: Uint8Array): Promise<unknown> {
    return this.#client.publish(channel, toBuffer(message) as never);
  }

  subscribe(channel: string, receive: (message: Uint8Array) => void): Promise<unknown> {
    if (!this.#receives) {
      this.#receives = true;
      this.#client.on(
        "messageBuffer",
        (_channel: Uint8Array, message: Uint8Array) => receive(message),
      );
    }
    return this.#client.subscribe(channel);
  }

  unsubscribe(channel: string): Promise<unknown> {
    return this.#client.unsubscribe(channel);
  }

  close(): void {
    this.#client.disconnect();
  }
}
