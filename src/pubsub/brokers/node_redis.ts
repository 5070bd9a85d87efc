/**
 * Connections to Redis by `npm:redis`.
 *
 * @module
 */
import { redisAddress, type RedisLink, type RedisLinks, toBuffer } from "./redis_link.ts";

/** The part of a client of `npm:redis` that is used, as `createClient` makes it. */
export interface NodeRedisClient {
  /** What the client was made with. */
  readonly options?: {
    readonly socket?: {
      readonly host?: string | undefined;
      readonly port?: number | undefined;
      readonly path?: string | undefined;
    };
  };
  /** Whether commands reach Redis. */
  readonly isReady: boolean;
  /** Makes another client, with the same options but for these. */
  duplicate(overrides: object): NodeRedisClient;
  /** Connects. */
  connect(): Promise<unknown>;
  /** Ends the connection at once. */
  destroy(): void;
  /** Listens for an event. */
  on(event: string, listener: (error: Error) => void): unknown;
  /** PUBLISH; takes a string or a Buffer, a class that is not named here. */
  publish(channel: string, message: never): Promise<unknown>;
  /** SUBSCRIBE, with messages as bytes. */
  subscribe(
    channel: string,
    listener: (message: Uint8Array) => void,
    bufferMode: true,
  ): Promise<unknown>;
  /** UNSUBSCRIBE. */
  unsubscribe(channel: string): Promise<unknown>;
}

/** Two connections like that of a client. */
export function nodeRedisLinks(client: NodeRedisClient): RedisLinks {
  // Commands that wait for Redis to come back would arrive long after they were meant.
  const overrides = { disableOfflineQueue: true };
  return {
    address: redisAddress(client.options?.socket ?? {}),
    publisher: new NodeRedisLink(client.duplicate(overrides)),
    subscriber: new NodeRedisLink(client.duplicate(overrides)),
  };
}

class NodeRedisLink implements RedisLink {
  readonly #client: NodeRedisClient;
  #closed = false;

  constructor(client: NodeRedisClient) {
    this.#client = client;
  }

  get isReady(): boolean {
    return this.#client.isReady;
  }

  watch(changed: (error?: Error) => void): void {
    this.#client.on("ready", () => changed());
    this.#client.on("end", () => changed());
    this.#client.on("error", changed);
  }

  connect(): void {
    // Whatever comes of it is told by events.
    this.#client.connect().catch(() => {});
  }

  publish(channel: string, message: Uint8Array): Promise<unknown> {
    return this.#client.publish(channel, toBuffer(message) as never);
  }

  subscribe(channel: string, receive: (message: Uint8Array) => void): Promise<unknown> {
    return this.#client.subscribe(channel, receive, true);
  }

  unsubscribe(channel: string): Promise<unknown> {
    return this.#client.unsubscribe(channel);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#client.destroy();
  }
}
