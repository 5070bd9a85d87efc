/**
 * Tornado's `Application`: routes, settings and connections.
 *
 * @module
 */
import { Context } from "./context.ts";
import type { Message } from "../connection/message.ts";
import type { AnyRoute, CheckedRoutes } from "./route_types.ts";
import { Routes as CompiledRoutes } from "./routes.ts";
import { type ListenOptions, Server } from "./server.ts";
import { resolveSettings, type Settings } from "./settings.ts";
import type { Stats } from "../metrics/snapshot.ts";
import type { Published } from "../pubsub/broadcast.ts";
import type { Transport } from "../transport/transport.ts";

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
   * is set. Nothing listens then.
   * @throws {RangeError} If the port is out of range.
   * @throws {Error} If the address cannot be bound. On some runtimes the server's `listening` rejects
   * instead.
   */
  listen(options: number | string | ListenOptions, ...others: never[]): Server {
    if (others.length > 0) {
      // `listen(8888, "127.0.0.1")`, as in Tornado and Node, would listen on all addresses.
      throw new TypeError("Cannot listen: expected one argument; use { port, hostname, onListen }");
    }
    return new Server(this.#context, options);
  }

  /** Serves a connection of your own listener. The adapters of each runtime make the transport. */
  accept(transport: Transport): void {
    this.#context.take(transport);
  }

  /**
   * Sends a message to all subscribers of a topic in this process. With the setting `broker`, also to
   * those in other processes.
   *
   * @param topic A string of 1 to 256 characters.
   * @param message Like the message of `WebSocketHandler.writeMessage`. It is encoded once for each
   * wire format.
   * @returns How many subscribers in this process received it, and how many did not.
   * @throws {TypeError} If the topic or the message is wrong.
   */
  publish(topic: string, message: Message): Published {
    return this.#context.topics.publish(topic, message);
  }

  /**
   * Counts the subscribers of a topic in this process.
   *
   * @param topic A string of 1 to 256 characters.
   * @throws {TypeError} If the topic is wrong.
   */
  subscribers(topic: string): number {
    return this.#context.topics.count(topic);
  }

  /**
   * Returns the counters of this application: totals since its construction, and current values.
   * {@linkcode metricsResponse} formats them for Prometheus.
   */
  stats(): Stats {
    return this.#context.stats();
  }
}
