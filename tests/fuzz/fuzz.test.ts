import { describe, test } from "node:test";
import { dice } from "./mutate.ts";
import { REGRESSIONS, TARGETS } from "./targets.ts";

/** Runs seeds one after the other. The error has the seed that fails. */
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

function* range(from: number, count: number): Generator<number> {
  for (let seed = from; seed < from + count; seed++) yield seed;
}

/** The number of seeds. `deno task fuzz 60 1` starts with these, and goes on for a minute. */
const COUNTS = {
  "hybi": 60,
  "hixie": 60,
  "round trip": 30,
  "agreement": 80,
  "connection": 20,
  "tunnel": 100,
};

describe("fuzzing with a fixed number of seeds", () => {
  for (const [name, count] of Object.entries(COUNTS)) {
    // In parts, for test runners with a short timeout for each test.
    const part = Math.ceil(count / 4);
    for (let from = 1; from <= count; from += part) {
      test(`${name}, seeds ${from} to ${from + part - 1}`, () => run(name, range(from, part)));
    }
  }
});

describe("faults that fuzzing has found stay fixed", () => {
  for (const { target, seed, was } of REGRESSIONS) {
    test(`${target} ${seed}: ${was}`, () => run(target, [seed]));
  }
});
