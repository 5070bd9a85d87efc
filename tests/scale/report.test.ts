import { assertEquals, assertStringIncludes } from "@std/assert";
import { test } from "node:test";
import { chart } from "./chart.ts";
import { type Figures, report, rows } from "./report.ts";

const figures: Figures = {
  date: "2026-11-27",
  machine: "2 cores, 24 GiB",
  runtime: "bun",
  broker: "redis",
  connections: 40_000,
  processes: 3,
  open: 40_000,
  openSeconds: 20,
  openCpu: 265.4,
  serverMemory: 5455.5,
  kernelMemory: 9736.2,
  times: [{ first: 0.3, last: 9 }, { first: 0.01, last: 0.5 }, { first: 0.02, last: 0.4 }],
  lost: 3,
  wrong: 0,
  droppedPackets: 1234,
  pings: 24_000,
  cost: 25.25,
  shutdownSeconds: 3.2,
  told: 40_000,
};

test("the report of a scale run has rates, and medians of the publishes", () => {
  assertEquals(Object.fromEntries(rows(figures)), {
    "connections": "40,000",
    "server processes on one port": "3",
    "opening all": "20 s (2,000/s, 265 µs of CPU each)",
    "memory of the servers, each connection": "5,456 B",
    "memory of the kernel, both ends of each": "9,736 B",
    "a message reaches the first client": "20 ms",
    "and everybody": "500 ms",
    "messages lost": "3",
    "messages repeated or out of order": "0",
    "packets dropped by the kernel": "1,234",
    "a ping and its pong": "25.3 µs of CPU",
    "shutting all down": "3 s",
    "clients that were told why": "40,000",
  });
  assertStringIncludes(
    report(figures),
    "| bun, joined by redis | 2026-11-27, 2 cores, 24 GiB |\n| --- | --- |\n| connections | 40,000 |",
  );
});

test("the chart of scale runs has a row for each, with bars of one scale", () => {
  const larger = {
    ...figures,
    open: 400_000,
    serverMemory: 2727.75,
    times: [{ first: 1, last: Infinity }],
  };
  const drawn = chart([figures, larger]);
  const widths = [...drawn.matchAll(/width="([\d.]+)" height="16" class="servers"/g)].slice(1);
  const [first, second] = widths.map(([, width]) => Number(width));
  assertEquals(Math.abs((first ?? 0) - 2 * (second ?? 0)) < 0.2, true);
  for (const part of ["40,000, bun, redis", "400,000, bun, redis", "500 ms", "never", "15.2 KB"]) {
    assertStringIncludes(drawn, `>${part}<`);
  }
});
