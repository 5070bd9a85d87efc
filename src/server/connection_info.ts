/**
 * What a handler may know of its connection.
 *
 * @module
 */
import type { ConnectionEnd } from "../connection/connection_end.ts";
import type { Message } from "../connection/message.ts";
import type { WebSocketVersion } from "../handshake/versions.ts";
import type { Published } from "../pubsub/broadcast.ts";
import type { SubscribeOptions } from "../pubsub/topics.ts";
import type { Address } from "../transport/transport.ts";

/**
 * What a handler may know of its connection.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { Application, WebSocketHandler } from "@waterspout/websocket";
 * import { connect } from "@waterspout/websocket/testing";
 *
 * class Who extends WebSocketHandler {
 *   override open(): void {
 *     const { remoteAddress, secure, version } = this.connection;
 *     this.writeMessage({ from: remoteAddress.hostname, secure, version });
 *   }
 *   onMessage(): void {}
 * }
 *
 * const client = await connect(new Application([["/", Who]]), "/");
 * assertEquals(
 *   await client.readMessage(),
 *   '{"from":"127.0.0.1","secure":false,"version":"rfc6455"}',
 * );
 * ```
 */
export interface ConnectionInfo {
  /** The client's address; behind a trusted proxy, the one that the proxy names. */
  readonly remoteAddress: Address;
  /** This end's address. */
  readonly localAddress: Address;
  /** Whether the client speaks TLS, to us or to a trusted proxy. */
  readonly secure: boolean;
  /** The version that is spoken. */
  readonly version: WebSocketVersion;
}

/**
 * What a handler is made on. Every handler's constructor passes it to `super`; only a test that has no
 * application implements it.
 *
 * @example
 * ```ts
 * import { type Application, WebSocketHandler } from "@waterspout/websocket";
 * import type { HandlerConnection } from "@waterspout/websocket";
 *
 * class Counting extends WebSocketHandler<{ max: number }> {
 *   readonly max: number;
 *   constructor(app: Application, request: Request | HandlerConnection, options: { max: number }) {
 *     super(app, request, options);
 *     this.max = options.max;
 *   }
 *   onMessage(): void {}
 * }
 * console.assert(Counting.length === 3);
 * ```
 */
export interface HandlerConnection extends ConnectionInfo {
  /** The `Host` of the request. */
  readonly host: string;
  /** The named parts of the path, percent-decoded. */
  readonly params: Readonly<Record<string, string>>;
  /** The subprotocol that was chosen. */
  readonly subprotocol: string | undefined;
  /** Bytes that are written and not yet taken by the system. */
  readonly bufferedAmount: number;
  /** The close code that the client sent. */
  readonly closeCode: number | undefined;
  /** The reason that the client sent. */
  readonly closeReason: string;
  /** Why the connection ended; `undefined` before. */
  readonly end: ConnectionEnd | undefined;
  /** The request as a Web `Request`. */
  toRequest(): Request;
  /** See `WebSocketHandler.setHeader`. */
  setHeader(name: string, value: string): void;
  /** See `WebSocketHandler.writeMessage`. */
  writeMessage(message: Message): Promise<void>;
  /** See `WebSocketHandler.ping`. */
  ping(payload: string | Uint8Array): void;
  /** See `WebSocketHandler.close`. */
  close(code?: number, reason?: string): void;
  /** See `WebSocketHandler.abort`. */
  abort(): void;
  /** See `WebSocketHandler.setNodelay`. */
  setNoDelay(on: boolean): void;
  /** See `WebSocketHandler.subscribe`. */
  subscribe(topic: string, options?: SubscribeOptions): Promise<void>;
  /** See `WebSocketHandler.unsubscribe`. */
  unsubscribe(topic: string): void;
  /** See `WebSocketHandler.publish`. */
  publish(topic: string, message: Message): Published;
  /** Writes to the log what a callback threw. */
  logException(error: unknown): void;
  /** Calls a callback; what it throws or rejects ends the connection. */
  guard<Result>(callback: () => Result): Result | undefined;
}

/** What a trusted proxy says of the client. */
export interface Forwarded {
  /** The client's address. */
  readonly hostname: string | undefined;
  /** Whether the client speaks TLS to the proxy. */
  readonly secure: boolean | undefined;
}
