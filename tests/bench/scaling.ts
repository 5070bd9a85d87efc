/**
 * The scaling benchmark: the cost of a message against its size and the numbers of connections, queued
 * messages, subscribers, topics, fragments and header fields. A cost that grows faster than its work is a defect. It is marked with `!`.
 * `deno task bench:scaling [--only PART_OF_A_TITLE] [--runtime bun|deno|node] [--repetitions N] [--seconds S]`
 *
 * @module
 */

import { growingTooFast, SERIES, type Series, TOLERANCE } from "./growth.ts";
import { BUILD_FOLDER, buildLoadGenerator, runLoad } from "./load.ts";
import { runTask } from "../support/usage.ts";
import { type Options, parseOptions } from "./options.ts";
import { environmentText, figure, markdownTable } from "./report.ts";
import { type Line, type Panel, scalingChart } from "./scaling_chart.ts";
import { processor, root, system, versions } from "./runtimes.ts";
import { startServer } from "./server_process.ts";
import {
  floor,
  type RuntimeName,
  RUNTIMES,
  runtimeTitle,
  type Subject,
  waterspout,
} from "./subjects.ts";

/** A line of the chart, and the values at which its cost grows too fast. */
interface Column extends Line {
  readonly tooFast: readonly number[];
}

/** The lowest cost of the repetitions, because disturbances only add cost. */
async function cost(
  series: Series,
  value: number,
  subject: Subject,
  options: Options,
): Promise<number> {
  let least = NaN;
  for (let repetition = 0; repetition < options.repetitions; repetition++) {
    try {
      const load = series.load(value);
      const flags = series.flags?.(value) ?? [];
      const rawMode = load.mode === "fanout" ? "fan" : "echo";
      await using server = await startServer(subject, rawMode, { flags });
      const { format } = subject;
      const { seconds } = options;
      const { cpu } = await runLoad({
        ...load,
        format,
        binary: false,
        tls: false,
        seconds,
        warmUp: 0.5,
      }, server);
      if (!(cpu >= least)) least = cpu;
    } catch (error) {
      console.error(`${series.title} ${value}, ${subject.id} FAILED: ${error}`);
      Deno.exitCode = 1;
    }
  }
  console.error(`${series.title} ${value}, ${subject.id}: ${least.toFixed(3)} µs`);
  return least;
}

async function costs(series: Series, subject: Subject, options: Options): Promise<number[]> {
  const measured: number[] = [];
  for (const value of series.values) measured.push(await cost(series, value, subject, options));
  return measured;
}

/** The columns of one runtime: its floor, and our server in both formats. */
async function measureColumns(
  series: Series,
  runtime: RuntimeName,
  options: Options,
): Promise<Column[]> {
  const bare = await costs(series, floor(runtime), options);
  const columns: Column[] = [{ runtime, format: "raw", costs: bare, tooFast: [] }];
  for (const format of series.formats ?? ["hybi", "draft76"] as const) {
    const ours = await costs(series, waterspout(runtime, format), options);
    columns.push({ runtime, format, costs: ours, tooFast: growingTooFast(series, ours, bare) });
  }
  return columns;
}

function seriesTable(series: Series, columns: readonly Column[]): string {
  const rows = series.values.map((value, index) => [
    value.toLocaleString("en-US"),
    ...columns.map(({ costs, tooFast }) =>
      figure(costs[index] ?? NaN) + (tooFast.includes(value) ? " !" : "")
    ),
  ]);
  const titles = columns.map(({ runtime, format }) => `${runtimeTitle(runtime)}, ${format}`);
  return markdownTable([series.title, ...titles], rows);
}

function reportText(options: Options, environment: string, tables: readonly string[]): string {
  const runs = options.repetitions === 1 ? "one run" : `the least of ${options.repetitions} runs`;
  return [
    "# Scaling",
    environment,
    "![Cost against each number](scaling.svg)",
    `CPU time of the server for a message, in microseconds: ${runs} of ${options.seconds} s. Raw is\n` +
    "the TCP echo of the runtime, without any protocol. `!` marks what costs more than\n" +
    `${TOLERANCE} times as much for its work as at a smaller value, while raw does not.`,
    ...tables,
  ].join("\n\n") + "\n";
}

async function environment(options: Options): Promise<string> {
  return environmentText({
    date: new Date().toISOString(),
    command: ["deno task bench:scaling", ...Deno.args].join(" "),
    cpu: await processor(),
    system: system(),
    repetitions: options.repetitions,
    seconds: options.seconds,
    versions: await versions(),
  });
}

async function main(): Promise<void> {
  const options = parseOptions(["--repetitions", "2", "--seconds", "1", ...Deno.args]);
  const runtimes = options.runtime ? [options.runtime] : RUNTIMES;
  await buildLoadGenerator();
  const tables: string[] = [];
  const panels: Panel[] = [];
  for (const series of SERIES.filter(({ title }) => title.includes(options.only))) {
    const columns: Column[] = [];
    for (const runtime of runtimes) columns.push(...await measureColumns(series, runtime, options));
    tables.push(seriesTable(series, columns));
    panels.push({ series, lines: columns });
    if (columns.some(({ tooFast }) => tooFast.length > 0)) Deno.exitCode = 1;
  }
  const report = reportText(options, await environment(options), tables);
  const isComplete = options.runtime === undefined && options.only === "";
  const folder = isComplete ? `${root}/tests/bench/results` : BUILD_FOLDER;
  await Deno.writeTextFile(`${folder}/scaling.md`, report);
  await Deno.writeTextFile(`${folder}/scaling.svg`, scalingChart(panels));
  console.log(report);
}

if (import.meta.main) {
  await runTask(async () => {
    await main();
    return Deno.exitCode;
  });
}
