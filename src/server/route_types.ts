/**
 * The types of routes, and the checks that TypeScript can do.
 *
 * @module
 */
import type { AnyHandler, HandlerClass } from "./handler.ts";

/**
 * The pattern of a route: a URLPattern pathname such as `/room/:name`, or a RegExp. It must match the
 * whole path.
 *
 * Matching a pathname takes linear time. A RegExp, also one in a pathname (`/room/:id(\d+)`), may
 * backtrack: then a client can choose how long the match takes.
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
 * A pattern, a handler class, and the options of the handler (Tornado's `URLSpec`). The type of the
 * handler decides whether options are required.
 *
 * @typeParam Options The options that the handler needs.
 * @typeParam Params The route parameters that the handler names.
 * @typeParam Path The pattern. A literal must have these parameters.
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
export type Route<
  Options = unknown,
  Params extends object = object,
  Path extends Pattern = Pattern,
> = undefined extends Options ? readonly [
    pattern: PatternFor<Params, Path>,
    handler: HandlerClass<Options, Params>,
    options?: Options,
  ]
  : readonly [
    pattern: PatternFor<Params, Path>,
    handler: HandlerClass<Options, Params>,
    options: Options,
  ];

/**
 * A route of any handler, for lists of routes.
 *
 * TypeScript checks the pattern, the handler class, and that options are present if the handler needs
 * them. It cannot compare the type of the options with the handler in a list of this type. Use
 * {@linkcode route} for that; in the first argument of `Application`, routes are always checked.
 *
 * @example
 * ```ts
 * import { type AnyRoute, Application, route, WebSocketHandler } from "@waterspout/websocket";
 *
 * class Greeter extends WebSocketHandler<{ greeting: string }> {
 *   override open(): void {
 *     this.writeMessage(this.options.greeting);
 *   }
 *   onMessage(): void {}
 * }
 *
 * // greetings.ts
 * export const routes: AnyRoute[] = [
 *   ["/hello", Greeter, { greeting: "Hello" }],
 *   route("/bye", Greeter, { greeting: "Goodbye" }),
 * ];
 *
 * // main.ts
 * new Application([...routes]);
 * ```
 */
export type AnyRoute =
  | readonly [pattern: Pattern, handler: AnyHandlerClass<undefined>]
  | readonly [pattern: Pattern, handler: AnyHandlerClass<never>, options: unknown];

/**
 * A handler class that accepts certain options.
 *
 * @ignore
 */
export type AnyHandlerClass<Options> = new (
  application: ConstructorParameters<HandlerClass>[0],
  request: ConstructorParameters<HandlerClass>[1],
  options: Options,
) => AnyHandler;

/**
 * Routes, each checked against its handler.
 *
 * @ignore
 */
export type CheckedRoutes<Routes extends readonly AnyRoute[]> = {
  readonly [Index in keyof Routes]: Routes[Index] extends CheckedRoute<Routes[Index]>
    ? Routes[Index]
    : CheckedRoute<Routes[Index]>;
};

/**
 * A route, checked against its handler. An `AnyRoute` was checked where it was written.
 *
 * @ignore
 */
export type CheckedRoute<Given> = AnyRoute extends Given ? Given
  : Given extends
    readonly [infer Path extends Pattern, HandlerClass<infer Options, infer Params>, ...unknown[]]
    ? Route<Options, Params, Path>
  : AnyRoute;

/**
 * The pattern, if it has the parameters or is not a literal; else an error text.
 *
 * @ignore
 */
export type PatternFor<Params extends object, Path extends Pattern> = Path extends string
  ? string extends Path ? Path
  : Record<ParamNames<Path>, string> extends Params ? Path
  : WrongParams<Exclude<keyof Params & string, ParamNames<Path>>>
  : Path;

/** An error text for the compiler to show. */
type WrongParams<Missing extends string> = [Missing] extends [never]
  ? "the handler's Params must be strings"
  : `the pattern has no parameter :${Missing}`;

/** The names after the colons of a pathname. */
type ParamNames<Path extends string> = Path extends `${infer Before}:${infer Rest}`
  ? (Before extends `${string}\\` ? never : Name<Rest>) | ParamNames<Rest>
  : never;

/** The beginning of a text, up to the first character that a name cannot have. */
type Name<Rest extends string, Read extends string = ""> = Rest extends
  `${infer Character}${infer Behind}`
  ? Character extends Delimiter ? Read : Name<Behind, `${Read}${Character}`>
  : Read;

/** All ASCII characters but letters, digits, `_` and `$`. */
type Delimiter =
  // deno-fmt-ignore
  | " " | "!" | '"' | "#" | "%" | "&" | "'" | "(" | ")" | "*" | "+" | "," | "-" | "." | "/" | ":"
  | ";" | "<" | "=" | ">" | "?" | "@" | "[" | "\\" | "]" | "^" | "`" | "{" | "|" | "}" | "~";

/**
 * Makes a route. The compiler checks that the pattern has the parameters of the handler class, and that
 * the options have the right type.
 *
 * @param pattern The pattern.
 * @param handler The handler class.
 * @param options The options of the handler, if it has any.
 *
 * @example
 * ```ts
 * import { Application, route, WebSocketHandler } from "@waterspout/websocket";
 *
 * class Room extends WebSocketHandler<{ size: number }, { room: string }> {
 *   override open(): void {
 *     this.writeMessage(`${this.params.room} has ${this.options.size} seats`);
 *   }
 *   onMessage(): void {}
 * }
 *
 * // Neither "/rooms/:id" nor { size: "5" } would compile.
 * const routes = [route("/rooms/:room", Room, { size: 5 })];
 * new Application(routes);
 * ```
 */
export function route<const Path extends Pattern, Options, Params extends object>(
  pattern: PatternFor<Params, Path>,
  handler: HandlerClass<Options, Params>,
  ...options: undefined extends Options ? [options?: Options] : [options: Options]
): AnyRoute {
  return [pattern, handler, ...options] as readonly unknown[] as AnyRoute;
}
