/**
 * The overview of a benchmark: a line for each kind of work, with the worst cell of it.
 *
 * @module
 */
import { figure, markdownTable } from "./table.ts";
import {
  medianSample,
  type Outcome,
  outcomeOf,
  type Results,
  samplesOf,
  shareOfFloor,
} from "./results.ts";
import type { TargetColumn } from "./subjects.ts";
import { lowerIsBetter, type Workload } from "./workloads.ts";

const COLUMNS: readonly (readonly [column: TargetColumn, title: string])[] = [
  ["bun", "Bun"],
  ["deno", "Deno"],
  ["node", "Node"],
  ["draft76", "draft76"],
];

const MARKS = { met: "✓", missed: "✗", "within noise": "≈" };

/** How far an outcome is above its target: 1 is at the target, less is worse. */
function score({ workload, ratio, target = NaN }: Outcome): number {
  return lowerIsBetter(workload.criterion) ? target / ratio : ratio / target;
}

/** Returns the outcome that is furthest below its target; `undefined` if none has one. */
function worstOf(
  results: Results,
  workloads: readonly Workload[],
  column: TargetColumn,
): Outcome | undefined {
  let worst: Outcome | undefined;
  for (const workload of workloads) {
    for (const contest of workload.contests) {
      const outcome = contest.column === column ? outcomeOf(results, workload, contest) : undefined;
      if (outcome?.target === undefined) continue;
      if (worst === undefined || score(outcome) < score(worst)) worst = outcome;
    }
  }
  return worst;
}

function cellOf(results: Results, outcome: Outcome | undefined): string {
  if (outcome?.verdict === undefined) return "";
  const { workload, contest, ratio, verdict } = outcome;
  const cell = `${figure(ratio)} ${MARKS[verdict]}`;
  if (contest.floor === undefined) return cell;
  const [ours, floor] = [contest.ours, contest.floor].map((subject) =>
    medianSample(samplesOf(results, workload, subject))
  );
  const share = shareOfFloor(ours, floor, workload.criterion);
  return Number.isFinite(share) ? `${cell} ${Math.round(share * 100)} %` : cell;
}

/** The table: a line for each `line` of the workloads, in their order. */
export function overviewTable(results: Results, workloads: readonly Workload[]): string {
  const lines = new Map<string, Workload[]>();
  for (const workload of workloads) {
    if (workload.line === undefined) continue;
    lines.set(workload.line, [...lines.get(workload.line) ?? [], workload]);
  }
  const rows = [...lines].map(([line, members]) => {
    const isCost = members.some(({ criterion }) => lowerIsBetter(criterion));
    const cells = COLUMNS.map(([column]) => cellOf(results, worstOf(results, members, column)));
    return [`${line} (${isCost ? "≤" : "≥"})`, ...cells];
  });
  return markdownTable(["<ours ÷ theirs", ...COLUMNS.map(([, title]) => title)], rows);
}

/** What the table means. */
export const OVERVIEW_LEGEND = `\
Each figure is ours divided by theirs: by that of \`Bun.serve\`, \`Deno.upgradeWebSocket\`, \`ws\` on Node,
and faye-websocket, which speaks draft76. If a line stands for several workloads, the worst counts.
Lines with ≥ compare messages per second: more is better. Lines with ≤ compare CPU time or memory: less
is better. ✓ target met, ≈ within noise of the target, ✗ target missed. The percentage compares our
server with a plain TCP echo on the same runtime. Deno has no peer with compression: it is compared with
our server on Node. Clients are compared with \`ws\` and the \`WebSocket\` of the runtime.`;
