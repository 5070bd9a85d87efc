/**
 * What a handler knows of its request: Tornado's `RequestHandler`, as far as a WebSocket has one.
 *
 * @module
 */
import { HttpError } from "../errors.ts";
import type { MaybePromise } from "../guard.ts";
import { cookieValue } from "../handshake/cookies.ts";
import type { WebSocketVersion } from "../handshake/versions.ts";
import type { Application } from "./application.ts";
import type { ConnectionInfo, HandlerConnection } from "./connection_info.ts";

/** The parameters of a route, unless a handler names its own. */
export type AnyParams = Readonly<Record<string, string>>;

/**
 * What a handler knows of the request that it was made for: path, arguments, cookies, options. Extend
 * {@linkcode WebSocketHandler}, which has all of this.
 *
 * @typeParam Options What the route passes, third in its tuple.
 * @typeParam Params The named parts of the route's pattern.
 *
 * @example
 * ```ts
 * import type { RequestHandler } from "@waterspout/websocket";
 *
 * // Serves handlers of every class.
 * function pageOf(handler: RequestHandler): number {
 *   return Number(handler.getArgument("page", "1"));
 * }
 * console.assert(pageOf.length === 1);
 * ```
 */
export abstract class RequestHandler<Options = unknown, Params extends object = AnyParams> {
  /** The application whose route led here. */
  readonly application: Application;
  /** The route's options. */
  readonly options: Options;
  readonly #connection: HandlerConnection | null;
  #request: Request | null;

  /**
   * Made for each connection whose handshake matches the route.
   *
   * @param application The application whose route led here.
   * @param request The connection, to be passed on as it is by a subclass; or a `Request`, for a test
   * of what depends on nothing else.
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
   * The handshake as a Web `Request`, for any library of cookies or tokens. It is made on first
   * use.
   */
  get request(): Request {
    return this.#request ??= this.#live().toRequest();
  }

  /** The two ends, whether it is TLS, and the version that is spoken. */
  get connection(): ConnectionInfo {
    return this.#live();
  }

  /** The version that the client speaks. */
  get version(): WebSocketVersion {
    return this.#live().version;
  }

  /**
   * The named parts of the path, percent-decoded: `params.name` for the route `/room/:name`. A part
   * that is optional and missing is `""`.
   */
  get params(): Params {
    // `Route` checks that the pattern has what `Params` names.
    return (this.#connection?.params ?? {}) as Params;
  }

  // --- Arguments and cookies --------------------------------------------------------------------

  /**
   * An argument of the query string, the last if it is there more than once (Tornado's
   * `get_argument`).
   *
   * @param name Its name.
   * @throws {HttpError} 400 if it is missing. Before the 101 that is the answer; later it ends the
   * connection with 1011, like any exception of a callback.
   */
  getArgument(name: string): string;
  /**
   * An argument of the query string, or a fallback.
   *
   * @param name Its name.
   * @param fallback What to return if it is missing.
   */
  getArgument<Fallback>(name: string, fallback: Fallback): string | Fallback;
  /** Implements both. */
  getArgument<Fallback>(name: string, ...fallbacks: readonly Fallback[]): string | Fallback {
    const value = this.getArguments(name).at(-1);
    if (value !== undefined) return value;
    // That is not the same as `undefined`.
    if (fallbacks.length === 0) {
      throw new HttpError(400, `missing argument ${JSON.stringify(name)}`);
    }
    return fallbacks[0] as Fallback;
  }

  /** All arguments of a name in the query string, in order (Tornado's `get_arguments`). */
  getArguments(name: string): string[] {
    return new URL(this.request.url).searchParams.getAll(name);
  }

  /**
   * A cookie's value, percent-decoded where it is well-formed (Tornado's `get_cookie`).
   *
   * @param name Its name.
   */
  getCookie(name: string): string | undefined;
  /**
   * A cookie's value, or a fallback.
   *
   * @param name Its name.
   * @param fallback What to return if it is missing.
   */
  getCookie<Fallback>(name: string, fallback: Fallback): string | Fallback;
  /** Implements both. */
  getCookie<Fallback>(name: string, fallback?: Fallback): string | Fallback | undefined {
    return cookieValue(this.request.headers.get("cookie") ?? "", name) ?? fallback;
  }

  // --- The handshake ----------------------------------------------------------------------------

  /**
   * Called first, with the route's options (Tornado's `initialize`). TypeScript does not infer the
   * parameter of an overriding method: write `initialize({ db }: this["options"])`.
   */
  initialize(_options: Options): void {}

  /**
   * Called before the handshake is answered. Throw {@linkcode HttpError} to refuse it; a promise
   * holds the answer back.
   */
  prepare(): MaybePromise {
    return undefined;
  }

  /**
   * Adds a field to the answer of the handshake, until `open`. A value should be of ASCII and not be
   * empty where draft76 is spoken: with others PhantomJS 1.9 drops the connection.
   *
   * @throws {TypeError} If the name is not a token, the value has a character that a field cannot
   * have, or the handshake is over.
   */
  setHeader(name: string, value: string): void {
    this.#live().setHeader(name, value);
  }

  /**
   * Called with what a callback threw or rejected. Default: writes it to the setting `log` (Tornado's
   * `log_exception`).
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
