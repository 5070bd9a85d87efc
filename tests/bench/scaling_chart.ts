/**
 * Draws the scaling benchmark as an SVG chart: a panel for each series, with the cost of a message
 * against the number that varies. Both axes are logarithmic.
 *
 * @module
 */
import { text } from "./chart.ts";
import type { Series } from "./growth.ts";
import { type RuntimeName, RUNTIMES, runtimeTitle } from "./subjects.ts";
import { figure } from "./table.ts";

/** The costs of a server along a series, in microseconds of CPU time for a message. */
export interface Line {
  readonly runtime: RuntimeName;
  /** `raw` is the floor of the runtime. */
  readonly format: "hybi" | "draft76" | "raw";
  /** In the order of the values of the series. `NaN` if a run failed. */
  readonly costs: readonly number[];
}

/** A series and its lines. */
export interface Panel {
  readonly series: Pick<Series, "title" | "values">;
  readonly lines: readonly Line[];
}

const PANEL = { width: 230, height: 130, gap: 44, inARow: 3, top: 62 };

const STYLE = `\
  text { font: 12px system-ui, sans-serif; fill: #1f2328 }
  .title { font-size: 16px; font-weight: 600 }
  .quiet { fill: #59636e }
  .frame { fill: none; stroke: #d1d9e0 }
  polyline { fill: none; stroke-width: 1.5 }
  .raw { stroke-dasharray: 3 3 }
  .bun { stroke: #bc4c00 }
  .deno { stroke: #0969da }
  .node { stroke: #1a7f37 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .quiet { fill: #9198a1 }
    .frame { stroke: #3d444d }
    .bun { stroke: #db6d28 }
    .deno { stroke: #4493f8 }
    .node { stroke: #3fb950 }
  }`;

/**
 * Returns a function that maps values to 0 for the least and to `length` for the largest, or for ten times
 * the least if that is more.
 */
function logarithmic(values: readonly number[], length: number): (value: number) => number {
  const least = Math.min(...values);
  const most = Math.max(...values, 10 * least);
  return (value) => Math.log(value / least) / Math.log(most / least) * length;
}

function polyline({ runtime, format, costs }: Line, place: (index: number) => string): string {
  const points = costs.flatMap((cost, index) => Number.isFinite(cost) ? [place(index)] : []);
  return `<polyline class="${runtime} ${format}" points="${points.join(" ")}"/>`;
}

function panel({ series: { title, values }, lines }: Panel, index: number): string[] {
  const { width, height, gap, inARow, top } = PANEL;
  const x = index % inARow * (width + gap);
  const y = top + Math.floor(index / inARow) * (height + 2 * gap);
  const costs = lines.flatMap((line) => line.costs.filter(Number.isFinite));
  const across = logarithmic(values, width);
  const up = logarithmic(costs, height);
  const least = values[0]?.toLocaleString("en-US") ?? "";
  const most = values.at(-1)?.toLocaleString("en-US") ?? "";
  return [
    `<g transform="translate(${x} ${y})">`,
    text(0, 0, title.replace(/,.*/, "")),
    text(0, 16, `${figure(Math.min(...costs))} to ${figure(Math.max(...costs))} µs`, "quiet"),
    `<rect class="frame" y="24" width="${width}" height="${height}"/>`,
    ...lines.map((line) =>
      polyline(line, (at) => {
        const left = across(values[at] ?? NaN);
        return `${left.toFixed(1)},${(24 + height - up(line.costs[at] ?? NaN)).toFixed(1)}`;
      })
    ),
    text(0, height + 40, least, "quiet"),
    `<text x="${width}" y="${height + 40}" class="quiet" text-anchor="end">${most}</text>`,
    "</g>",
  ];
}

/** Draws series. Readable on light and dark backgrounds. */
export function scalingChart(panels: readonly Panel[]): string {
  const { width, height, gap, inARow, top } = PANEL;
  const size = [
    inARow * (width + gap),
    top + Math.ceil(panels.length / inARow) * (height + 2 * gap),
  ] as const;
  const legend = RUNTIMES.flatMap((runtime, index) => [
    `<polyline class="${runtime}" points="${index * 70},35 ${index * 70 + 20},35"/>`,
    text(index * 70 + 26, 39, runtimeTitle(runtime)),
  ]);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${size[0]}" height="${size[1]}"` +
    ` viewBox="0 0 ${size[0]} ${size[1]}" role="img" aria-label="Cost of a message as loads grow">`,
    `<style>\n${STYLE}\n</style>`,
    text(
      0,
      18,
      "CPU time of a message as the load grows, from the least to the largest value",
      "title",
    ),
    ...legend,
    text(
      220,
      39,
      "two lines: RFC 6455 and draft76; dashed: plain TCP; both axes logarithmic",
      "quiet",
    ),
    ...panels.flatMap(panel),
    "</svg>\n",
  ].join("\n");
}
