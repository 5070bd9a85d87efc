/**
 * Connections to Redis with `npm:redis`.
 *
 * @module
 */
import {
  bufferClass,
  type LinkOptions,
  type Receive,
  redisAddress,
  type RedisLink,
  type RedisLinks,
  toArguments,
  toBuffer,
} from "./redis_link.ts";

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
    listener: (message: Uint8Array, channel: Uint8Array) => void,
    bufferMode: true,
  ): Promise<unknown>;
  /** UNSUBSCRIBE. */
  unsubscribe(
    channel: string,
    listener: (message: Uint8Array, channel: Uint8Array) => void,
    bufferMode: true,
  ): Promise<unknown>;
  /** SSUBSCRIBE, with messages as bytes. */
  sSubscribe(
    channel: string,
    listener: (message: Uint8Array, channel: Uint8Array) => void,
    bufferMode: true,
  ): Promise<unknown>;
  /** SUNSUBSCRIBE. */
  sUnsubscribe(
    channel: string,
    listener: (message: Uint8Array, channel: Uint8Array) => void,
    bufferMode: true,
  ): Promise<unknown>;
  /** Any command. Takes strings and `Buffer`s. */
  sendCommand(args: never, options: never): Promise<unknown>;
}

/** The first byte of a byte string in a reply of Redis. */
const BLOB_STRING = 36;

/** Makes two connections with the options of a client. */
export function nodeRedisLinks(client: NodeRedisClient, { server }: LinkOptions = {}): RedisLinks {
  const socket = { ...client.options?.socket, ...server };
  const overrides = {
    // With a queue, messages would arrive very late after a reconnection.
    disableOfflineQueue: true,
    // A command that the client gives up still takes memory until Redis replies. Limits are ours.
    commandOptions: { timeout: undefined },
    ...(server && { socket }),
  };
  return {
    address: redisAddress(socket),
    publisher: new NodeRedisLink(client.duplicate(overrides)),
    subscriber: new NodeRedisLink(client.duplicate(overrides)),
  };
}

class NodeRedisLink implements RedisLink {
  readonly #client: NodeRedisClient;
  #receive: Receive = () => {};
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

  subscribe(channel: string, receive: Receive): Promise<unknown> {
    this.#receive = receive;
    return this.#client.subscribe(channel, receive, true);
  }

  // Without the listener, a subscription during the unsubscription would be lost.
  unsubscribe(channel: string): Promise<unknown> {
    return this.#client.unsubscribe(channel, this.#receive, true);
  }

  subscribeShard(channel: string, receive: Receive): Promise<unknown> {
    this.#receive = receive;
    return this.#client.sSubscribe(channel, receive, true);
  }

  unsubscribeShard(channel: string): Promise<unknown> {
    return this.#client.sUnsubscribe(channel, this.#receive, true);
  }

  watchMoves(moved: () => void): void {
    this.#client.on("sharded-channel-moved", moved);
    this.#client.on("__MOVED", moved);
  }

  command(args: readonly (string | Uint8Array)[]): Promise<unknown> {
    const options = { typeMapping: { [BLOB_STRING]: bufferClass() } };
    return this.#client.sendCommand(toArguments(args) as never, options as never);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#client.destroy();
  }
}
