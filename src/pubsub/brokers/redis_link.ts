/**
 * A connection to Redis with any of the client libraries.
 *
 * @module
 */
import { requireBuiltin } from "../../transport/builtin_module.ts";

/** Receives a message of a channel. */
export type Receive = (message: Uint8Array, channel: Uint8Array) => void;

/** A connection to Redis. */
export interface RedisLink {
  /** Whether commands reach Redis. */
  readonly isReady: boolean;
  /** Calls `changed` when {@linkcode isReady} may have changed, with the error if there was one. */
  watch(changed: (error?: Error) => void): void;
  /** Connects and reconnects until {@linkcode close}. Never throws. */
  connect(): void;
  /** PUBLISH. */
  publish(channel: string, message: Uint8Array): Promise<unknown>;
  /** SUBSCRIBE. All calls must pass the same `receive`. */
  subscribe(channel: string, receive: Receive): Promise<unknown>;
  /** UNSUBSCRIBE. */
  unsubscribe(channel: string): Promise<unknown>;
  /** SSUBSCRIBE. All calls must pass the same `receive`. */
  subscribeShard(channel: string, receive: Receive): Promise<unknown>;
  /** SUNSUBSCRIBE. */
  unsubscribeShard(channel: string): Promise<unknown>;
  /** Calls `moved` when the server has ended a subscription because another one has the channel. */
  watchMoves(moved: () => void): void;
  /** Sends any command. In its reply, byte strings are `Uint8Array`s. */
  command(args: readonly (string | Uint8Array)[]): Promise<unknown>;
  /** Closes the connection at once. */
  close(): void;
}

/** Two connections: one that subscribes to channels cannot publish. */
export interface RedisLinks {
  /** The address of Redis. */
  readonly address: string;
  /** The connection that publishes. */
  readonly publisher: RedisLink;
  /** The connection that receives. */
  readonly subscriber: RedisLink;
}

/** Which connections to make from a client. */
export interface LinkOptions {
  /** The server. Default: that of the client. */
  readonly server?: { readonly host: string; readonly port: number };
  /** Whether the broker itself subscribes again after a reconnection. Default: the client does. */
  readonly resubscribes?: boolean;
}

/** Returns the address of a client, without secrets. */
export function redisAddress(
  { path, host = "localhost", port = 6379 }: {
    readonly path?: string | undefined;
    readonly host?: string | undefined;
    readonly port?: number | undefined;
  },
): string {
  return path ?? `${host}:${port}`;
}

/** The part of `node:buffer` that is used. */
interface BufferModule {
  readonly Buffer: { from(buffer: ArrayBufferLike, offset: number, length: number): Uint8Array };
}

/** The class `Buffer`, which both clients use. */
export function bufferClass(): BufferModule["Buffer"] {
  return requireBuiltin<BufferModule>("node:buffer", "publish").Buffer;
}

/** Returns bytes as a `Buffer`, which both clients require. */
export function toBuffer(bytes: Uint8Array): Uint8Array {
  return bufferClass().from(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** Returns the arguments of a command, with bytes as `Buffer`s. */
export function toArguments(args: readonly (string | Uint8Array)[]): (string | Uint8Array)[] {
  return args.map((arg) => typeof arg === "string" ? arg : toBuffer(arg));
}
