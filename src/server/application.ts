/**
 * Tornado's `Application`: routes, settings and connections.
 *
 * @module
 */
import { Attachment, type AttachOptions, handleUpgrade } from "./attachment.ts";
import type { ShutdownOptions } from "./connection_group.ts";
import { Context } from "./context.ts";
import type { Http2Fields } from "../handshake/extended_connect.ts";
import type { Message } from "../connection/message.ts";
import type { AnyHandler } from "./handler.ts";
import { openHandlers, subscribedHandlers } from "./open_handlers.ts";
import type { AnyRoute, CheckedRoutes } from "./route_types.ts";
import { Routes as CompiledRoutes } from "./routes.ts";
import { type ListenOptions, Server } from "./server.ts";
import { handleStream } from "./stream_connection.ts";
import { resolveSettings, type Settings } from "./settings.ts";
import type { Stats } from "../metrics/snapshot.ts";
import type { Published } from "../pubsub/broadcast.ts";
import type { History, HistoryOptions } from "../pubsub/history.ts";
import type { Present } from "../pubsub/presence_entry.ts";
import type { UpgradeSocket } from "../transport/attach.ts";
import type { Http2ServerStream } from "../transport/http2.ts";
import type { Transport } from "../transport/transport.ts";
import type { UpgradeServer } from "./upgrade_dispatch.ts";
import type { UpgradeRequest } from "./upgrade_request.ts";

/**
 * Routes, settings, and the connections that use them.
 *
 * @typeParam Routes The routes, inferred from the first argument.
 *
 * @example
 * ```ts
 * import { Application, WebSocketHandler } from "@waterspout/websocket";
 *
 * class Greeter extends WebSocketHandler<{ greeting: string }> {
 *   override open(name: string): void {
 *     this.writeMessage(`${this.options.greeting}, ${name}!`);
 *   }
 *   onMessage(): void {}
 * }
 *
 * const app = new Application([["/greet/:name", Greeter, { greeting: "Hello" }]], {
 *   maxMessageSize: 1024,
 * });
 * const server = app.listen({ port: 0 });
 * await server.shutdown();
 * ```
 */
export class Application<const Routes extends readonly AnyRoute[] = readonly AnyRoute[]> {
  /** The settings, complete. */
  readonly settings: Settings;
  readonly #context: Context;

  /**
   * Makes an application. Call {@linkcode listen} to serve it.
   *
   * @param routes Patterns, handler classes and their options. The first pattern that matches counts.
   * @param settings The settings that differ from the defaults.
   * @throws {TypeError} If a route is wrong, a setting is unknown, or a value has the wrong type.
   * @throws {RangeError} If a number is out of range.
   */
  constructor(
    routes: readonly [...CheckedRoutes<Routes>],
    settings: Partial<Settings> = {},
  ) {
    this.settings = resolveSettings(settings);
    this.#context = new Context(this, this.settings, new CompiledRoutes(routes));
  }

  /**
   * Listens on a port (Tornado's `Application.listen`).
   *
   * @param options A port, or options. A port may be a string of digits, as in `process.env.PORT`. With
   * a port alone, listens on all addresses.
   * @param others None are allowed. Address and callback are options.
   * @throws {TypeError} If an option is unknown or has the wrong type, or only one of `cert` and `key`
   * is set, or the application was shut down. Nothing listens then.
   * @throws {RangeError} If the port is out of range.
   * @throws {Error} If the address cannot be bound. On some runtimes the server's `listening` rejects
   * instead.
   */
  listen(options: number | string | ListenOptions, ...others: never[]): Server {
    if (others.length > 0) {
      // Ignoring the address in `listen(8888, "127.0.0.1")` would listen on all addresses.
      throw new TypeError("Cannot listen: expected one argument; use { port, hostname, onListen }");
    }
    this.#context.checkRunning("listen");
    return new Server(this.#context, options);
  }

  /**
   * Serves WebSockets on an existing HTTP server, such as that of Express or Fastify. If a WebSocket
   * request matches a route, no other `upgrade` listener receives it. The server handles all other
   * requests as before, with one exception: without another `upgrade` listener, a WebSocket request
   * that matches no route gets status 404.
   *
   * On a server of `node:http2`, WebSockets can also open on streams of HTTP/2 (RFC 8441). For this,
   * `attach` enables extended CONNECT: at once for new sessions, and at the next request for open
   * sessions. Extended CONNECT stays enabled after `detach`.
   *
   * @param server A server of `node:http`, `node:https` or `node:http2`, before or after its `listen`.
   * @param options Options.
   * @throws {TypeError} If `server` is not a server, an option is wrong, or the application is already
   * attached to this server or was shut down.
   *
   * @example
   * ```ts
   * import { createServer } from "node:http";
   * import { Application } from "@waterspout/websocket";
   *
   * const server = createServer((_, response) => void response.end("Hello"));
   * const attachment = new Application([]).attach(server);
   * await attachment.shutdown();
   * ```
   */
  attach(server: UpgradeServer, options: AttachOptions = {}): Attachment {
    return new Attachment(this.#context, server, options);
  }

  /**
   * Serves one request of an `upgrade` event. Use it instead of {@linkcode attach} if you have an
   * `upgrade` listener that decides who gets a request.
   *
   * @param request The `http.IncomingMessage`.
   * @param socket Its socket. If a route matches, nothing else may read or write it.
   * @param head The bytes that were read after the request head.
   * @returns Whether the request asks for a WebSocket and a route matches. If not, the socket is
   * untouched, and you must answer the request.
   * @throws {TypeError} If an argument has the wrong type.
   *
   * @example
   * ```ts
   * import { createServer } from "node:http";
   * import { Application } from "@waterspout/websocket";
   *
   * const app = new Application([]);
   * createServer().on("upgrade", (request, socket, head) => {
   *   if (!app.handleUpgrade(request, socket, head)) socket.destroy();
   * });
   * ```
   */
  handleUpgrade(request: UpgradeRequest, socket: UpgradeSocket, head: Uint8Array): boolean {
    return handleUpgrade(this.#context, { request, socket, head });
  }

  /** Serves a connection of your own listener. The adapters of each runtime make the transport. */
  accept(transport: Transport): void {
    this.#context.given.take(transport);
  }

  /**
   * Shuts down all servers and attachments of the application, and the connections of
   * {@linkcode accept} and {@linkcode handleUpgrade}. See `Server.shutdown`. After that, the
   * application accepts no connections.
   *
   * @returns A promise that resolves when all connections are closed and `onClose()` has settled.
   * @throws {TypeError} If an option is unknown or has the wrong type.
   * @throws {RangeError} If the code or the reason cannot be sent, or the timeout is out of range.
   */
  async shutdown(options: ShutdownOptions = {}): Promise<void> {
    await this.#context.shutdown(options);
  }

  /**
   * Serves one stream of HTTP/2 (RFC 8441). Use it instead of `attach` if you have a `stream` listener
   * that decides who gets a stream. The server must have enabled extended CONNECT
   * (`settings: { enableConnectProtocol: true }`).
   *
   * @param stream The `http2.ServerHttp2Stream`. If a route matches, nothing else may read or write it.
   * @param headers The fields of the request.
   * @returns Whether the request asks for a WebSocket and a route matches. If not, the stream is
   * untouched, and you must answer the request.
   * @throws {TypeError} If an argument has the wrong type, or the stream was already answered.
   *
   * @example
   * ```ts
   * import { createServer } from "node:http2";
   * import { Application } from "@waterspout/websocket";
   *
   * const app = new Application([]);
   * const server = createServer({ settings: { enableConnectProtocol: true } });
   * server.on("stream", (stream, headers) => {
   *   if (!app.handleStream(stream, headers)) stream.respond({ ":status": 404 }, { endStream: true });
   * });
   * ```
   */
  handleStream(stream: Http2ServerStream, headers: Http2Fields): boolean {
    return handleStream(this.#context, { stream, fields: headers });
  }

  /**
   * Sends a message to all subscribers of a topic in this process. With the setting `broker`, also to
   * those in other processes.
   *
   * @param topic A string of 1 to 256 characters.
   * @param message Like the message of `WebSocketHandler.writeMessage`. It is encoded once for each
   * wire format.
   * @returns How many subscribers in this process received it, and how many did not. A loop that
   * publishes must await {@linkcode Published.ready}.
   * @throws {TypeError} If the topic or the message is wrong.
   */
  publish(topic: string, message: Message): Published {
    return this.#context.topics.publish(topic, message);
  }

  /**
   * Reads the kept messages of a topic. With a broker, asks the broker.
   *
   * @param topic A topic that matches the setting `history`.
   * @param options Which messages. Default: all that are kept.
   * @returns Rejects with a `TypeError` if the topic has no history or an argument has the wrong type,
   * with a `RangeError` if `limit` is out of range, and if the broker does not answer within 5 seconds.
   */
  history(topic: string, options: HistoryOptions = {}): Promise<History> {
    return this.#context.topics.history(topic, options);
  }

  /**
   * Lists the handlers of all open connections of this application. Connections may open and close
   * during the iteration. Closed ones are left out. New ones may or may not be listed.
   *
   * @example
   * ```ts
   * import { assertEquals } from "@std/assert";
   * import { Application, WebSocketHandler } from "@waterspout/websocket";
   * import { connect } from "@waterspout/websocket/testing";
   *
   * class Member extends WebSocketHandler {
   *   onMessage(): void {}
   * }
   *
   * const app = new Application([["/:name", Member]]);
   * await connect(app, "/ada");
   * await connect(app, "/grace");
   * assertEquals([...app.connections()].map(({ params }) => params), [
   *   { name: "ada" },
   *   { name: "grace" },
   * ]);
   * ```
   */
  connections(): Generator<AnyHandler, void, undefined> {
    return openHandlers(this.#context.groups);
  }

  /**
   * Lists the handlers that are subscribed to a topic in this process, as {@linkcode connections} does.
   *
   * @param topic A string of 1 to 256 characters.
   * @throws {TypeError} If the topic is wrong.
   */
  subscribers(topic: string): Generator<AnyHandler, void, undefined> {
    return subscribedHandlers(this.#context.topics, topic);
  }

  /**
   * Counts the subscribers of a topic in this process.
   *
   * @param topic A string of 1 to 256 characters.
   * @throws {TypeError} If the topic is wrong.
   */
  subscriberCount(topic: string): number {
    return this.#context.topics.count(topic);
  }

  /**
   * Lists who is present at a topic, in all processes: those who have subscribed with the option
   * `presence`.
   *
   * @param topic A string of 1 to 256 characters.
   * @returns Sorted by id. Rejects if the broker is down, gives no answer within 5 s, or a malformed
   * one.
   * @throws {TypeError} If the topic is wrong, or the broker cannot know who is present.
   *
   * @example
   * ```ts
   * import { assertEquals } from "@std/assert";
   * import { Application, WebSocketHandler } from "@waterspout/websocket";
   * import { connect } from "@waterspout/websocket/testing";
   *
   * class Member extends WebSocketHandler {
   *   override open(name: string): void {
   *     this.subscribe("lobby", { presence: { id: name } });
   *   }
   *   onMessage(): void {}
   * }
   *
   * const app = new Application([["/:name", Member]]);
   * await connect(app, "/grace");
   * await connect(app, "/ada", { version: "draft76" });
   * await connect(app, "/ada");
   * assertEquals((await app.presence("lobby")).map(({ id }) => id), ["ada", "grace"]);
   * ```
   */
  presence(topic: string): Promise<Present[]> {
    return this.#context.topics.listPresent(topic);
  }

  /**
   * Returns the counters of this application: totals since its construction, and current values.
   * {@linkcode metricsResponse} formats them for Prometheus.
   */
  stats(): Stats {
    return this.#context.stats();
  }
}
