/**
 * The properties of a handler that describe its connection and how it ended.
 *
 * @module
 */
import type { ConnectionEnd } from "../connection/connection_end.ts";
import { checkValue, FUNCTION } from "../validation.ts";
import type { Application } from "./application.ts";
import type { HandlerConnection } from "./connection_info.ts";
import type { HookContext } from "./hook_context.ts";
import { LimitedHandler } from "./limited_handler.ts";
import { type AnyParams, requireConnection } from "./request_handler.ts";

/**
 * The base class of {@linkcode WebSocketHandler} with the state of the connection. Do not extend this
 * class: extend {@linkcode WebSocketHandler} instead.
 *
 * @typeParam Options The type of the route's options.
 * @typeParam Params The named parts of the route's pattern.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import type { ConnectedHandler } from "@waterspout/websocket";
 *
 * // Works with handlers of every class.
 * function isSlow(handler: ConnectedHandler): boolean {
 *   return handler.bufferedAmount > 65_536 || (handler.latency ?? 0) > 1000;
 * }
 * assert(isSlow.length === 1);
 * ```
 */
export abstract class ConnectedHandler<Options = unknown, Params extends object = AnyParams>
  extends LimitedHandler<Options, Params> {
  readonly #connection: HandlerConnection | null;

  /**
   * Made for each connection whose handshake matches the route.
   *
   * @param application The application that has the route.
   * @param request The connection, or a `Request` in a test.
   * @param options The route's options.
   */
  constructor(application: Application, request: Request | HandlerConnection, options: Options) {
    super(application, request, options);
    this.#connection = request instanceof Request ? null : request;
  }

  #live(): HandlerConnection {
    return requireConnection(this.#connection);
  }

  /** The close code that the client sent; `undefined` if it sent none. */
  get closeCode(): number | undefined {
    return this.#live().closeCode;
  }

  /** The close reason that the client sent; `""` if it sent none. */
  get closeReason(): string {
    return this.#live().closeReason;
  }

  /** Why the connection ended, or why its handshake failed; `undefined` until then. */
  get ended(): ConnectionEnd | undefined {
    return this.#live().end;
  }

  /**
   * A signal that aborts when the connection ends, just before `onClose()`, or when the handshake
   * fails. Its `reason` is {@linkcode ended}. Pass it to the work that you do for this client, such as
   * `fetch`.
   */
  get signal(): AbortSignal {
    return this.#live().signal;
  }

  /**
   * A promise that resolves with {@linkcode ended} when the connection ends, or when the handshake
   * fails. Never rejects.
   */
  get closed(): Promise<ConnectionEnd> {
    return this.#live().closed;
  }

  /**
   * The round-trip time of the last answered ping, in milliseconds; `undefined` before the first one.
   */
  get latency(): number | undefined {
    return this.#live().latency;
  }

  /** How many written bytes the operating system has not accepted yet. */
  get bufferedAmount(): number {
    return this.#live().bufferedAmount;
  }

  /** The topics that this handler is subscribed to. */
  get topics(): readonly string[] {
    return this.#live().topicNames;
  }

  /**
   * Runs all later hooks of this handler in a context. For example, call it with
   * `AsyncLocalStorage.snapshot()` in `prepare` or `open`. Then `onMessage` and the other hooks see the
   * values of the storage. A second call replaces the context.
   *
   * @param context A function that calls its argument and returns the result.
   * @throws {TypeError} If it is not a function.
   *
   * @example
   * ```ts
   * import { assertEquals } from "@std/assert";
   * import { AsyncLocalStorage } from "node:async_hooks";
   * import { Application, WebSocketHandler } from "@waterspout/websocket";
   * import { connect } from "@waterspout/websocket/testing";
   *
   * const user = new AsyncLocalStorage<string>();
   * class WhoAmI extends WebSocketHandler {
   *   override prepare(): void {
   *     user.run(this.getArgument("user"), () => this.runHooksIn(AsyncLocalStorage.snapshot()));
   *   }
   *   onMessage(): void {
   *     this.writeMessage(user.getStore() ?? "nobody");
   *   }
   * }
   *
   * const client = await connect(new Application([["/", WhoAmI]]), "/?user=ada");
   * client.writeMessage("who am I?");
   * assertEquals(await client.readMessage(), "ada");
   * ```
   */
  runHooksIn(context: HookContext): void {
    checkValue(context, "Cannot run hooks in this context: it", FUNCTION);
    this.#live().runHooksIn(context);
  }
}
