/**
 * A connection to Redis with any of the client libraries.
 *
 * @module
 */
import { requireBuiltin } from "../../transport/builtin_module.ts";

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
  subscribe(channel: string, receive: (message: Uint8Array) => void): Promise<unknown>;
  /** UNSUBSCRIBE. */
  unsubscribe(channel: string): Promise<unknown>;
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

/** Returns bytes as a `Buffer`, which both clients require. */
export function toBuffer(bytes: Uint8Array): Uint8Array {
  const { Buffer } = requireBuiltin<BufferModule>("node:buffer", "publish");
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
