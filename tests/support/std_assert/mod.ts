/**
 * The part of `jsr:@std/assert` that the tests use, built on `node:assert/strict`. It has the same
 * names and signatures, and works on machines that cannot reach JSR. `deno.json` links to it.
 *
 * @module
 */
import assert from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";

/** What a failed assertion throws. */
export class AssertionError extends Error {
  override name = "AssertionError";
}

function fail_(message: string, cause?: unknown): never {
  throw new AssertionError(message, { cause });
}

function run(check: () => void, message: string | undefined): void {
  try {
    check();
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    fail_(message === undefined ? text : `${message}: ${text}`, error);
  }
}

/** Fails unless `expression` is truthy. */
export function assert_(expression: unknown, message = ""): asserts expression {
  if (!expression) fail_(message || "The value is not truthy");
}
export { assert_ as assert };

/** Fails. */
export function fail(message?: string): never {
  fail_(message ?? "Failed assertion");
}

/** Fails unless `actual` deeply equals `expected`. */
export function assertEquals<T>(actual: T, expected: T, message?: string): void {
  // The same comparison, but several times faster on Deno.
  if (!isDeepStrictEqual(actual, expected)) {
    run(() => assert.deepStrictEqual(actual, expected), message);
  }
}

/** Fails if `actual` deeply equals `expected`. */
export function assertNotEquals<T>(actual: T, expected: T, message?: string): void {
  run(() => assert.notDeepStrictEqual(actual, expected), message);
}

/** Fails unless `Object.is(actual, expected)`. */
export function assertStrictEquals<T>(actual: unknown, expected: T, message?: string): void {
  run(() => assert.strictEqual(actual, expected), message);
}

/** Fails unless `actual` matches `expected`. */
export function assertMatch(actual: string, expected: RegExp, message?: string): void {
  run(() => assert.match(actual, expected), message);
}

/** Fails unless `actual` contains `expected`. */
export function assertStringIncludes(actual: string, expected: string, message?: string): void {
  if (!actual.includes(expected)) {
    fail_(
      `${message ? `${message}: ` : ""}${JSON.stringify(actual)} does not contain ${
        JSON.stringify(expected)
      }`,
    );
  }
}

/** Fails unless `actual` is an instance of `expected`. */
export function assertInstanceOf<T>(
  actual: unknown,
  expected: abstract new (...args: never[]) => T,
  message?: string,
): asserts actual is T {
  if (!(actual instanceof expected)) {
    fail_(`${message ? `${message}: ` : ""}${String(actual)} is not a ${expected.name}`);
  }
}

/** Fails unless `actual` is neither `null` nor `undefined`. */
export function assertExists<T>(actual: T, message?: string): asserts actual is NonNullable<T> {
  if (actual === undefined || actual === null) fail_(message ?? `${actual} is not there`);
}

/** Fails unless `actual > expected`. */
export function assertGreater<T>(actual: T, expected: T, message?: string): void {
  if (!(actual > expected)) fail_(message ?? `Expected ${actual} > ${expected}`);
}

/** Fails unless `actual >= expected`. */
export function assertGreaterOrEqual<T>(actual: T, expected: T, message?: string): void {
  if (!(actual >= expected)) fail_(message ?? `Expected ${actual} >= ${expected}`);
}

/** Fails unless `actual < expected`. */
export function assertLess<T>(actual: T, expected: T, message?: string): void {
  if (!(actual < expected)) fail_(message ?? `Expected ${actual} < ${expected}`);
}

/** Fails unless `actual <= expected`. */
export function assertLessOrEqual<T>(actual: T, expected: T, message?: string): void {
  if (!(actual <= expected)) fail_(message ?? `Expected ${actual} <= ${expected}`);
}

type ErrorClass<E extends Error> = abstract new (...args: never[]) => E;

function checkThrown<E extends Error>(
  thrown: unknown,
  ErrorClass?: ErrorClass<E>,
  includes?: string,
): void {
  if (ErrorClass && !(thrown instanceof ErrorClass)) {
    fail_(`Expected a ${ErrorClass.name}, got ${String(thrown)}`, thrown);
  }
  if (includes !== undefined) assertStringIncludes((thrown as Error).message, includes);
}

/** Fails unless `fn` throws; returns what it threw. */
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  ErrorClass?: ErrorClass<E>,
  includes?: string,
): E {
  try {
    fn();
  } catch (error) {
    checkThrown(error, ErrorClass, includes);
    return error as E;
  }
  return fail_("Expected the function to throw");
}

/** Fails unless the promise of `fn` rejects; resolves to what it rejected with. */
export async function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  ErrorClass?: ErrorClass<E>,
  includes?: string,
): Promise<E> {
  try {
    await fn();
  } catch (error) {
    checkThrown(error, ErrorClass, includes);
    return error as E;
  }
  return fail_("Expected the promise to reject");
}
