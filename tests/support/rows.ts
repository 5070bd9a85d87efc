/**
 * Checks a table of many small rows in one test. A separate test for each row, and stacks of errors that
 * are expected, would cost more than most rows themselves.
 *
 * @module
 */
import { AssertionError } from "@std/assert";

/** The most failures that are shown. */
const SHOWN = 20;

/**
 * Runs `body` with errors that have no stack. To capture one takes longer than to read the few bytes of a
 * split, so a check that expects the same error for hundreds of splits runs in this function.
 */
export function withoutStacks<T>(body: () => T): T {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return body();
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

/**
 * Checks each row, and fails with the names of all rows that failed.
 *
 * @throws {AssertionError} If a row failed, or if there is none.
 */
export function checkRows<Row>(
  rows: Iterable<Row>,
  nameOf: (row: Row) => string,
  check: (row: Row) => void,
): void {
  const failures = new Failures();
  for (const row of rows) {
    try {
      withoutStacks(() => check(row));
      failures.passed++;
    } catch (error) {
      failures.add(nameOf(row), withStack(() => check(row)) ?? error);
    }
  }
  failures.report();
}

/** What `body` throws now. */
function withStack(body: () => void): unknown {
  try {
    body();
    return undefined;
  } catch (error) {
    return error;
  }
}

/**
 * Checks rows with callbacks or connections, one after the other.
 *
 * @throws {AssertionError} If a row failed, or if there is none.
 */
export async function checkEach<Row>(
  rows: Iterable<Row>,
  nameOf: (row: Row) => string,
  check: (row: Row) => Promise<void>,
): Promise<void> {
  const failures = new Failures();
  for (const row of rows) {
    try {
      await check(row);
      failures.passed++;
    } catch (error) {
      failures.add(nameOf(row), error);
    }
  }
  failures.report();
}

class Failures {
  passed = 0;
  readonly #all: { readonly name: string; readonly error: unknown }[] = [];

  add(name: string, error: unknown): void {
    this.#all.push({ name, error });
  }

  report(): void {
    const [first] = this.#all;
    if (first === undefined) {
      if (this.passed === 0) throw new AssertionError("There is no row");
      return;
    }
    const lines = this.#all.slice(0, SHOWN)
      .map(({ name, error }) => `${name}: ${error instanceof Error ? error.message : error}`);
    const count = `${this.#all.length} of ${this.#all.length + this.passed} rows failed`;
    throw new AssertionError([count, ...lines].join("\n"), { cause: first.error });
  }
}
