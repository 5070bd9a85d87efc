/**
 * What the tests use of `node:test`, for batches on Deno and Node. Node's own module follows every promise
 * of the process with an async hook, and an empty test takes half a millisecond on both. This was a fifth
 * of the CPU time of the tests on Node.
 *
 * Tests run one after the other, each in a turn of the event loop of its own. An error that nobody
 * catches fails the test that is running.
 *
 * @module
 */
import process from "node:process";
import { clearTimeout, setImmediate, setTimeout } from "node:timers";

type Body = () => unknown;
/** When a hook runs. */
type Moment = "before" | "after" | "beforeEach" | "afterEach";

interface Test {
  readonly name: string;
  readonly body: Body;
  /** In milliseconds. */
  readonly timeout: number | undefined;
}

class Group {
  readonly children: (Group | Test)[] = [];
  readonly hooks: Readonly<Record<Moment, Body[]>> = {
    before: [],
    after: [],
    beforeEach: [],
    afterEach: [],
  };
  readonly path: readonly string[];
  readonly parent: Group | undefined;

  constructor(path: readonly string[], parent?: Group) {
    this.path = path;
    this.parent = parent;
  }
}

/** The result of a test. */
export interface LightResult {
  /** The names of its describes, and its own name. */
  readonly path: readonly string[];
  /** What it threw, if it failed. */
  readonly failure?: { readonly error: unknown };
}

/** How to run tests. */
export interface LightOptions {
  /** Time limit for a test, in milliseconds. */
  readonly timeout: number;
  /** Called after each test. */
  readonly onResult: (result: LightResult) => void;
}

/** Collects tests and runs them. */
export class LightRun {
  #group = new Group([]);
  #fail: ((error: unknown) => void) | undefined;
  #failure: { readonly error: unknown } | undefined;

  /** Adds the tests that `body` adds, under a name. */
  describe(name: string, body: () => void): void {
    const parent = this.#group;
    const group = new Group([...parent.path, name], parent);
    parent.children.push(group);
    this.#group = group;
    try {
      body();
    } finally {
      this.#group = parent;
    }
  }

  /** Adds a test. */
  test(name: string, options: Body | { readonly timeout: number }, body?: Body): void {
    const [run, timeout] = typeof options === "function"
      ? [options, undefined]
      : [body, options.timeout];
    if (run === undefined) throw new TypeError(`Cannot add the test ${name}: it has no function`);
    this.#group.children.push({ name, body: run, timeout });
  }

  /** Adds a hook to the describe whose body is running. */
  hook(moment: Moment, body: Body): void {
    this.#group.hooks[moment].push(body);
  }

  /** Runs all tests. */
  async run(options: LightOptions): Promise<void> {
    const stray = (error: unknown) => this.#onStray(error);
    const stuck = () => {
      // Otherwise, the process would end in the middle of the tests.
      if (this.#fail !== undefined) {
        this.#fail(new Error("The event loop is empty, but the test has not ended"));
      }
    };
    process.on("uncaughtException", stray).on("unhandledRejection", stray).on("beforeExit", stuck);
    try {
      await this.#runGroup(this.#group, options);
    } finally {
      process.off("uncaughtException", stray).off("unhandledRejection", stray)
        .off("beforeExit", stuck);
    }
  }

  #onStray(error: unknown): void {
    this.#failure ??= { error };
    this.#fail?.(error);
  }

  async #runGroup(group: Group, options: LightOptions): Promise<void> {
    const { path, hooks, children } = group;
    const begun = await this.#attempt(hooks.before, options.timeout);
    for (const child of children) {
      if (child instanceof Group) {
        if (begun === undefined) await this.#runGroup(child, options);
        else report(child, begun, options);
      } else if (begun === undefined) await this.#runTest(group, child, options);
      else options.onResult({ path: [...path, child.name], failure: begun });
    }
    const ended = await this.#attempt(hooks.after, options.timeout);
    if (ended !== undefined) options.onResult({ path: [...path, "after"], failure: ended });
  }

  async #runTest(group: Group, { name, body, timeout }: Test, options: LightOptions) {
    const limit = timeout ?? options.timeout;
    const outer = ancestors(group);
    const before = outer.flatMap(({ hooks }) => hooks.beforeEach);
    const after = outer.reverse().flatMap(({ hooks }) => hooks.afterEach);
    const failure = await this.#attempt([...before, body], limit);
    const cleanup = await this.#attempt(after, limit);
    const failed = failure ?? cleanup;
    const path = [...group.path, name];
    options.onResult(failed === undefined ? { path } : { path, failure: failed });
  }

  /** Runs functions one after the other, and then a turn of the event loop, in which errors may escape. */
  async #attempt(bodies: readonly Body[], limit: number): Promise<LightResult["failure"]> {
    if (bodies.length === 0) return undefined;
    this.#failure = undefined;
    try {
      for (const body of bodies) {
        const result = body();
        if (result instanceof Promise) await this.#inTime(result, limit);
      }
    } catch (error) {
      this.#failure ??= { error };
    }
    await new Promise((resolve) => setImmediate(resolve));
    return this.#failure;
  }

  async #inTime(result: Promise<unknown>, limit: number): Promise<void> {
    const { promise, reject } = Promise.withResolvers<never>();
    this.#fail = reject;
    const late = () => reject(new Error(`The test has not ended within ${limit / 1000} s`));
    const timer = setTimeout(late, limit).unref();
    try {
      await Promise.race([result, promise]);
    } finally {
      clearTimeout(timer);
      this.#fail = undefined;
    }
  }
}

/** A group and those around it, outermost first. */
function ancestors(group: Group): Group[] {
  const all: Group[] = [];
  for (let at: Group | undefined = group; at !== undefined; at = at.parent) all.unshift(at);
  return all;
}

/** Reports all tests of a group as failed. */
function report(
  { path, children }: Group,
  failure: { error: unknown },
  options: LightOptions,
): void {
  for (const child of children) {
    if (child instanceof Group) report(child, failure, options);
    else options.onResult({ path: [...path, child.name], failure });
  }
}

const all = new LightRun();

/** Runs all tests that the functions of this module have added. */
export const runAll: LightRun["run"] = (options) => all.run(options);
/** `describe` of `node:test`. */
export const describe: LightRun["describe"] = (name, body) => all.describe(name, body);
/** `test` of `node:test`. */
export const test: LightRun["test"] = (name, options, body) => all.test(name, options, body);
/** `before` of `node:test`. */
export const before = (body: Body): void => all.hook("before", body);
/** `after` of `node:test`. */
export const after = (body: Body): void => all.hook("after", body);
/** `beforeEach` of `node:test`. */
export const beforeEach = (body: Body): void => all.hook("beforeEach", body);
/** `afterEach` of `node:test`. */
export const afterEach = (body: Body): void => all.hook("afterEach", body);
