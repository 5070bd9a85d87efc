import { describe, test } from "node:test";
import { dice } from "./mutate.ts";
import { REGRESSIONS, TARGETS } from "./targets.ts";

/** Runs seeds one after the other, and names the one that fails. */
async function run(name: string, seeds: Iterable<number>): Promise<void> {
  const target = TARGETS[name];
  if (target === undefined) throw new Error(`There is no target ${name}`);
  for (const seed of seeds) {
    try {
      await target(dice(seed));
    } catch (error) {
      throw new Error(`${name} fails with seed ${seed}: ${error}`, { cause: error });
    }
  }
}

function* range(count: number): Generator<number> {
  for (let seed = 1; seed <= count; seed++) yield seed;
}

describe("fuzzing, seeded and bounded", () => {
  test("RFC 6455 with and without compression", () => run("hybi", range(1500)));
  test("draft75 and draft76", () => run("hixie", range(1500)));
  test("round trips", () => run("round trip", range(600)));
  test("agreement with npm's ws", () => run("agreement", range(1500)));
  test("whole connections", () => run("connection", range(250)));
});

describe("what fuzzing has found stays fixed", () => {
  for (const { target, seed, was } of REGRESSIONS) {
    test(`${target} ${seed}: ${was}`, () => run(target, [seed]));
  }
});
