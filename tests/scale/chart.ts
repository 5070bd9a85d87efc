/**
 * Draws scale runs as an SVG chart: the memory of each connection, and how long a message takes to reach
 * all of them. `deno run -A tests/scale/chart.ts RUN.json... > tests/scale/chart.svg`, with files that
 * `deno task scale --output RUN.json` has written.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import process from "node:process";
import { type Figures, slowest } from "./report.ts";

const LABELS_WIDTH = 190;
const BARS_WIDTH = 330;
const TIMES_WIDTH = 140;
const ROW_HEIGHT = 28;
const BAR_HEIGHT = 16;
const HEAD_HEIGHT = 64;

const STYLE = `\
  text { font: 12px system-ui, sans-serif; fill: #1f2328 }
  .title { font-size: 16px; font-weight: 600 }
  .servers { fill: #0969da }
  .kernel { fill: #8c959f }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .servers { fill: #4493f8 }
    .kernel { fill: #656c76 }
  }`;

function text(x: number, y: number, content: string, className = ""): string {
  const attribute = className && ` class="${className}"`;
  return `<text x="${x}" y="${y}"${attribute}>${content}</text>`;
}

function rectangle(x: number, y: number, width: number, className: string): string {
  const size = `width="${width.toFixed(1)}" height="${BAR_HEIGHT}"`;
  return `<rect x="${x.toFixed(1)}" y="${y}" ${size} class="${className}"/>`;
}

function row(run: Figures, index: number, scale: number): string[] {
  const y = HEAD_HEIGHT + index * ROW_HEIGHT;
  const servers = run.serverMemory * scale;
  const base = y + 13;
  const kilobytes = (run.serverMemory + run.kernelMemory) / 1000;
  return [
    text(0, base, `${run.open.toLocaleString("en-US")}, ${run.runtime}, ${run.broker}`),
    rectangle(LABELS_WIDTH, y, servers, "servers"),
    rectangle(LABELS_WIDTH + servers, y, run.kernelMemory * scale, "kernel"),
    text(LABELS_WIDTH + BARS_WIDTH - 46, base, `${kilobytes.toFixed(1)} KB`),
    text(LABELS_WIDTH + BARS_WIDTH + 20, base, slowest(run)),
  ];
}

/** Draws runs, one in each row. Readable on light and dark backgrounds. */
export function chart(runs: readonly Figures[]): string {
  const most = Math.max(
    ...runs.map(({ serverMemory, kernelMemory }) => serverMemory + kernelMemory),
  );
  const scale = (BARS_WIDTH - 52) / most;
  const width = LABELS_WIDTH + BARS_WIDTH + TIMES_WIDTH;
  const height = HEAD_HEIGHT + runs.length * ROW_HEIGHT;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" ` +
    `viewBox="0 0 ${width} ${height}">`,
    `<style>\n${STYLE}\n</style>`,
    text(0, 18, "Connections on one machine", "title"),
    rectangle(LABELS_WIDTH, 34, BAR_HEIGHT, "servers"),
    text(LABELS_WIDTH + 22, 47, "servers"),
    rectangle(LABELS_WIDTH + 84, 34, BAR_HEIGHT, "kernel"),
    text(LABELS_WIDTH + 106, 47, "kernel, both ends"),
    text(LABELS_WIDTH + BARS_WIDTH + 20, 47, "a message to all"),
    ...runs.flatMap((run, index) => row(run, index, scale)),
    "</svg>",
    "",
  ].join("\n");
}

if (import.meta.main) {
  const runs = process.argv.slice(2).map((path) => JSON.parse(readFileSync(path, "utf8")));
  process.stdout.write(chart(runs));
}
