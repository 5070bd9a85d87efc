import { assert, assertEquals } from "@std/assert";
import { describe, test } from "node:test";
import { seed } from "../support/random.ts";
import { runtimes } from "../support/runtime.ts";
import { sized } from "../support/sizes.ts";
import { spawnScript } from "../support/spawn.ts";
import { apply, faultNames, loadFault, search } from "./fault.ts";
import { drawPlan } from "./draw.ts";
import { shrink } from "./shrink.ts";
import { simulate } from "./simulate.ts";

const WORLDS = sized({ test: 80, soak: 1000 });

describe("a simulation", () => {
  test(`finds nothing in ${WORLDS} worlds`, async () => {
    const lines: string[] = [];
    const found = await simulate({
      seed,
      milliseconds: Infinity,
      worlds: WORLDS,
      shrinks: true,
      print: (line) => lines.push(line),
    });
    assert(!found, lines.join("\n"));
  });

  test("is the same on all runtimes", async () => {
    const results = await Promise.all(runtimes.map(async (runtime) => {
      const args = ["600", `${seed}`, "--worlds", "10"];
      const child = spawnScript("tests/simulation/main.ts", args, { runtime });
      assertEquals(await child.exited, 0, child.output);
      return child.output;
    }));
    assertEquals(new Set(results).size, 1, results.join(""));
  });

  test("finds a fault that is put into the code, and makes its world shorter", async () => {
    const { found } = await search(await loadFault("lost_wake_up_after_hook"), 60, 1);
    assert(found !== undefined);
    const plan = drawPlan(1);
    const outcome = { failure: "nothing of the kind", trace: [], connections: 0, time: 0 };
    assertEquals(await shrink(plan, outcome), [plan, outcome]);
  });

  for (const name of faultNames()) {
    test(`can have the fault ${name}`, async () => assert(apply(await loadFault(name)) !== ""));
  }
});
