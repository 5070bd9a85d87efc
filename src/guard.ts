/**
 * Calls into the application. It may throw, reject, or return a thenable. No error escapes,
 * whatever the value: a revoked Proxy, for example, throws at every access.
 *
 * @module
 */

/**
 * What a callback such as `open` or `onMessage` may return. The server awaits a promise and ignores
 * any other value, so `return this.publish(…)` is fine.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import { type MaybePromise, WebSocketHandler } from "@waterspout/websocket";
 *
 * class Chat extends WebSocketHandler {
 *   onMessage(message: string | Uint8Array): MaybePromise {
 *     return this.publish("chat", message);
 *   }
 * }
 * assert(Chat.name === "Chat");
 * ```
 */
export type MaybePromise = unknown;

/**
 * Returns whether a value has a `then` method. Never throws: if the getter of `then` throws, the result
 * is `true`, and a promise resolved with the value rejects with that error. Call this once for each
 * value: a getter may return something else the next time.
 */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  if (value === null || typeof value !== "object" && typeof value !== "function") return false;
  try {
    return typeof (value as { readonly then?: unknown }).then === "function";
  } catch {
    return true;
  }
}

/**
 * Calls a callback of the application. Errors go to `failed`.
 *
 * @param callback The callback.
 * @param failed Called with the result of {@linkcode caught} if the callback throws or rejects.
 * Must not throw.
 * @param settled Called once, when the callback has returned and its promise has settled; after
 * `failed`.
 * @returns The value that the callback returned, or `undefined` after an error. A promise never
 * rejects.
 */
export function guard<Result>(
  callback: () => Result,
  failed: (error: unknown) => void,
  settled?: () => void,
): Result | undefined {
  const fail = (thrown: unknown): undefined => {
    failed(caught(thrown));
  };
  let result: Result | undefined;
  try {
    result = callback();
    if (isThenable(result)) {
      const promise = Promise.resolve(result).catch(fail);
      if (settled !== undefined) promise.then(settled);
      return promise as Result;
    }
  } catch (thrown) {
    result = fail(thrown);
  }
  settled?.();
  return result;
}

/**
 * Returns what a hook returned, unless it is a promise, which would count as `true`.
 *
 * @throws {TypeError} If it is a promise.
 */
export function requireSync<Result>(hook: string, result: Result): Result {
  if (!isThenable(result)) return result;
  Promise.resolve(result).catch(() => {}); // The TypeError below reports the mistake.
  throw new TypeError(`Cannot wait for ${hook}(): only prepare() may return a promise`);
}

/**
 * Returns a thrown value that is safe for `instanceof`. A value whose prototype cannot be read,
 * such as a revoked Proxy, becomes a `TypeError`.
 */
export function caught(thrown: unknown): unknown {
  try {
    Object.getPrototypeOf(Object(thrown));
    return thrown;
  } catch (cause) {
    return new TypeError("Cannot inspect the thrown value: its prototype cannot be read", {
      cause,
    });
  }
}

/** Returns a thrown value as an `Error`. */
export function toError(thrown: unknown): Error {
  const error = caught(thrown);
  return error instanceof Error ? error : new Error(messageOf(error), { cause: error });
}

/** Returns the message of a thrown value. Never throws, even if a getter or `toString` does. */
export function messageOf(thrown: unknown): string {
  try {
    return String(thrown instanceof Error ? thrown.message : thrown);
  } catch {
    return "(a value that cannot be shown)";
  }
}
