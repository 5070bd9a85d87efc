import { assertEquals } from "@std/assert";
import { test } from "node:test";
import { Histogram } from "../../src/metrics/histogram.ts";

test("a histogram counts each duration in all buckets that are long enough", () => {
  const histogram = new Histogram();
  for (const duration of [0, 1, 1.5, 2, 9999, 10_000, 10_001, 1_000_000]) {
    histogram.observe(duration);
  }
  const { count, sum, buckets } = histogram.snapshot();
  assertEquals([count, sum], [8, 1_030_004.5]);
  assertEquals(Object.entries(buckets), [
    ["1", 2],
    ["2", 4],
    ["5", 4],
    ["10", 4],
    ["20", 4],
    ["50", 4],
    ["100", 4],
    ["200", 4],
    ["500", 4],
    ["1000", 4],
    ["2000", 4],
    ["5000", 4],
    ["10000", 6],
  ]);
});
