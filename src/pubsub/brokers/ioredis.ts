/**
 * Connections to Redis with `npm:ioredis`.
 *
 * @module
 */
import {
  type LinkOptions,
  type Receive,
  redisAddress,
  type RedisLink,
  type RedisLinks,
  toArguments,
  toBuffer,
} from "./redis_link.ts";

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
  /** SSUBSCRIBE. */
  ssubscribe(channel: string): Promise<unknown>;
  /** SUNSUBSCRIBE. */
  sunsubscribe(channel: string): Promise<unknown>;
  /** Any command. In its reply, byte strings are `Buffer`s. */
  callBuffer(command: string, ...args: never[]): Promise<unknown>;
}

/** Whether a client is from `npm:ioredis`. */
export function isIoRedis(client: object): client is IoRedisClient {
  return "status" in client && typeof client.status === "string";
}

/** Makes two connections with the options of a client. */
export function ioRedisLinks(
  client: IoRedisClient,
  { server, resubscribes = false }: LinkOptions = {},
): RedisLinks {
  const common = { lazyConnect: true, keyPrefix: "", enableAutoPipelining: false, ...server };
  // Commands fail when the connection is lost. Otherwise, a message could arrive twice after a
  // reconnection, or very late. Without the last option, commands that wait for a reply would
  // never settle.
  const failing = {
    ...common,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
  };
  const resending = {
    ...common,
    autoResubscribe: true,
    autoResendUnfulfilledCommands: true,
    maxRetriesPerRequest: null,
  };
  const subscribing = resubscribes ? { ...failing, autoResubscribe: false } : resending;
  return {
    address: redisAddress({ ...client.options, ...server }),
    publisher: new IoRedisLink(client.duplicate(failing)),
    subscriber: new IoRedisLink(client.duplicate(subscribing)),
  };
}

class IoRedisLink implements RedisLink {
  readonly #client: IoRedisClient;
  /** The events of messages that are listened to. */
  readonly #listening: Set<string> = new Set();

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

  subscribe(channel: string, receive: Receive): Promise<unknown> {
    this.#listen("messageBuffer", receive);
    return this.#client.subscribe(channel);
  }

  unsubscribe(channel: string): Promise<unknown> {
    return this.#client.unsubscribe(channel);
  }

  subscribeShard(channel: string, receive: Receive): Promise<unknown> {
    this.#listen("smessageBuffer", receive);
    return this.#client.ssubscribe(channel);
  }

  unsubscribeShard(channel: string): Promise<unknown> {
    return this.#client.sunsubscribe(channel);
  }

  #listen(event: string, receive: Receive): void {
    if (this.#listening.has(event)) return;
    this.#listening.add(event);
    this.#client.on(
      event,
      (channel: Uint8Array, message: Uint8Array) => receive(message, channel),
    );
  }

  watchMoves(moved: () => void): void {
    this.#client.on("moved", moved);
  }

  command(args: readonly (string | Uint8Array)[]): Promise<unknown> {
    const [name = "", ...rest] = toArguments(args);
    return this.#client.callBuffer(String(name), ...rest as never[]);
  }

  close(): void {
    this.#client.disconnect();
  }
}
