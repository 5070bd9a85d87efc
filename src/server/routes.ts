/**
 * The compiled routes of an application: from a path to a handler class and its options.
 *
 * @module
 */
import { Refusal } from "../errors.ts";
import type { RequestHead } from "../handshake/request_head.ts";
import { show } from "../validation.ts";
import { type HandlerClass, WebSocketHandler } from "./handler.ts";
import { encodePath, PathPattern } from "./path_pattern.ts";
import type { AnyRoute, Pattern, Route } from "./route_types.ts";

/**
 * A route that matches a path.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import type { Match } from "@waterspout/websocket";
 *
 * function nameOf({ pattern, handler }: Match): string {
 *   return `${handler.name} at ${pattern}`;
 * }
 * assert(nameOf.length === 1);
 * ```
 */
export interface Match {
  /** The handler class of the route. */
  readonly handler: HandlerClass<unknown>;
  /** The options of the route. */
  readonly options: unknown;
  /** The pattern of the route. */
  readonly pattern: Pattern;
  /** The captured parts, in order and percent-decoded; `""` for a part that is missing. */
  readonly args: readonly string[];
  /** The captured parts that have a name. */
  readonly params: Readonly<Record<string, string>>;
}

/** A compiled route: matches a path. */
type Matcher = (path: string) => Match | undefined;
/** The parts of a match that do not depend on the path. */
type Target = Pick<Match, "pattern" | "handler" | "options">;

/** The part of `URLPattern` that is used here. Node has it since version 24. */
interface UrlPattern {
  exec(input: { pathname: string }): {
    pathname: { groups: Record<string, string | undefined> };
  } | null;
}

const NO_ARGS: readonly string[] = Object.freeze([]);
const NO_PARAMS: Readonly<Record<string, string>> = Object.freeze({});

/** Patterns in which each segment is literal or one `:name`. They need no `URLPattern`. */
const SIMPLE = /^(?:\/(?::[A-Za-z_$][\w$]*|[^/:*+?{}()\\]*))+$/;

function decode(part: string | undefined): string {
  return part === undefined ? "" : decodeURIComponent(part);
}

function regExpMatcher(pattern: RegExp, target: Target): Matcher {
  // Without `g` and `y`, which would make a match depend on the one before.
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

/** For variables with nothing between them, where a RegExp would take quadratic time. */
function pathPatternMatcher(pattern: PathPattern, target: Target): Matcher {
  return (path) => {
    const found = pattern.exec(path);
    if (found === null) return undefined;
    const args = found.map(decode);
    const params: Record<string, string> = {};
    for (const [index, name] of pattern.names.entries()) {
      if (name !== undefined) params[name] = args[index] ?? "";
    }
    return { ...target, args, params };
  };
}

function compile([pattern, handler, options]: Route): Matcher {
  const target: Target = { pattern, handler, options };
  if (pattern instanceof RegExp) return regExpMatcher(pattern, target);
  if (!SIMPLE.test(pattern)) {
    const compiled = PathPattern.compile(pattern);
    return compiled === null
      ? urlPatternMatcher(pattern, target)
      : pathPatternMatcher(compiled, target);
  }
  const encoded = encodePath(pattern);
  if (!pattern.includes(":")) {
    // All connections on a literal path share one match.
    const match: Match = { ...target, args: NO_ARGS, params: NO_PARAMS };
    return (path) => path === encoded ? match : undefined;
  }
  const source = encoded.replace(/[.|[\]^]|\$(?![\w$])/g, "\\$&")
    .replace(/:([A-Za-z_$][\w$]*)/g, "(?<$1>[^/]+)");
  return regExpMatcher(new RegExp(source), target);
}

/**
 * Checks a route of a JavaScript program, which no compiler has checked.
 *
 * @throws {TypeError} If it is not a route.
 */
function checkRoute(route: unknown, index: number): void {
  if (!Array.isArray(route) || route.length < 2 || route.length > 3) {
    const length = Array.isArray(route) ? ` of ${route.length}` : "";
    throw new TypeError(
      `Cannot use route ${index}: must be [pattern, handler, options?], got ${
        show(route)
      }${length}`,
    );
  }
  const [pattern, handler] = route;
  if (typeof pattern !== "string" && !(pattern instanceof RegExp)) {
    throw new TypeError(
      `Cannot use route ${index}: pattern must be a string or a RegExp, got ${show(pattern)}`,
    );
  }
  const name = typeof pattern === "string" ? JSON.stringify(pattern) : String(pattern);
  if (typeof pattern === "string" && !pattern.startsWith("/")) {
    throw new TypeError(`Cannot use pattern ${name}: must begin with "/"`);
  }
  if (typeof handler !== "function" || !(handler.prototype instanceof WebSocketHandler)) {
    throw new TypeError(
      `Cannot use route ${name}: handler must be a class that extends WebSocketHandler, ` +
        `got ${show(handler)}`,
    );
  }
  if (typeof handler.prototype.onMessage !== "function") {
    throw new TypeError(`Cannot use route ${name}: ${handler.name} must have a method onMessage`);
  }
}

/** The routes of an application, tried in order. */
export class Routes {
  readonly #matchers: readonly Matcher[];

  /**
   * @param routes The routes. The first one that matches a path counts.
   * @throws {TypeError} If one is not a route, its pattern is not a path or cannot be compiled on this
   * runtime, or its handler is not a handler class with an `onMessage` method.
   */
  constructor(routes: readonly AnyRoute[]) {
    if (!Array.isArray(routes)) {
      throw new TypeError(`Cannot use routes: must be an array, got ${show(routes)}`);
    }
    routes.forEach(checkRoute);
    // The compiler has checked the options of each handler where the route was written.
    this.#matchers = (routes as readonly Route[]).map(compile);
  }

  /**
   * Finds the first route that matches a whole path.
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
 * Finds the route of a handshake.
 *
 * @throws {Refusal} 400 for a malformed path, 404 if none matches, 405 if the method is not GET.
 */
export function matchRoute(routes: Routes, { path, method }: RequestHead): Match {
  let match: Match | undefined;
  try {
    match = routes.match(path);
  } catch {
    throw new Refusal(400, "the path is not well-formed percent-encoding (RFC 3986 §2.1)", {
      reason: "request",
    });
  }
  if (match === undefined) throw new Refusal(404, "no route matches the path", { reason: "path" });
  if (method !== "GET") {
    throw new Refusal(405, "a WebSocket handshake is a GET (RFC 6455 §4.1)", {
      reason: "method",
      headers: { allow: "GET" },
    });
  }
  return match;
}
