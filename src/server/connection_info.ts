/**
 * The interface between a handler and its connection.
 *
 * @module
 */
import type { ConnectionEnd } from "../connection/connection_end.ts";
import type { Message } from "../connection/message.ts";
import type { MessageSource } from "../connection/message_source.ts";
import type { WebSocketVersion } from "../handshake/versions.ts";
import type { Published } from "../pubsub/broadcast.ts";
import type { Subscribed, SubscribeOptions } from "../pubsub/subscription.ts";
import type { HookContext } from "./hook_context.ts";
import type { Address, PeerCertificate, ProxiedTls } from "../transport/transport.ts";

/**
 * The facts about a connection that a handler can read.
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
  /** The address of the client. Behind a trusted proxy, the address that the proxy reports. */
  readonly remoteAddress: Address;
  /** The address of the server's end. */
  readonly localAddress: Address;
  /** Whether the client uses TLS, to this server or to a trusted proxy. */
  readonly secure: boolean;
  /** The protocol version. */
  readonly version: WebSocketVersion;
  /**
   * The client's verified certificate. Set only if `listen` has the option `ca`, or if the application
   * is attached to a server that asks for certificates. Bun's `node:https` does not provide them.
   */
  readonly peerCertificate?: PeerCertificate | undefined;
  /** What the PROXY header says about TLS. `undefined` without the setting `proxyProtocol`. */
  readonly proxiedTls?: ProxiedTls | undefined;
}

/**
 * The connection of a handler. The constructor of a handler passes it to `super`. Implement it only to
 * test a handler without an application.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
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
 * assert(Counting.length === 3);
 * ```
 */
export interface HandlerConnection extends ConnectionInfo {
  /** The `Host` of the request, with the port. */
  readonly host: string;
  /** See `WebSocketHandler.rawRequest`. */
  readonly rawRequest: unknown;
  /** The captured parts of the path, percent-decoded. */
  readonly pathArgs: readonly string[];
  /** The named parts of the path, percent-decoded. */
  readonly params: Readonly<Record<string, string>>;
  /** The subprotocol in use. */
  readonly subprotocol: string | undefined;
  /** How many written bytes the operating system has not accepted yet. */
  readonly bufferedAmount: number;
  /** The close code that the client sent. */
  readonly closeCode: number | undefined;
  /** The reason that the client sent. */
  readonly closeReason: string;
  /** Why the connection ended, or why its handshake failed; `undefined` until then. */
  readonly end: ConnectionEnd | undefined;
  /** See `WebSocketHandler.signal`. */
  readonly signal: AbortSignal;
  /** See `WebSocketHandler.closed`. */
  readonly closed: Promise<ConnectionEnd>;
  /** See `WebSocketHandler.latency`. */
  readonly latency: number | undefined;
  /** See `WebSocketHandler.topics`. */
  readonly topicNames: readonly string[];
  /** Converts the request to a Web `Request`. */
  toRequest(): Request;
  /** See `WebSocketHandler.setHeader`. */
  setHeader(name: string, value: string): void;
  /** See `WebSocketHandler.writeMessage`. */
  writeMessage(message: Message | MessageSource): Promise<void>;
  /** See `WebSocketHandler.ping`. */
  ping(payload: string | Uint8Array): void;
  /** See `WebSocketHandler.close`. */
  close(code?: number, reason?: string): void;
  /** See `WebSocketHandler.abort`. */
  abort(): void;
  /** See `WebSocketHandler.setNodelay`. */
  setNoDelay(on: boolean): void;
  /** See `WebSocketHandler.subscribe`. */
  subscribe(topic: string, options?: SubscribeOptions): Promise<Subscribed>;
  /** See `WebSocketHandler.unsubscribe`. */
  unsubscribe(topic: string): void;
  /** See `WebSocketHandler.publish`. */
  publish(topic: string, message: Message): Published;
  /** See `WebSocketHandler.runHooksIn`. */
  runHooksIn(context: HookContext): void;
  /** Logs an exception of a callback. */
  logException(error: unknown): void;
  /** Calls a callback. An exception in it is logged and closes the connection with 1011. */
  guard<Result>(callback: () => Result): Result | undefined;
}

/** What a trusted proxy says about its client. */
export interface Forwarded {
  /** The address of the client. */
  readonly hostname: string | undefined;
  /** Whether the client uses TLS to the proxy. */
  readonly secure: boolean | undefined;
}
