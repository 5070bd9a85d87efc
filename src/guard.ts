/**
 * Calls into the application, which may throw, reject, or return what is no promise but has `then`.
 * Nothing of it escapes, whatever it throws: also a revoked Proxy, which throws at every touch.
 *
 * @module
 */

/**
 * What a handler's `open`, `onMessage` and the like may return: a promise of anything is waited for,
 * and any other value is ignored, so that `return this.publish(…)` is right.
 */
export type MaybePromise = unknown;

/**
 * Whether a value is to be awaited. Never throws: what a getter of `then` throws, a promise that is
 * resolved with the value rejects with. A getter may answer differently the next time, so that a
 * value is asked once.
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
 * Calls the application; what it throws or rejects goes to `failed`, which throws nothing itself.
 *
 * @param callback What to call.
 * @param failed Gets what {@linkcode caught} makes of it.
 * @param settled Called once, when all is over: behind `failed`, and at once unless there is a
 * promise to wait for.
 * @returns What the callback does. A promise never rejects; after a failure the value is `undefined`.
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

/** A hook's answer. A promise of one would be taken for `true`. */
export function requireSync<Answer>(hook: string, answer: Answer): Answer {
  if (!isThenable(answer)) return answer;
  Promise.resolve(answer).catch(() => {}); // It is refused, however it settles.
  throw new TypeError(`Cannot wait for ${hook}(): only prepare() may return a promise`);
}

/**
 * What was thrown or rejected, fit for `instanceof`: a value that throws when its prototype is asked
 * for, as a revoked Proxy does, is a `TypeError` instead.
 */
export function caught(thrown: unknown): unknown {
  try {
    Object.getPrototypeOf(Object(thrown));
    return thrown;
  } catch (cause) {
    return new TypeError("Cannot inspect what was thrown: its prototype is out of reach", {
      cause,
    });
  }
}

/** What was thrown or rejected, as an `Error`. */
export function toError(thrown: unknown): Error {
  const error = caught(thrown);
  return error instanceof Error ? error : new Error(messageOf(error), { cause: error });
}

/** What an error says; never throws, although a getter or `toString` may. */
export function messageOf(thrown: unknown): string {
  try {
    return String(thrown instanceof Error ? thrown.message : thrown);
  } catch {
    return "(a value that cannot be shown)";
  }
}
