/**
 * The request of a handler: the part of Tornado's `RequestHandler` that a WebSocket needs.
 *
 * @module
 */
import { HttpError } from "../errors.ts";
import type { MaybePromise } from "../guard.ts";
import { cookieValue } from "../handshake/cookies.ts";
import type { WebSocketVersion } from "../handshake/versions.ts";
import type { Application } from "./application.ts";
import type { ConnectionInfo, HandlerConnection } from "./connection_info.ts";

/**
 * The route parameters of a handler that does not name its own.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import type { AnyParams } from "@waterspout/websocket";
 *
 * const params: AnyParams = { room: "lobby" };
 * assert(params.room === "lobby");
 * ```
 */
export type AnyParams = Readonly<Record<string, string>>;

/**
 * What a handler knows about its request: path, arguments, cookies and options. Do not extend it: extend
 * {@linkcode WebSocketHandler}, which inherits all of it.
 *
 * @typeParam Options The type of the route's options.
 * @typeParam Params The named parts of the route's pattern.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import type { RequestHandler } from "@waterspout/websocket";
 *
 * // Serves handlers of every class.
 * function pageOf(handler: RequestHandler): number {
 *   return Number(handler.getArgument("page", "1"));
 * }
 * assert(pageOf.length === 1);
 * ```
 */
export abstract class RequestHandler<Options = unknown, Params extends object = AnyParams> {
  /** The application that has the route. */
  readonly application: Application;
  /** The route's options. */
  readonly options: Options;
  readonly #connection: HandlerConnection | null;
  #request: Request | null;

  /**
   * Made for each connection whose handshake matches the route.
   *
   * @param application The application that has the route.
   * @param request The connection, or a `Request` in a test.
   * @param options The route's options.
   */
  constructor(application: Application, request: Request | HandlerConnection, options: Options) {
    this.application = application;
    this.options = options;
    this.#request = request instanceof Request ? request : null;
    this.#connection = request instanceof Request ? null : request;
  }

  #live(): HandlerConnection {
    return requireConnection(this.#connection);
  }

  // --- The request ------------------------------------------------------------------------------

  /**
   * The request of the handshake, as a Web `Request`. It is made on first use. It fits libraries for
   * cookies, tokens and the like.
   */
  get request(): Request {
    return this.#request ??= this.#live().toRequest();
  }

  /**
   * The request as the HTTP server made it, with `Application.attach` and `handleUpgrade`: the
   * `IncomingMessage`, with what a framework has added to it, such as a session. `undefined` on a
   * listener of ours.
   */
  get rawRequest(): unknown {
    return this.#connection?.rawRequest;
  }

  /** The addresses of both ends, whether TLS is used, and the version. */
  get connection(): ConnectionInfo {
    return this.#live();
  }

  /** The protocol version of the client. */
  get version(): WebSocketVersion {
    return this.#live().version;
  }

  /**
   * The named parts of the path, percent-decoded: `params.name` for the route `/room/:name`. An
   * optional part that is missing is `""`.
   */
  get params(): Params {
    // `Route` checks that the pattern has what `Params` names.
    return (this.#connection?.params ?? {}) as Params;
  }

  // --- Arguments and cookies --------------------------------------------------------------------

  /**
   * Returns an argument of the query string (Tornado's `get_argument`). If there are several of the
   * name, returns the last.
   *
   * @param name The name of the argument.
   * @throws {HttpError} 400, if it is missing. In `prepare` and the other callbacks before `open`, the
   * client gets that response. Later it closes the connection with 1011, like any exception.
   */
  getArgument(name: string): string;
  /**
   * Returns an argument of the query string, or a fallback if it is missing.
   *
   * @param name The name of the argument.
   * @param fallback The value to return if it is missing.
   */
  getArgument<Fallback>(name: string, fallback: Fallback): string | Fallback;
  /** Implements both signatures. */
  getArgument<Fallback>(name: string, ...fallbacks: readonly Fallback[]): string | Fallback {
    const value = this.getArguments(name).at(-1);
    if (value !== undefined) return value;
    // `undefined` is a fallback too.
    if (fallbacks.length === 0) {
      throw new HttpError(400, `missing argument ${JSON.stringify(name)}`);
    }
    return fallbacks[0] as Fallback;
  }

  /** Returns all arguments of a name, in their order (Tornado's `get_arguments`). */
  getArguments(name: string): string[] {
    return new URL(this.request.url).searchParams.getAll(name);
  }

  /**
   * Returns the value of a cookie (Tornado's `get_cookie`), percent-decoded if it is well-formed.
   *
   * @param name The name of the cookie.
   * @returns `undefined` if it is missing.
   */
  getCookie(name: string): string | undefined;
  /**
   * Returns the value of a cookie, or a fallback if it is missing.
   *
   * @param name The name of the cookie.
   * @param fallback The value to return if it is missing.
   */
  getCookie<Fallback>(name: string, fallback: Fallback): string | Fallback;
  /** Implements both signatures. */
  getCookie<Fallback>(name: string, fallback?: Fallback): string | Fallback | undefined {
    return cookieValue(this.request.headers.get("cookie") ?? "", name) ?? fallback;
  }

  // --- The handshake ----------------------------------------------------------------------------

  /**
   * Called first, with the route's options (Tornado's `initialize`). TypeScript does not infer the
   * parameter of an override: write `initialize({ db }: this["options"])`.
   */
  initialize(_options: Options): void {}

  /**
   * Called before the response of the handshake is sent. The response waits for a returned promise.
   * Throw an {@linkcode HttpError} to refuse the handshake.
   */
  prepare(): MaybePromise {
    return undefined;
  }

  /**
   * Adds a header field to the response of the handshake. For draft76, use values that are ASCII and
   * not empty: with others, PhantomJS 1.9 drops the connection.
   *
   * @throws {TypeError} If the name is not a token, the value has a character that is not allowed, or
   * the response was already sent.
   */
  setHeader(name: string, value: string): void {
    this.#live().setHeader(name, value);
  }

  /**
   * Called with every exception of a callback (Tornado's `log_exception`). Default: passes it to the
   * setting `log`.
   */
  logException(error: unknown): void {
    this.#live().logException(error);
  }
}

/**
 * The connection of a handler.
 *
 * @throws {TypeError} If there is none.
 */
export function requireConnection(connection: HandlerConnection | null): HandlerConnection {
  if (connection !== null) return connection;
  throw new TypeError("Cannot use the connection: this handler was made from a Request alone");
}
