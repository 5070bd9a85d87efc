/**
 * Ways in which an application's callback can harm its caller.
 *
 * @module
 */

import { HttpError } from "../../src/errors.ts";

/** One way to fail, or to return a value that throws when it is used. */
export interface Hostile {
  /** Whether the callback throws or rejects. Otherwise, it returns a strange value. */
  readonly fails: boolean;
  /** Whether the callback returns a promise that rejects. */
  readonly rejects?: boolean;
  /** The callback. */
  readonly act: () => unknown;
}

/** An object that throws on every access, including `instanceof`. */
function revoked(): object {
  const { proxy, revoke } = Proxy.revocable(new Error("on purpose"), {});
  revoke();
  return proxy;
}

function fail(): never {
  throw new Error("on purpose");
}

/** An error that cannot be converted to text. */
function unreadable(): Error {
  const error = new Error("on purpose");
  for (const name of ["name", "message", "stack", "cause", "code"]) {
    Object.defineProperty(error, name, { get: fail });
  }
  return error;
}

/** A value whose `then` is not a function. The nth read of `then` throws. */
function failsAtRead(n: number): object {
  let reads = 0;
  return {
    get then() {
      return ++reads >= n ? fail() : undefined;
    },
  };
}

/** A promise that fulfills, but whose own properties throw. */
function unreadablePromise(): Promise<void> {
  const promise = Promise.resolve();
  for (const name of ["constructor", "then", "catch"]) {
    Object.defineProperty(promise, name, { get: fail });
  }
  return promise;
}

/** A refusal that cannot be sent as a response. */
function unreadableRefusal(): HttpError {
  const error = new HttpError(418, "on purpose");
  for (const name of ["status", "headers", "message"]) {
    Object.defineProperty(error, name, { get: fail });
  }
  return error;
}

function throws(what: () => unknown): Hostile {
  return {
    fails: true,
    act: () => {
      throw what();
    },
  };
}

function rejects(what: () => unknown): Hostile {
  return { fails: true, rejects: true, act: () => Promise.reject(what()) };
}

function returns(act: () => unknown, { fails = false } = {}): Hostile {
  return { fails, act };
}

/** All of these callbacks, by name. */
export const hostile: Readonly<Record<string, Hostile>> = {
  "throws an Error": throws(() => new Error("on purpose")),
  "throws undefined": throws(() => undefined),
  "throws a symbol": throws(() => Symbol("on purpose")),
  "throws what has no toString": throws(() => Object.create(null)),
  "throws what fails in toString": throws(() => ({ toString: fail })),
  "throws an Error whose fields fail": throws(unreadable),
  "throws an Error whose cause fails": throws(() => new Error("", { cause: unreadable() })),
  "throws an HttpError whose fields fail": throws(unreadableRefusal),
  "throws a revoked Proxy": throws(revoked),
  "rejects with an Error": rejects(() => new Error("on purpose")),
  "rejects with undefined": rejects(() => undefined),
  "rejects with what fails in toString": rejects(() => ({ toString: fail })),
  "rejects with an Error whose fields fail": rejects(unreadable),
  "rejects with a revoked Proxy": rejects(revoked),
  "returns a revoked Proxy": returns(revoked, { fails: true }),
  "returns what rejects and is no promise": returns(() => ({
    then: (_: unknown, reject: (error: unknown) => void) => reject(new Error()),
  }), { fails: true }),
  "returns a function that has then": returns(() => Object.assign(() => {}, { then: fail }), {
    fails: true,
  }),
  "returns what fails at the first read of then": returns(() => failsAtRead(1), { fails: true }),
  "returns what fails at the second read of then": returns(() => failsAtRead(2)),
  "returns what fails at the third read of then": returns(() => failsAtRead(3)),
  "returns a promise whose fields fail": returns(unreadablePromise, { fails: true }),
};
