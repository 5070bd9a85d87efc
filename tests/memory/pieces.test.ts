/**
 * Waiting data takes at most a small multiple of its bytes, even if it arrived in tiny pieces.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
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

/** What takes much memory once may have met other work of the runtime; then it is measured again. */
const TRIES = 3;

/** Collecting garbage in several threads at once takes more CPU time than in one. */
const ENV = {
  ...COLLECTABLE,
  DENO_V8_FLAGS: `${COLLECTABLE["DENO_V8_FLAGS"]},--single-threaded-gc`,
  NODE_OPTIONS: "--v8-pool-size=0",
};

/** Measures rows in a process of their own. Returns those that take too much memory, with the figures. */
async function measure(rows: typeof ROWS): Promise<Map<string, string>> {
  const names = rows.map(([name]) => name);
  const child = spawnScript("tests/memory/scripts/pieces.ts", names, { env: ENV });
  try {
    // One by one, because each may take long.
    for (const name of names) await child.waitFor(new RegExp(`^${name}: .*$`, "m"));
  } finally {
    await child.stop("SIGKILL");
  }
  const figures = [...child.output.matchAll(/^(.+): (-?\d+) for (\d+)$/gm)];
  assertEquals(figures.map(([, name]) => name), names);
  const large = figures.filter(([, , memory, bytes], i) => {
    const [, most = 0] = rows[i] ?? [];
    return Number(memory) > Number(bytes) * most + BASE;
  });
  return new Map(large.map(([line, name = ""]) => [name, line]));
}

describe("the memory of small pieces", () => {
  test("is a small multiple of their bytes, wherever they wait", async () => {
    let rows = ROWS;
    let large = new Map<string, string>();
    for (let tries = 0; tries < TRIES && rows.length > 0; tries++) {
      large = await measure(rows);
      rows = ROWS.filter(([name]) => large.has(name));
    }
    assertEquals([...large.values()], []);
  });
});
