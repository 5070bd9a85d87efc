/**
 * Connections to Redis with `npm:redis`.
 *
 * @module
 */
import { redisAddress, type RedisLink, type RedisLinks, toBuffer } from "./redis_link.ts";

/** The part of a client of `npm:redis` that is used, as `createClient` makes it. */
export interface NodeRedisClient {
  /** The options of the client. */
  readonly options?: {
    readonly socket?: {
      readonly host?: string | undefined;
      readonly port?: number | undefined;
      readonly path?: string | undefined;
    };
  };
  /** Whether commands reach Redis. */
  readonly isReady: boolean;
  /** Makes another client. `overrides` replaces some options. */
  duplicate(overrides: object): NodeRedisClient;
  /** Connects. */
  connect(): Promise<unknown>;
  /** Ends the connection at once. */
  destroy(): void;
  /** Listens for an event. */
  on(event: string, listener: (error: Error) => void): unknown;
  /** PUBLISH. Takes a string or a `Buffer`. */
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

/** Makes two connections with the options of a client. */
export function nodeRedisLinks(client: NodeRedisClient): RedisLinks {
  // With a queue, messages would arrive very late after a reconnection.
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
    // Events tell of success and failure.
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
