import { assertEquals, assertStringIncludes } from "@std/assert";
import { describe, test } from "node:test";
import { resultsWith, workload } from "./fake_results.ts";
import { limitsReport, limitSubjects } from "./limits.ts";
import { parseOptions } from "./options.ts";
import { WORKLOADS } from "./workloads.ts";

/** The cells of the rows of a workload. */
function rowsOf(report: string, title: string): string[][] {
  return report.split("\n")
    .filter((line) => line.startsWith(`| ${title} `))
    .map((line) => line.split("|").slice(2, -1).map((cell) => cell.trim()));
}

describe("the limits", () => {
  test("are asked for with --limits", () => {
    assertEquals(parseOptions([]).limits, false);
    assertEquals(parseOptions(["--limits"]).limits, true);
  });

  test("are measured beside all that is compared, where there is a target", () => {
    const ids = ({ id }: { id: string }) => id;
    const echo = workload("echo-64x1");
    assertEquals(limitSubjects(echo, echo.contests.slice(0, 1)).map(ids), [
      "raw-bun",
      "bun-serve",
      "smallest-bun",
      "ours-bun",
    ]);
    const client = workload("client-64x1");
    assertEquals(limitSubjects(client, client.contests.slice(3)).map(ids), [
      "client-ws-node",
      "client-smallest-node",
      "client-ours-node",
    ]);
    const mixed = workload("mixed-1k");
    assertEquals(limitSubjects(mixed, mixed.contests), []);
  });

  test("show what each program reaches, in the unit of the target", () => {
    const report = limitsReport(
      resultsWith([{ throughput: 500, cpu: 20 }, { throughput: 500, cpu: 20 }]),
      WORKLOADS,
    );
    assertEquals(rowsOf(report, "echo 64 × 1 × 32 B text")[0], [
      "Bun",
      "≥ 0.98",
      "0.50 ✗",
      "1.00 ≈",
      "1.00 ≈",
    ]);
    assertEquals(rowsOf(report, "handshake").at(-1), [
      "Node, draft76",
      "≤ 0.65",
      "2.00 ✗",
      "1.00 ✗",
      "1.00 ✗",
    ]);
    // There is no plain TCP echo for clients.
    assertEquals(rowsOf(report, "client 64 × 1 × 32 B text")[0], [
      "Bun",
      "≤ 1",
      "2.00 ✗",
      "1.00 ≈",
      "",
    ]);
    assertStringIncludes(report, "- 2026-01-02, `deno task bench`");
  });

  test("have no row for what has no target or was not measured", () => {
    const { environment, runs } = resultsWith([{}]);
    const report = limitsReport({
      environment,
      runs: runs.filter(({ workload }) => workload === "mixed-1k"),
    }, WORKLOADS);
    assertEquals(report.split("\n").filter((line) => line.startsWith("| ")).length, 2);
  });
});
