/**
 * What a route is, and what TypeScript can check of it.
 *
 * @module
 */
import type { AnyHandler, HandlerClass } from "./handler.ts";

/**
 * What a route's pattern may be: a URLPattern pathname such as `/room/:name`, or a RegExp.
 *
 * A pathname is matched in a time that is linear in the path. A RegExp, and a pathname with one in
 * parentheses (`/room/:id(\d+)`), takes what the runtime's RegExp takes: one that backtracks lets a
 * client choose how long.
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
 * @typeParam Options The options of the handler.
 * @typeParam Params The parameters that the handler names, if it does.
 * @typeParam Path The pattern; a literal is checked to have the parameters.
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
 * A route of any handler, for lists of them. TypeScript checks the pattern, the handler class, and
 * whether options are there if the handler needs them. It cannot compare two members of a tuple in a
 * list of this type; {@linkcode route} checks what the options are, and `Application` does where a
 * route is written in its first argument.
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

/** A class of handlers that can be given some options. */
export type AnyHandlerClass<Options> = new (
  application: ConstructorParameters<HandlerClass>[0],
  request: ConstructorParameters<HandlerClass>[1],
  options: Options,
) => AnyHandler;

/**
 * Routes, each checked by what its handler needs.
 *
 * @ignore
 */
export type CheckedRoutes<Routes extends readonly AnyRoute[]> = {
  readonly [Index in keyof Routes]: Routes[Index] extends CheckedRoute<Routes[Index]>
    ? Routes[Index]
    : CheckedRoute<Routes[Index]>;
};

/**
 * A route, checked by what its handler needs; one that is of any handler was checked before.
 *
 * @ignore
 */
export type CheckedRoute<Given> = AnyRoute extends Given ? Given
  : Given extends
    readonly [infer Path extends Pattern, HandlerClass<infer Options, infer Params>, ...unknown[]]
    ? Route<Options, Params, Path>
  : AnyRoute;

/**
 * The pattern, if it is not known or has the parameters; else what is wrong with it, in words.
 *
 * @ignore
 */
export type PatternFor<Params extends object, Path extends Pattern> = Path extends string
  ? string extends Path ? Path
  : Record<ParamNames<Path>, string> extends Params ? Path
  : WrongParams<Exclude<keyof Params & string, ParamNames<Path>>>
  : Path;

/** An error that the compiler shows. */
type WrongParams<Missing extends string> = [Missing] extends [never]
  ? "the handler's Params must be strings"
  : `the pattern has no parameter :${Missing}`;

/** The names behind the colons of a pathname. */
type ParamNames<Path extends string> = Path extends `${infer Before}:${infer Rest}`
  ? (Before extends `${string}\\` ? never : Name<Rest>) | ParamNames<Rest>
  : never;

/** The beginning of a text up to what no name has. */
type Name<Rest extends string, Read extends string = ""> = Rest extends
  `${infer Character}${infer Behind}`
  ? Character extends Delimiter ? Read : Name<Behind, `${Read}${Character}`>
  : Read;

/** What ASCII has beside letters, digits, `_` and `$`. */
type Delimiter =
  // deno-fmt-ignore
  | " " | "!" | '"' | "#" | "%" | "&" | "'" | "(" | ")" | "*" | "+" | "," | "-" | "." | "/" | ":"
  | ";" | "<" | "=" | ">" | "?" | "@" | "[" | "\\" | "]" | "^" | "`" | "{" | "|" | "}" | "~";

/**
 * Makes a route, and checks that its pattern and its options are what the handler class needs.
 *
 * @param pattern The pattern.
 * @param handler The handler class.
 * @param options The handler's options, if it has any.
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
