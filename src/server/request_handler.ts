/**
 * The request of a handler: the part of Tornado's `RequestHandler` that a WebSocket needs.
 *
 * @module
 */
import { HttpError } from "../errors.ts";
import type { MaybePromise } from "../guard.ts";
import { cookieValue, rawCookieValue } from "../handshake/cookies.ts";
import { decodeSignedValue } from "../handshake/signed_value.ts";
import type { WebSocketVersion } from "../handshake/versions.ts";
import type { Application } from "./application.ts";
import { checkOptions, type Kind } from "../validation.ts";
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
 * Which signed cookies to accept.
 *
 * @example
 * ```ts
 * import { type SignedCookieOptions, WebSocketHandler } from "@waterspout/websocket";
 *
 * const week: SignedCookieOptions = { maxAgeDays: 7 };
 * class Private extends WebSocketHandler {
 *   override async prepare(): Promise<void> {
 *     this.currentUser = await this.getSignedCookie("user", week);
 *   }
 *   onMessage(): void {}
 * }
 * console.assert(Private.length === 3);
 * ```
 */
export interface SignedCookieOptions {
  /** The greatest age, in days. Default: 31. */
  readonly maxAgeDays?: number;
  /** The lowest version of the signature, 1 or 2. Version 1 uses SHA-1. Default: 2. */
  readonly minVersion?: 1 | 2;
}

const SIGNED_COOKIE_KINDS: Readonly<Record<keyof SignedCookieOptions, Kind>> = {
  maxAgeDays: {
    expected: "a number that is not negative",
    hasType: (value) => typeof value === "number",
    inRange: (value) => Number(value) >= 0,
  },
  minVersion: { expected: "1 or 2", hasType: (value) => value === 1 || value === 2 },
};

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
  /** The current user, once it is known. */
  #user: { readonly value: unknown } | null = null;

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
   * `IncomingMessage`, with what a framework has added to it, such as a session. Over HTTP/2 it is the
   * `ServerHttp2Stream`. Otherwise `undefined` on a listener of ours.
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

  /** The captured parts of the path, in order and percent-decoded (Tornado's `path_args`). */
  get pathArgs(): readonly string[] {
    return this.#connection?.pathArgs ?? [];
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
   * The same as {@linkcode getArgument}: a handshake has no arguments but those of the query string
   * (Tornado's `get_query_argument`).
   *
   * @param name The name of the argument.
   */
  getQueryArgument(name: string): string;
  /**
   * The same as {@linkcode getArgument} with a fallback.
   *
   * @param name The name of the argument.
   * @param fallback The value to return if it is missing.
   */
  getQueryArgument<Fallback>(name: string, fallback: Fallback): string | Fallback;
  /** Implements both signatures. */
  getQueryArgument<Fallback>(name: string, ...fallbacks: [] | [Fallback]): string | Fallback {
    return fallbacks.length === 0 ? this.getArgument(name) : this.getArgument(name, fallbacks[0]);
  }

  /** The same as {@linkcode getArguments} (Tornado's `get_query_arguments`). */
  getQueryArguments(name: string): string[] {
    return this.getArguments(name);
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

  /**
   * Returns the value of a cookie that a Tornado application has signed (Tornado's
   * `get_signed_cookie` and `get_secure_cookie`). Needs the setting `cookieSecret`.
   *
   * @param name The name of the cookie.
   * @param options What to accept.
   * @returns `undefined` if the cookie is missing, malformed, forged, too old or was signed for another
   * name.
   * @throws {TypeError} Rejects if there is no `cookieSecret`, an option is wrong, or the value is
   * authentic and not UTF-8.
   */
  async getSignedCookie(
    name: string,
    options: SignedCookieOptions = {},
  ): Promise<string | undefined> {
    const bytes = await this.getSignedCookieBytes(name, options);
    if (bytes === undefined) return undefined;
    try {
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch (error) {
      throw new TypeError(
        `Cannot read the signed cookie ${JSON.stringify(name)} as text: it is not UTF-8. ` +
          "Use getSignedCookieBytes",
        { cause: error },
      );
    }
  }

  /** The same as {@linkcode getSignedCookie}, for a value that is not text. */
  async getSignedCookieBytes(
    name: string,
    options: SignedCookieOptions = {},
  ): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const { maxAgeDays = 31, minVersion = 2 } = checkedOptions(options);
    const secret = this.application.settings.cookieSecret;
    if (secret === undefined) {
      throw new TypeError("Cannot read a signed cookie: the setting cookieSecret is missing");
    }
    const value = rawCookieValue(this.request.headers.get("cookie") ?? "", name);
    if (value === undefined) return undefined;
    const maxAge = maxAgeDays * 24 * 60 * 60 * 1000;
    return await decodeSignedValue(value, { secret, name, maxAge, minVersion, now: Date.now() });
  }

  // --- The user ---------------------------------------------------------------------------------

  /**
   * Returns the user of this connection (Tornado's `get_current_user`). Override it, for example to
   * read a cookie. Default: `undefined`. If it must wait for something, set {@linkcode currentUser} in
   * {@linkcode prepare} instead.
   */
  getCurrentUser(): unknown {
    return undefined;
  }

  /**
   * The user of this connection (Tornado's `current_user`): what was set, or else what
   * {@linkcode getCurrentUser} returned when this was first read. Set only what that function may
   * return, which is the type of this property.
   */
  get currentUser(): ReturnType<this["getCurrentUser"]> {
    this.#user ??= { value: this.getCurrentUser() };
    return this.#user.value as ReturnType<this["getCurrentUser"]>;
  }

  set currentUser(user: unknown) {
    this.#user = { value: user };
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

function checkedOptions(options: SignedCookieOptions): SignedCookieOptions {
  checkOptions(options, {
    kinds: SIGNED_COOKIE_KINDS,
    noun: "option of a signed cookie",
    subject: (name) => `Cannot read a signed cookie: ${name}`,
  });
  return options;
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
