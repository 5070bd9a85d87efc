/**
 * Draws the results as an SVG chart: how many times better we are than each peer at each workload.
 *
 * @module
 */

import { figure } from "./report.ts";
import { type Outcome, outcomeOf, type Results } from "./results.ts";
import { type Contest, CONTESTS, runtimeTitle } from "./subjects.ts";
import { lowerIsBetter, type Workload } from "./workloads.ts";

const LABELS_WIDTH = 216;
const PANEL_WIDTH = 224;
const PANEL_GAP = 12;
const PANELS_IN_A_ROW = 3;
const BAR_HEIGHT = 14;
const ROW_HEIGHT = 22;
const TITLE_HEIGHT = 36;
const HEAD_HEIGHT = 58;
/** Space for the number beside a bar. */
const NUMBER_WIDTH = 40;

const STYLE = `\
  text { font: 12px system-ui, sans-serif; fill: #1f2328 }
  .title { font-size: 16px; font-weight: 600 }
  .panel { font-weight: 600 }
  .quiet { fill: #59636e }
  .grid { stroke: #d1d9e0 }
  .even { stroke: #59636e }
  .ahead { fill: #0969da }
  .behind { fill: #bc4c00 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .quiet { fill: #9198a1 }
    .grid { stroke: #3d444d }
    .even { stroke: #9198a1 }
    .ahead { fill: #4493f8 }
    .behind { fill: #db6d28 }
  }`;

/** How many times better we are, by the workload's criterion. */
export function advantage(outcome: Outcome): number {
  return lowerIsBetter(outcome.workload.criterion) ? 1 / outcome.ratio : outcome.ratio;
}

/** A logarithmic axis, from below 1 to a power of two above the largest value. */
interface Axis {
  readonly from: number;
  readonly to: number;
  /** Pixels from the panel's left edge. */
  position(value: number): number;
}

function axisFor(values: readonly number[]): Axis {
  const from = Math.min(0.8, ...values);
  const to = 2 ** Math.ceil(Math.log2(Math.max(4, ...values)));
  const scale = (PANEL_WIDTH - NUMBER_WIDTH) / Math.log(to / from);
  return { from, to, position: (value) => Math.log(value / from) * scale };
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** Makes a line of text. */
export function text(x: number, y: number, content: string, className = ""): string {
  const attribute = className && ` class="${className}"`;
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}"${attribute}>${escape(content)}</text>`;
}

function verticalLine(x: number, y: number, height: number, className: string): string {
  const at = x.toFixed(1);
  return `<line x1="${at}" x2="${at}" y1="${y}" y2="${y + height}" class="${className}"/>`;
}

function bar(outcome: Outcome, axis: Axis, y: number): string[] {
  const value = advantage(outcome);
  const even = axis.position(1);
  const end = axis.position(value);
  const left = Math.min(even, end).toFixed(1);
  const width = Math.max(Math.abs(end - even), 1).toFixed(1);
  const top = y + (ROW_HEIGHT - BAR_HEIGHT) / 2;
  const className = value >= 1 ? "ahead" : "behind";
  return [
    `<rect x="${left}" y="${top}" width="${width}" height="${BAR_HEIGHT}" class="${className}"/>`,
    text(Math.max(even, end) + 4, y + ROW_HEIGHT / 2 + 4, `${figure(value)}×`),
  ];
}

function panel(contest: Contest, outcomes: readonly (Outcome | undefined)[], axis: Axis): string[] {
  const height = outcomes.length * ROW_HEIGHT;
  const { ours, peer } = contest;
  const format = peer.format === "draft76" ? ", draft76" : "";
  const where = peer.runtime === ours.runtime ? "" : ` on ${runtimeTitle(peer.runtime)}`;
  const lines = [
    text(0, 12, runtimeTitle(ours.runtime) + format, "panel"),
    text(0, 27, `against ${peer.name}${where}`, "quiet"),
  ];
  for (let value = 1; value <= axis.to; value *= 4) {
    const x = axis.position(value);
    if (value > 1) lines.push(verticalLine(x, TITLE_HEIGHT, height, "grid"));
    lines.push(text(x - 6, TITLE_HEIGHT + height + 14, `${value}×`, "quiet"));
  }
  outcomes.forEach((outcome, row) => {
    if (outcome) lines.push(...bar(outcome, axis, TITLE_HEIGHT + row * ROW_HEIGHT));
  });
  lines.push(verticalLine(axis.position(1), TITLE_HEIGHT, height, "even"));
  return lines;
}

function group(x: number, y: number, lines: readonly string[]): string {
  return `<g transform="translate(${x} ${y})">\n${lines.join("\n")}\n</g>`;
}

function workloadLabels(workloads: readonly Workload[]): string[] {
  return workloads.map(({ title, criterion }, row) => {
    const label = {
      throughput: title.replace(/ (?:binary|text)\b/, ""),
      cpu: `CPU of a ${title}`,
      memory: `memory of ${title.replace(/^[\d,]+ /, "")}`,
    }[criterion];
    return text(0, TITLE_HEIGHT + row * ROW_HEIGHT + ROW_HEIGHT / 2 + 4, label);
  });
}

/** Returns the contest of a workload between the same servers, whatever their options are. */
function contestOf(workload: Workload, { ours, peer }: Contest): Contest | undefined {
  return workload.contests.find((contest) =>
    contest.column !== undefined && contest.peer.id === peer.id &&
    contest.ours.runtime === ours.runtime && contest.ours.file === ours.file
  );
}

/** Draws the contests that have targets. Readable on light and dark backgrounds. */
export function chart(results: Results, workloads: readonly Workload[]): string {
  const panelContests = CONTESTS.filter(({ column }) => column !== undefined);
  const judged = workloads.filter((workload) =>
    workload.targets !== undefined &&
    panelContests.some((contest) => contestOf(workload, contest) !== undefined)
  );
  const panels = panelContests.map((contest) => ({
    contest,
    outcomes: judged.map((workload) => {
      const own = contestOf(workload, contest);
      return own === undefined ? undefined : outcomeOf(results, workload, own);
    }),
  }));
  const all = panels.flatMap(({ outcomes }) => outcomes.filter((outcome) => outcome !== undefined));
  const axis = axisFor(all.map(advantage));
  const panelHeight = TITLE_HEIGHT + judged.length * ROW_HEIGHT + 34;
  const rows = Math.ceil(panels.length / PANELS_IN_A_ROW);
  const width = LABELS_WIDTH + PANELS_IN_A_ROW * (PANEL_WIDTH + PANEL_GAP);
  const height = HEAD_HEIGHT + rows * panelHeight;

  const body = panels.map(({ contest, outcomes }, index) => {
    const x = LABELS_WIDTH + (index % PANELS_IN_A_ROW) * (PANEL_WIDTH + PANEL_GAP);
    const y = HEAD_HEIGHT + Math.floor(index / PANELS_IN_A_ROW) * panelHeight;
    return group(x, y, panel(contest, outcomes, axis));
  });
  for (let row = 0; row < rows; row++) {
    body.push(group(0, HEAD_HEIGHT + row * panelHeight, workloadLabels(judged)));
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"` +
    ` viewBox="0 0 ${width} ${height}" role="img" aria-label="Waterspout against its peers">`,
    `<style>\n${STYLE}\n</style>`,
    text(0, 18, "How many times better Waterspout is", "title"),
    text(
      0,
      38,
      "Echo is connections × messages in flight × size. Longer is better; 1× is the peer, " +
        "the scale is logarithmic.",
      "quiet",
    ),
    ...body,
    "</svg>\n",
  ].join("\n");
}
