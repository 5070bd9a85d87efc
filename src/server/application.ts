/**
 * Routes and settings, and the connections that they serve: Tornado's `Application`.
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
 * Handler classes by path, with the settings that they share.
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
   * Makes an application; {@linkcode listen} serves it.
   *
   * @param routes Patterns, handler classes and their options, tried in order.
   * @param settings What differs from the defaults.
   * @throws {TypeError} If a pattern or the name of a setting is wrong.
   * @throws {RangeError} If a number is out of its range.
   */
  constructor(
    routes: readonly [...CheckedRoutes<Routes>],
    settings: Partial<Settings> = {},
  ) {
    this.settings = resolveSettings(settings);
    this.#context = new Context(this, this.settings, new CompiledRoutes(routes));
  }

  /**
   * Serves the application on a port (Tornado's `Application.listen`).
   *
   * @param options A port on all addresses, also as a string of digits (`process.env.PORT`), or where
   * and how to listen.
   * @param others There are none: the address and the callback are options.
   * @throws {TypeError} If it is neither, a name is unknown, a value has a wrong type, or TLS is asked
   * for and `cert` or `key` is missing. Nothing listens then.
   * @throws {RangeError} If the port is out of range.
   * @throws {Error} If the address cannot be bound; where a runtime says so only later, the
   * server's `listening` rejects instead.
   */
  listen(options: number | string | ListenOptions, ...others: never[]): Server {
    if (others.length > 0) {
      // `listen(8888, "127.0.0.1")`, as in Tornado and Node, would listen on all addresses.
      throw new TypeError("Cannot listen: expected one argument; use { port, hostname, onListen }");
    }
    return new Server(this.#context, options);
  }

  /** Serves one connection, for those who own the listener. */
  accept(transport: Transport): void {
    this.#context.take(transport);
  }

  /**
   * Sends a message to all subscribers of a topic, in this process and, through the setting
   * `broker`, in others.
   *
   * @param topic A name of 1 to 256 characters.
   * @param message As `WebSocketHandler.writeMessage` takes it; it is encoded once for each wire
   * format.
   * @returns To how many in this process it was sent, and how many could not be.
   * @throws {TypeError} If the topic is no such name, or the message is none.
   */
  publish(topic: string, message: Message): Published {
    return this.#context.topics.publish(topic, message);
  }

  /**
   * How many connections of this process subscribe to a topic.
   *
   * @param topic The name.
   * @throws {TypeError} If it is no name.
   */
  subscribers(topic: string): number {
    return this.#context.topics.count(topic);
  }

  /**
   * What the connections of this process have done since the application was made, and what there is
   * at this moment. {@linkcode metricsResponse} gives it to Prometheus.
   */
  stats(): Stats {
    return this.#context.stats();
  }
}
