/**
 * The context in which the hooks of a handler run.
 *
 * @module
 */

/**
 * Calls a function in a context and returns its result. `AsyncLocalStorage.snapshot()` makes one.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import type { HookContext } from "@waterspout/websocket";
 *
 * const calls: string[] = [];
 * const counted: HookContext = (callback, ...args) => {
 *   calls.push(callback.name);
 *   return callback(...args);
 * };
 * function add(a: number, b: number): number {
 *   return a + b;
 * }
 * assertEquals(counted(add, 1, 2), 3);
 * assertEquals(calls, ["add"]);
 * ```
 */
export type HookContext = <Args extends unknown[], Result>(
  callback: (...args: Args) => Result,
  ...args: Args
) => Result;

/** Calls a hook in a context, if there is one. */
export function callIn<Result>(context: HookContext | null, hook: () => Result): Result {
  return context === null ? hook() : context(hook);
}
