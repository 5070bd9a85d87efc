/**
 * The memory of messages stays in the process when it is freed, and is used again.
 *
 * @module
 */
import { assertGreater, assertLess } from "@std/assert";
import { test } from "node:test";
import { runtimes } from "../support/runtime.ts";
import { spawnScript } from "../support/spawn.ts";

/** Pages of 4 KiB that come from the kernel again after they were freed. */
async function pageFaults(runtime: "deno" | "node", memory: "own" | "ours"): Promise<number> {
  const child = spawnScript("tests/memory/scripts/freed.ts", [memory], { runtime });
  try {
    const [, count] = await child.waitFor(/^(\d+) page faults$/m);
    return Number(count);
  } finally {
    await child.stop();
  }
}

// Bun does not use the memory of the C library.
for (const runtime of ["deno", "node"] as const) {
  if (!runtimes.includes(runtime)) continue;
  test(`the freed memory of messages is used again on ${runtime}`, async () => {
    // 140 MiB have 35,840 pages.
    assertLess(await pageFaults(runtime, "ours"), 2000);
    // Otherwise, this test would show nothing.
    assertGreater(await pageFaults(runtime, "own"), 20_000);
  });
}
