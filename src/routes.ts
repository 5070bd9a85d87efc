/**
 * Pattern → handler class and its options.
 *
 * @module
 */
import type { HandlerClass } from "./handler.ts";

/** What a route's pattern may be: a URLPattern pathname such as `/room/:name`, or a RegExp. */
export type Pattern = string | RegExp;

/**
 * A pattern, the handler class for the paths that it matches whole, and the handler's options,
 * which the handler's type makes optional or not (Tornado's `URLSpec`).
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

/** What a compiled pattern says of a path. */
type Matcher = (path: string) => Pick<Match, "args" | "params"> | undefined;

/** The part of `URLPattern` that is used; Node has it from version 24 on. */
interface UrlPattern {
  exec(input: { pathname: string }): {
    pathname: { groups: Record<string, string | undefined> };
  } | null;
}

const NO_ARGS: Pick<Match, "args" | "params"> = Object.freeze({
  args: Object.freeze([]),
  params: Object.freeze({}),
});

/** Only segments that are literal or one `:name`: what needs no `URLPattern`. */
const SIMPLE = /^(?:\/(?::[A-Za-z_$][\w$]*|[^/:*+?{}()\\]*))+$/;

function decode(part: string | undefined): string {
  return part === undefined ? "" : decodeURIComponent(part);
}

function regExpMatcher(pattern: RegExp): Matcher {
  // Neither `g` nor `y`: a match must not depend on the one before it.
  const whole = new RegExp(`^(?:${pattern.source})$`, pattern.flags.replace(/[gy]/g, ""));
  return (path) => {
    const found = whole.exec(path);
    if (found === null) return undefined;
    const params: Record<string, string> = {};
    for (const [name, part] of Object.entries(found.groups ?? {})) params[name] = decode(part);
    return { args: found.slice(1).map(decode), params };
  };
}

function urlPatternMatcher(pathname: string): Matcher {
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
    return { args, params };
  };
}

function compile(pattern: Pattern): Matcher {
  if (pattern instanceof RegExp) return regExpMatcher(pattern);
  if (!pattern.startsWith("/")) {
    throw new TypeError(`Cannot use pattern ${JSON.stringify(pattern)}: it must begin with "/"`);
  }
  if (!SIMPLE.test(pattern)) return urlPatternMatcher(pattern);
  if (!pattern.includes(":")) return (path) => path === pattern ? NO_ARGS : undefined;
  const source = pattern.replace(/[.|[\]^]|\$(?![\w$])/g, "\\$&")
    .replace(/:([A-Za-z_$][\w$]*)/g, "(?<$1>[^/]+)");
  return regExpMatcher(new RegExp(source));
}

/** The routes of an application, tried in order. */
export class Routes {
  readonly #routes: { route: Route; match: Matcher }[] = [];

  /**
   * @param routes The routes in the order in which they are tried.
   * @throws {TypeError} If a pattern is not a path, or not one that this runtime can compile.
   */
  constructor(routes: readonly Route[]) {
    for (const route of routes) this.#routes.push({ route, match: compile(route[0]) });
  }

  /**
   * The first route that matches the whole of a path.
   *
   * @throws {URIError} If a captured part is not well-formed percent-encoding.
   */
  match(path: string): Match | undefined {
    for (const { route, match } of this.#routes) {
      const found = match(path);
      if (found !== undefined) {
        return { pattern: route[0], handler: route[1], options: route[2], ...found };
      }
    }
    return undefined;
  }
}
