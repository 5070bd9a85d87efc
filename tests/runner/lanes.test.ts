import { assertEquals, assertRejects } from "@std/assert";
import { describe, test } from "node:test";
import { Lanes } from "./lanes.ts";
import type { Job } from "./plan.ts";

const job = (label: string, rank = 0): Job => ({
  runtime: "bun",
  files: [],
  label,
  waits: label.startsWith("wait"),
  rank,
});

/** Lanes whose jobs end when the test says so. */
function makeLanes(count: number) {
  const running = new Map<string, () => void>();
  const lanes = new Lanes(
    count,
    ({ label }) =>
      new Promise<void>((resolve) =>
        running.set(label, () => {
          running.delete(label);
          resolve();
        })
      ),
  );
  const end = async (label: string) => {
    running.get(label)?.();
    await Promise.resolve();
    await Promise.resolve();
  };
  return { lanes, end, labels: () => [...running.keys()] };
}

describe("lanes", () => {
  test("run jobs that compute, and beside them as many that wait, in their order", async () => {
    const { lanes, end, labels } = makeLanes(1);
    lanes.add(["a", "b", "wait 1", "wait 2"].map((label) => job(label)));
    assertEquals(labels(), ["a", "wait 1"]);
    await end("a");
    assertEquals(labels(), ["wait 1", "b"]);
    await end("wait 1");
    assertEquals(labels(), ["b", "wait 2"]);
  });

  test("that compute take jobs that wait if there is nothing else", () => {
    const { lanes, labels } = makeLanes(1);
    lanes.add(["wait 1", "wait 2", "wait 3"].map((label) => job(label)));
    assertEquals(labels(), ["wait 1", "wait 2"]);
  });

  test("start those of the lowest rank first, also among those that are added later", async () => {
    const { lanes, end, labels } = makeLanes(1);
    lanes.add([job("a", 1), job("b", 3)]);
    lanes.add([job("c", 2), job("d", 3)]);
    for (const label of ["a", "c", "b", "d"]) {
      assertEquals(labels(), [label]);
      await end(label);
    }
  });

  test("take jobs that are added later, and are idle at the end", async () => {
    const { lanes, end, labels } = makeLanes(1);
    await lanes.idle();
    lanes.add([job("a")]);
    lanes.add([job("b")]);
    const idle = lanes.idle();
    await end("a");
    assertEquals(labels(), ["b"]);
    await end("b");
    await idle;
    assertEquals(labels(), []);
  });

  test("reject if a job cannot be run", async () => {
    const lanes = new Lanes(1, () => Promise.reject(new Error("no such program")));
    lanes.add([job("a")]);
    await assertRejects(() => lanes.idle(), Error, "no such program");
  });
});
