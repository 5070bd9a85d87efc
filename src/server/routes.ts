/**
 * Pattern → handler class and its options.
 *
 * @module
 */
import { HttpError } from "../errors.ts";
import type { RequestHead } from "../handshake/request_head.ts";
import type { HandlerClass } from "./handler.ts";

/**
 * What a route's pattern may be: a URLPattern pathname such as `/room/:name`, or a RegExp.
 *
 * @example
 * ```ts
 * import { Application, WebSocketHandler } from "@waterspout/websocket";
 *
 * class Sink extends WebSocketHandler {
 *   onMessage(): void {}
 * }
 *
 * new Application([
 *   ["/", Sink],
 *   ["/rooms/:room", Sink], // this.params.room
 *   [/\/files\/(.+)/, Sink], // open(path)
 * ]);
 * ```
 */
export type Pattern = string | RegExp;

/**
 * A pattern, the handler class for the paths that it matches whole, and the handler's options,
 * which the handler's type makes optional or not (Tornado's `URLSpec`).
 *
 * @example
 * ```ts
 * import { Application, WebSocketHandler } from "@waterspout/websocket";
 * import type { Route } from "@waterspout/websocket";
 *
 * class Greeter extends WebSocketHandler<{ greeting: string }> {
 *   override open(): void {
 *     this.writeMessage(this.options.greeting);
 *   }
 *   onMessage(): void {}
 * }
 *
 * const route: Route<{ greeting: string }> = ["/greet", Greeter, { greeting: "Hello" }];
 * new Application([route]);
 * ```
 */
export type Route<Options = unknown> = undefined extends Options
  ? readonly [pattern: Pattern, handler: HandlerClass<Options>, options?: Options]
  : readonly [pattern: Pattern, handler: HandlerClass<Options>, options: Options];

/** A path that a route matches. */
export interface Match {
  /** The handler class of the route. */
  readonly handler: HandlerClass<unknown>;
  /** The options of the route. */
  readonly options: unknown;
  /** The route's pattern, as it was given. */
  readonly pattern: Pattern;
  /** The captured parts in order, percent-decoded; empty for a group that took no part. */
  readonly args: readonly string[];
  /** The named ones among them. */
  readonly params: Readonly<Record<string, string>>;
}

/** What a compiled route says of a path. */
type Matcher = (path: string) => Match | undefined;
/** What a route's matches have in common. */
type Target = Pick<Match, "pattern" | "handler" | "options">;

/** The part of `URLPattern` that is used; Node has it from version 24 on. */
interface UrlPattern {
  exec(input: { pathname: string }): {
    pathname: { groups: Record<string, string | undefined> };
  } | null;
}

const NO_ARGS: readonly string[] = Object.freeze([]);
const NO_PARAMS: Readonly<Record<string, string>> = Object.freeze({});

/** Only segments that are literal or one `:name`: what needs no `URLPattern`. */
const SIMPLE = /^(?:\/(?::[A-Za-z_$][\w$]*|[^/:*+?{}()\\]*))+$/;

function decode(part: string | undefined): string {
  return part === undefined ? "" : decodeURIComponent(part);
}

function regExpMatcher(pattern: RegExp, target: Target): Matcher {
  // Neither `g` nor `y`: a match must not depend on the one before it.
  const whole = new RegExp(`^(?:${pattern.source})$`, pattern.flags.replace(/[gy]/g, ""));
  return (path) => {
    const found = whole.exec(path);
    if (found === null) return undefined;
    const params: Record<string, string> = {};
    for (const [name, part] of Object.entries(found.groups ?? {})) params[name] = decode(part);
    return { ...target, args: found.slice(1).map(decode), params };
  };
}

function urlPatternMatcher(pathname: string, target: Target): Matcher {
  const { URLPattern } = globalThis as unknown as {
    URLPattern?: new (init: { pathname: string }) => UrlPattern;
  };
  if (URLPattern === undefined) {
    throw new TypeError(
      `Cannot use pattern ${
        JSON.stringify(pathname)
      }: this runtime has no URLPattern; give a RegExp`,
    );
  }
  const pattern = new URLPattern({ pathname });
  return (path) => {
    const found = pattern.exec({ pathname: path });
    if (found === null) return undefined;
    const params: Record<string, string> = {};
    const args: string[] = [];
    for (const [name, part] of Object.entries(found.pathname.groups)) {
      args.push(decode(part));
      if (!/^\d+$/.test(name)) params[name] = args.at(-1) ?? "";
    }
    return { ...target, args, params };
  };
}

function compile([pattern, handler, options]: Route): Matcher {
  const target: Target = { pattern, handler, options };
  if (pattern instanceof RegExp) return regExpMatcher(pattern, target);
  if (!pattern.startsWith("/")) {
    throw new TypeError(`Cannot use pattern ${JSON.stringify(pattern)}: it must begin with "/"`);
  }
  if (!SIMPLE.test(pattern)) return urlPatternMatcher(pattern, target);
  if (!pattern.includes(":")) {
    // All connections of a literal path share the match.
    const match: Match = { ...target, args: NO_ARGS, params: NO_PARAMS };
    return (path) => path === pattern ? match : undefined;
  }
  const source = pattern.replace(/[.|[\]^]|\$(?![\w$])/g, "\\$&")
    .replace(/:([A-Za-z_$][\w$]*)/g, "(?<$1>[^/]+)");
  return regExpMatcher(new RegExp(source), target);
}

/** The routes of an application, tried in order. */
export class Routes {
  readonly #matchers: readonly Matcher[];

  /**
   * @param routes The routes in the order in which they are tried.
   * @throws {TypeError} If a pattern is not a path, or not one that this runtime can compile.
   */
  constructor(routes: readonly Route[]) {
    this.#matchers = routes.map(compile);
  }

  /**
   * The first route that matches the whole of a path.
   *
   * @throws {URIError} If a captured part is not well-formed percent-encoding.
   */
  match(path: string): Match | undefined {
    for (const match of this.#matchers) {
      const found = match(path);
      if (found !== undefined) return found;
    }
    return undefined;
  }
}

/**
 * The route of a handshake.
 *
 * @throws {HttpError} 400 for a malformed path, 404 if none matches, 405 if the method is not GET.
 */
export function matchRoute(routes: Routes, { path, method }: RequestHead): Match {
  let match: Match | undefined;
  try {
    match = routes.match(path);
  } catch {
    throw new HttpError(400, "the path is not well-formed percent-encoding (RFC 3986 §2.1)");
  }
  if (match === undefined) throw new HttpError(404, "no route matches the path");
  if (method !== "GET") {
    throw new HttpError(405, "a WebSocket handshake is a GET (RFC 6455 §4.1)", { allow: "GET" });
  }
  return match;
}
