/**
 * Waiting data takes at most a small multiple of its bytes, even if it arrived in tiny pieces.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { describe, test } from "node:test";
import { COLLECTABLE } from "../support/collect.ts";
import { spawnScript } from "../support/spawn.ts";

/** Allowance for objects, the first buffer of a queue, and the runtime's own work. */
const BASE = 128 * 1024;

/** The most memory for each byte. Data queued for a peer has its own limit. */
const QUEUED = 1.5;
const OTHER = 2;

const ROWS: readonly (readonly [name: string, most: number])[] = [
  ["pieces in a queue", QUEUED],
  ["frames that a socket of Node does not take", QUEUED],
  ["frames that a socket of Bun does not take", QUEUED],
  ["frames that a connection of Deno does not take", QUEUED],
  ["frames that a peer in memory does not take", QUEUED],
  ["segments that Node reads while paused", OTHER],
  ["segments of a request's head", OTHER],
  ["segments of an answer's head", OTHER],
  ["chunks of a refusal's body", OTHER],
  ["segments of a request's body", OTHER],
  ["chunks of a request's body", OTHER],
  ["fragments of a text", OTHER],
  ["fragments of a binary message", OTHER],
  ["segments of a frame", OTHER],
  ["segments of a draft76 text", OTHER],
  ["frames that draft76 skips", OTHER],
  ["chunks that a busy handler holds", OTHER],
  ["binary messages that wait", OTHER],
  ["texts that wait", OTHER],
  ["messages that are delivered while others wait", OTHER],
];

describe("the memory of small pieces", () => {
  test("is a small multiple of their bytes, wherever they wait", async () => {
    const child = spawnScript("tests/memory/scripts/pieces.ts", [], { env: COLLECTABLE });
    try {
      // One by one, because each may take long.
      for (const [name] of ROWS) await child.waitFor(new RegExp(`^${name}: .*$`, "m"));
    } finally {
      await child.stop("SIGKILL");
    }
    const figures = [...child.output.matchAll(/^(.+): (-?\d+) for (\d+)$/gm)];
    assertEquals(figures.map(([, name]) => name), ROWS.map(([name]) => name));
    for (const [i, [, name, memory, bytes]] of figures.entries()) {
      const [, most = 0] = ROWS[i] ?? [];
      assert(
        Number(memory) <= Number(bytes) * most + BASE,
        `${name}: ${memory} bytes of memory for ${bytes}`,
      );
    }
  });
});
