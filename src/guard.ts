/**
 * Calls into the application, which may throw, reject, or return what is no promise but has `then`.
 *
 * @module
 */

/**
 * What a handler's `open`, `onMessage` and the like may return: a promise of anything is waited for,
 * and any other value is ignored, so that `return this.publish(…)` is right.
 */
export type MaybePromise = unknown;

/** Whether a value is to be awaited. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null &&
    typeof (value as PromiseLike<unknown>).then === "function";
}

/**
 * Calls the application; what it throws or rejects goes to `failed`, which throws nothing itself.
 *
 * @returns What the callback does. A promise never rejects; after a failure the value is `undefined`.
 */
export function guard<Result>(
  callback: () => Result,
  failed: (error: unknown) => void,
): Result | undefined {
  try {
    const result = callback();
    if (!isThenable(result)) return result;
    return Promise.resolve(result).catch(failed) as Result;
  } catch (error) {
    failed(error);
    return undefined;
  }
}

/** A hook's answer. A promise of one would be taken for `true`. */
export function requireSync<Answer>(hook: string, answer: Answer): Answer {
  if (!isThenable(answer)) return answer;
  Promise.resolve(answer).catch(() => {}); // It is refused, however it settles.
  throw new TypeError(`Cannot wait for ${hook}(): only prepare() may return a promise`);
}
