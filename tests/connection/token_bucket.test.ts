import { assertEquals } from "@std/assert";
import { describe, test } from "node:test";
import { TokenBucket } from "../../src/connection/token_bucket.ts";

/** Steps: the time, how much is taken, and then the tokens and the time to the next one. */
const rows: readonly {
  readonly rate: readonly [perSecond: number, burst: number];
  readonly steps: readonly (readonly [at: number, takes: number, left: number, wait: number])[];
}[] = [
  { rate: [1, 1], steps: [[0, 0, 1, 0], [0, 1, 0, 1000], [400, 0, 0.4, 600], [1000, 0, 1, 0]] },
  { rate: [1, 1], steps: [[0, 1, 0, 1000], [9999, 0, 1, 0]] },
  { rate: [10, 5], steps: [[0, 4, 1, 0], [0, 1, 0, 100], [50, 0, 0.5, 50], [900, 0, 5, 0]] },
  // More than there is may be taken: the time until the next token says how long that is paid for.
  { rate: [1000, 100], steps: [[0, 300, -200, 201], [200, 0, 0, 1], [201, 0, 1, 0]] },
  { rate: [0.25, 2], steps: [[0, 2, 0, 4000], [1000, 0, 0.25, 3000]] },
  { rate: [3, 1], steps: [[0, 1, 0, 334]] },
  // A clock that goes back gives nothing.
  { rate: [1, 2], steps: [[1000, 2, 0, 1000], [500, 0, 0, 1000], [1500, 0, 1, 0]] },
];

describe("a token bucket", () => {
  for (const { rate: [perSecond, burst], steps } of rows) {
    test(`of ${perSecond} per second and ${burst} at once: ${JSON.stringify(steps)}`, () => {
      const bucket = new TokenBucket({ perSecond, burst }, 0);
      assertEquals([bucket.count(0), bucket.isFull(0)], [burst, true]);
      for (const [at, takes, left, wait] of steps) {
        bucket.count(at);
        bucket.take(takes);
        assertEquals([bucket.count(at), bucket.timeToToken(at)], [left, wait], `at ${at}`);
        assertEquals(bucket.isFull(at), left === burst);
      }
    });
  }
});
