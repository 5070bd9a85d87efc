/**
 * One connection to Redis, whichever client library makes it.
 *
 * @module
 */
import { requireBuiltin } from "../../transport/builtin_module.ts";

/** What the broker needs of a connection to Redis. */
export interface RedisLink {
  /** Whether commands reach Redis at present. */
  readonly isReady: boolean;
  /** Has `changed` called whenever {@linkcode isReady} may have changed, with what failed if known. */
  watch(changed: (error?: Error) => void): void;
  /** Begins to connect, and goes on until {@linkcode close}. Never throws. */
  connect(): void;
  /** PUBLISH. */
  publish(channel: string, message: Uint8Array): Promise<unknown>;
  /** SUBSCRIBE; messages go to `receive`, which is the same one in every call. */
  subscribe(channel: string, receive: (message: Uint8Array) => void): Promise<unknown>;
  /** UNSUBSCRIBE. */
  unsubscribe(channel: string): Promise<unknown>;
  /** Ends the connection at once. */
  close(): void;
}

/** A connection for publishing and one for receiving, since a Redis connection does one or the other. */
export interface RedisLinks {
  /** Where Redis is. */
  readonly address: string;
  /** The connection that publishes. */
  readonly publisher: RedisLink;
  /** The connection that receives. */
  readonly subscriber: RedisLink;
}

/** Where a client connects to, with no secrets. */
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

/** Returns bytes as a `Buffer`, which both clients require. */
export function toBuffer(bytes: Uint8Array): Uint8Array {
  const { Buffer } = requireBuiltin<BufferModule>("node:buffer", "publish");
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
