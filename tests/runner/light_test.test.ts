import { assertEquals } from "@std/assert";
import { describe, test } from "node:test";
import { LightRun } from "./light_test.ts";

/** Runs tests, and returns a line for each: its name, and its error if it failed. */
async function lines(add: (run: LightRun) => void, timeout = 60_000): Promise<string[]> {
  const run = new LightRun();
  add(run);
  const got: string[] = [];
  await run.run({
    timeout,
    onResult: ({ path, failure }) => {
      const error = failure?.error instanceof Error ? failure.error.message : failure?.error;
      got.push([path.join(" > "), ...(failure === undefined ? [] : [error])].join(": "));
    },
  });
  return got;
}

const fails = () => {
  throw new Error("no");
};

describe("tests in a light batch", () => {
  test("run one after the other, in the order in which they were added", async () => {
    const events: string[] = [];
    const got = await lines((run) => {
      run.describe("outer", () => {
        run.test("slow", async () => {
          await new Promise((resolve) => setTimeout(resolve, 5));
          events.push("slow");
        });
        run.describe("inner", () => run.test("quick", () => events.push("quick")));
        run.test("last", () => events.push("last"));
      });
      run.test("top", () => events.push("top"));
    });
    assertEquals(got, ["outer > slow", "outer > inner > quick", "outer > last", "top"]);
    assertEquals(events, ["slow", "quick", "last", "top"]);
  });

  test("fail if they throw or reject, and the next ones run", async () => {
    const got = await lines((run) => {
      run.test("throws", fails);
      run.test("rejects", () => Promise.reject(new Error("later")));
      run.test("rejects with nothing", () => Promise.reject());
      run.test("passes", () => {});
    });
    assertEquals(got, ["throws: no", "rejects: later", "rejects with nothing: ", "passes"]);
  });

  test("fail if they do not end in time", async () => {
    const never = () => new Promise(() => {});
    // The time limit does not keep a process alive.
    const alive = setTimeout(() => {}, 60_000);
    const got = await lines((run) => {
      run.test("of the run", never);
      run.test("its own", { timeout: 10 }, never);
    }, 20);
    clearTimeout(alive);
    assertEquals(got, [
      "of the run: The test has not ended within 0.02 s",
      "its own: The test has not ended within 0.01 s",
    ]);
  });

  test("have hooks, and those of outer describes run first", async () => {
    const events: string[] = [];
    const note = (event: string) => () => events.push(event);
    await lines((run) =>
      run.describe("outer", () => {
        run.hook("before", note("before"));
        run.hook("after", note("after"));
        run.hook("beforeEach", note("outer beforeEach"));
        run.hook("afterEach", note("outer afterEach"));
        run.describe("inner", () => {
          run.hook("beforeEach", note("inner beforeEach"));
          run.hook("afterEach", note("inner afterEach"));
          run.test("a", note("a"));
        });
      })
    );
    assertEquals(events, [
      ...["before", "outer beforeEach", "inner beforeEach", "a"],
      ...["inner afterEach", "outer afterEach", "after"],
    ]);
  });

  test("fail if a hook fails", async () => {
    const got = await lines((run) => {
      run.describe("before", () => {
        run.hook("before", fails);
        run.test("a", () => {});
        run.describe("inner", () => run.test("b", () => {}));
      });
      run.describe("each", () => {
        run.hook("afterEach", fails);
        run.test("c", () => {});
      });
      run.describe("after", () => {
        run.hook("after", fails);
        run.test("d", () => {});
      });
    });
    assertEquals(got, [
      ...["before > a: no", "before > inner > b: no", "each > c: no"],
      ...["after > d", "after > after: no"],
    ]);
  });
});
