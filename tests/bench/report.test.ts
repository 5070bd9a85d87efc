import { assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { describe, test } from "node:test";
import { advantage, chart } from "./chart.ts";
import { scalingChart } from "./scaling_chart.ts";
import { growingTooFast, type Series } from "./growth.ts";
import { judge, median, quantile, ratios } from "./judge.ts";
import { UsageError } from "../support/usage.ts";
import { parseOptions } from "./options.ts";
import { figure, fullReport, markdownTable, readmeSection, replaceSection } from "./report.ts";
import { overviewTable } from "./overview.ts";
import { resultsWith, sample, workload } from "./fake_results.ts";
import { outcomeOf, type Results, type Run, shareOfFloor } from "./results.ts";
import { CONTESTS } from "./subjects.ts";
import { quickWorkloads, type Workload, WORKLOADS } from "./workloads.ts";

const [BUN] = CONTESTS;
if (BUN === undefined) throw new RangeError("Cannot find a contest");

describe("the middle of measurements", () => {
  test("is the middle one, or the mean of two, in any order", () => {
    assertEquals(median([3]), 3);
    assertEquals(median([5, 1, 3]), 3);
    assertEquals(median([10, 1, 2, 3]), 2.5);
    assertEquals(median([]), NaN);
  });

  test("quantiles lie between the values", () => {
    assertEquals(quantile([4, 1, 2, 3, 5], 0.25), 2);
    assertEquals(quantile([1, 2], 0.25), 1.25);
  });
});

describe("ratios", () => {
  test("are taken repetition by repetition, without the failed ones", () => {
    const ours = [sample({ cpu: 5 }), undefined, sample({ cpu: 20 })];
    const theirs = [sample({ cpu: 10 }), sample({ cpu: 10 }), sample({ cpu: 40 }), sample({})];
    assertEquals(ratios(ours, theirs, "cpu"), [0.5, 0.5]);
  });

  test("are not taken against nothing", () => {
    assertEquals(ratios([sample({})], [sample({ throughput: 0 })], "throughput"), []);
  });
});

describe("a verdict", () => {
  const cases: [ratios: number[], target: number, criterion: Workload["criterion"], is: string][] =
    [
      [[1.3], 1.2, "throughput", "met"],
      [[1.21], 1.2, "throughput", "within noise"],
      [[1.19], 1.2, "throughput", "within noise"],
      [[1.1], 1.2, "throughput", "missed"],
      [[1.3, 1.1], 1.2, "throughput", "within noise"],
      [[1.21, 1.22, 1.23, 1.24, 1.25], 1.2, "throughput", "met"],
      [[1.1, 1.21, 1.22, 1.23, 1.24], 1.2, "throughput", "met"],
      [[1.1, 1.11, 1.22, 1.23, 1.24], 1.2, "throughput", "within noise"],
      [[1.0, 1.1, 1.11, 1.12, 1.3], 1.2, "throughput", "missed"],
      [[0.5], 0.6, "cpu", "met"],
      [[0.59], 0.6, "cpu", "within noise"],
      [[0.7], 0.6, "cpu", "missed"],
      [[0.5, 0.5, 0.51, 0.51, 0.9], 0.6, "memory", "met"],
    ];
  for (const [measured, target, criterion, expected] of cases) {
    test(`on ${measured.join(", ")} against ${target} of ${criterion} is ${expected}`, () => {
      assertEquals(judge(measured, target, criterion), expected);
    });
  }
});

describe("an outcome", () => {
  test("counts more messages and less CPU time as being ahead", () => {
    const results = resultsWith([{ throughput: 2000, cpu: 4 }]);
    const outcome = outcomeOf(results, workload("echo-64x1"), BUN);
    assertEquals(outcome?.throughput, 2);
    assertEquals(outcome?.cpu, 2.5);
    assertEquals(outcome?.ratio, 2);
    assertEquals(outcome?.target, 0.98);
    assertEquals(outcome?.verdict, "met");
  });

  test("of a handshake is judged by CPU time, ours divided by theirs", () => {
    const results = resultsWith([{ throughput: 9000, cpu: 20 }]);
    const outcome = outcomeOf(results, workload("handshake"), BUN);
    assertEquals(outcome?.ratio, 2);
    assertEquals(outcome?.verdict, "missed");
    assertEquals(outcome && advantage(outcome), 0.5);
  });

  test("is missing if nothing was measured", () => {
    const { environment } = resultsWith([]);
    assertEquals(outcomeOf({ environment, runs: [] }, workload("idle"), BUN), undefined);
  });

  test("is a share of the floor, which is 1 when level with it", () => {
    const floor = sample({ throughput: 2000, cpu: 5 });
    assertEquals(shareOfFloor(sample({}), floor, "throughput"), 0.5);
    assertEquals(shareOfFloor(sample({}), floor, "cpu"), 0.5);
    assertEquals(shareOfFloor(undefined, floor, "cpu"), NaN);
  });
});

describe("a table", () => {
  test("is padded, with the columns named <… to the left", () => {
    const expected = "| name | number |\n" +
      "| ---- | -----: |\n" +
      "| ab   |      1 |\n" +
      "| c    |        |";
    assertEquals(markdownTable(["<name", "number"], [["ab", "1"], ["c"]]), expected);
  });

  test("has numbers of three digits or more", () => {
    assertEquals([1234567.8, 123.4, 12.34, 1.234, 0.012].map(figure), [
      "1,234,568",
      "123",
      "12.3",
      "1.23",
      "0.01",
    ]);
    assertEquals(figure(NaN), "");
  });
});

describe("the full report", () => {
  test("has a row with ratio, target and verdict for ours, and the floor's share", () => {
    const report = fullReport(resultsWith([{ throughput: 1500, cpu: 5 }]), WORKLOADS);
    const row = report.split("\n").find((line) =>
      line.startsWith("| echo 64 × 1 ×") && line.includes("Waterspout on Bun  ")
    );
    assertEquals(row?.split("|").map((cell) => cell.trim()).slice(2, -1), [
      "Waterspout on Bun",
      "1,500",
      "100",
      "200",
      "5.00",
      "",
      "64.0 MiB",
      "150 %",
      "Bun.serve on Bun",
      "1.50",
      "2.00",
      "1.50 ≥ 0.98: met",
    ]);
  });

  test("marks a generator at its limit and a disturbed run", () => {
    const report = fullReport(resultsWith([{ clientLoad: 0.99, disturbance: 0.2 }]), WORKLOADS);
    assertMatch(report, /Waterspout on Node +\| +1,000\*~ \|/);
  });

  test("tells of failures", () => {
    const { environment } = resultsWith([{}]);
    const failed: Run = {
      workload: "idle",
      subject: "ws",
      repetition: 1,
      sample: undefined,
      failure: "it broke",
    };
    const report = fullReport({ environment, runs: [failed] }, WORKLOADS);
    assertMatch(report, /\| 10,000 idle connections \| ws on Node \| +failed \|/);
    assertStringIncludes(report, "- idle, ws, repetition 2: it broke");
  });
});

describe("the overview", () => {
  /** The cells of a line. */
  function lineOf(results: Results, name: string): string[] | undefined {
    const line = overviewTable(results, WORKLOADS).split("\n").find((line) => line.includes(name));
    return line?.split("|").map((cell) => cell.trim()).slice(1, -1);
  }

  test("has ten lines", () => {
    const [, , ...lines] = overviewTable(resultsWith([{}]), WORKLOADS).split("\n");
    assertEquals(lines.length, 10);
  });

  test("has a ratio, a verdict and the share of the floor in each cell", () => {
    const results = resultsWith([{ throughput: 1150, cpu: 20 }], { throughput: 1000 });
    assertEquals(lineOf(results, "one by one"), [
      "32 B, one by one (≥)",
      "1.15 ✓ 115 %",
      "1.15 ✓ 115 %",
      "1.15 ✗ 115 %",
      "1.15 ≈ 115 %",
    ]);
    assertEquals(lineOf(results, "handshake")?.[1], "2.00 ✗ 50 %");
    assertEquals(lineOf(results, "client")?.slice(1), ["2.00 ✗", "2.00 ✗", "2.00 ✗", ""]);
    assertEquals(lineOf(results, "compression")?.[4], "");
  });

  test("has the worst of the workloads in a line", () => {
    const { environment, runs } = resultsWith([{ throughput: 2000 }]);
    const slower = runs.map((run) =>
      run.workload === "reply-64x1" && run.subject === "ours-bun"
        ? { ...run, sample: sample({ throughput: 500 }) }
        : run
    );
    const results = { environment, runs: slower };
    assertEquals(lineOf(results, "one by one")?.slice(1, 3), ["0.50 ✗ 50 %", "2.00 ✓ 200 %"]);
  });

  test("is empty where nothing was measured", () => {
    const { environment } = resultsWith([{}]);
    assertEquals(lineOf({ environment, runs: [] }, "TLS")?.slice(1), ["", "", "", ""]);
  });

  test("comes first in the report", () => {
    const report = fullReport(resultsWith([{}]), WORKLOADS);
    assertEquals(report.split("\n")[2]?.startsWith("| ours ÷ theirs"), true);
  });
});

describe("the section of the README", () => {
  test("says where the figures come from", () => {
    const section = readmeSection(resultsWith([{}, {}]), WORKLOADS);
    assertStringIncludes(section, "- 2026-01-02, `deno task bench`");
    assertStringIncludes(section, "- Bun 1, Deno 2");
    assertStringIncludes(section, "- medians of 2 runs of 3 s each, interleaved");
  });

  test("replaces what is between the markers, and only that", () => {
    const document = "# A\n<!-- bench:start -->\nold\n<!-- bench:end -->\nB\n";
    const expected = "# A\n<!-- bench:start -->\n\nnew\n\n<!-- bench:end -->\nB\n";
    assertEquals(replaceSection(document, "new"), expected);
  });

  test("needs both markers in their order", () => {
    for (const document of ["", "<!-- bench:start -->", "<!-- bench:end --><!-- bench:start -->"]) {
      assertThrows(() => replaceSection(document, "new"), RangeError, "not found in this order");
    }
  });
});

describe("the chart", () => {
  test("has a bar for each target, to the left of 1 when behind", () => {
    const svg = chart(resultsWith([{ throughput: 2000, cpu: 20 }]), WORKLOADS);
    // Six contests have targets. In each, we are ahead in eight workloads and behind in the handshake.
    // Bun, Deno and Node have three more over TLS and with borrowed messages; Bun and Node, two more with
    // compression. A workload without a figure, such as idle connections here, has no bar.
    assertEquals(svg.match(/class="ahead"/g)?.length, 6 * 8 + 3 * 3 + 2 * 2);
    assertEquals(svg.match(/class="behind"/g)?.length, 6);
    assertStringIncludes(svg, ">2.00×</text>");
    assertStringIncludes(svg, ">0.50×</text>");
    assertStringIncludes(svg, "prefers-color-scheme: dark");
  });
});

test("the chart of the scaling benchmark has a line for each server, without runs that failed", () => {
  const lines = [
    { runtime: "bun", format: "raw", costs: [1, 1, 1] },
    { runtime: "bun", format: "hybi", costs: [1, NaN, 100] },
  ] as const;
  const svg = scalingChart([{ series: { title: "size", values: [1, 10, 100] }, lines }]);
  const points = [...svg.matchAll(/class="(bun \w+)" points="([^"]+)"/g)];
  assertEquals(points.map(([, name, at]) => [name, at]), [
    ["bun raw", "0.0,154.0 115.0,154.0 230.0,154.0"],
    ["bun hybi", "0.0,154.0 230.0,24.0"],
  ]);
  assertStringIncludes(svg, "1.00 to 100 µs");
});

describe("growth", () => {
  const series: Series = {
    title: "size",
    values: [1, 10, 100],
    load: (size) => ({ mode: "echo", connections: 1, inFlight: 1, size }),
    work: (size) => size,
  };

  const flat = [1, 10, 100];

  test("in step with the work is no defect", () => {
    assertEquals(growingTooFast(series, [1, 10, 100], flat), []);
    assertEquals(growingTooFast(series, [5, 6, 150], flat), []);
    assertEquals(growingTooFast(series, [1, NaN, 100], flat), []);
  });

  test("faster than the work is one", () => {
    assertEquals(growingTooFast(series, [1, 10, 251], flat), [100]);
    assertEquals(growingTooFast(series, [1, 100, 10_000], flat), [10, 100]);
    assertEquals(growingTooFast(series, [1, NaN, 251], [NaN, NaN, NaN]), [100]);
  });

  test("is no defect of ours where the floor grows as fast", () => {
    assertEquals(growingTooFast(series, [1, 10, 400], [1, 10, 200]), []);
    assertEquals(growingTooFast(series, [1, 10, 501], [1, 10, 200]), [100]);
  });
});

describe("the command line", () => {
  test("has defaults, shorter ones for --quick", () => {
    assertEquals(parseOptions([]).repetitions, 5);
    assertEquals(parseOptions(["--quick"]).repetitions, 1);
    assertEquals(parseOptions(["--quick", "--repetitions", "2"]).repetitions, 2);
    assertEquals(parseOptions(["--runtime", "deno"]).runtime, "deno");
  });

  test("does not take what it does not know", () => {
    assertThrows(() => parseOptions(["--fast"]), UsageError, "Cannot read --fast");
    assertThrows(() => parseOptions(["--runtime", "jvm"]), UsageError, "--runtime jvm");
    assertThrows(() => parseOptions(["--repetitions", "none"]), UsageError, "--repetitions none");
  });

  test("a quick run leaves out what has no target, and what resembles another workload", () => {
    assertEquals(quickWorkloads().map(({ id }) => id), [
      "echo-64x1",
      "reply-64x32",
      "echo-16k",
      "echo-1m",
      "broadcast-1k",
      "tls-1k",
      "takeover-1k",
      "client-64x32",
      "handshake",
      "idle",
    ]);
  });
});
