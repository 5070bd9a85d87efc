/**
 * The scaling benchmark: what a message costs against its size, the number of connections and the
 * number of messages queued. What grows faster than its work is a defect, and marked with `!`.
 * `deno task bench:scaling [--runtime bun|deno|node] [--repetitions N] [--seconds S]`
 *
 * @module
 */

import { growingTooFast, SERIES, type Series, TOLERANCE } from "./growth.ts";
import { buildLoadGenerator, runLoad } from "./load.ts";
import { type Options, parseOptions } from "./options.ts";
import { environmentText, figure, markdownTable } from "./report.ts";
import { processor, root, system, versions } from "./runtimes.ts";
import { startServer } from "./server_process.ts";
import { floor, type RuntimeName, runtimeTitle, type Subject, waterspout } from "./subjects.ts";

/** The costs of one server along a series, in microseconds of CPU time for a message. */
interface Column {
  readonly title: string;
  readonly costs: readonly number[];
  readonly tooFast: readonly number[];
}

function subjectsFor(options: Options): Subject[] {
  const runtimes: RuntimeName[] = options.runtime ? [options.runtime] : ["bun", "deno", "node"];
  return runtimes.flatMap((runtime) => [
    waterspout(runtime, "hybi"),
    waterspout(runtime, "draft76"),
    floor(runtime),
  ]).filter((subject) => subject.id.includes(options.only));
}

/** The least of the repetitions: whatever disturbs a run makes it dearer. */
async function cost(
  series: Series,
  value: number,
  subject: Subject,
  options: Options,
): Promise<number> {
  let least = NaN;
  for (let repetition = 0; repetition < options.repetitions; repetition++) {
    try {
      await using server = await startServer(subject, "echo");
      const { format } = subject;
      const { seconds } = options;
      const load = { ...series.load(value), format, binary: false, seconds, warmUp: 0.5 };
      const { cpu } = await runLoad(load, server);
      if (!(cpu >= least)) least = cpu;
    } catch (error) {
      console.error(`${series.title} ${value}, ${subject.id} FAILED: ${error}`);
      Deno.exitCode = 1;
    }
  }
  console.error(`${series.title} ${value}, ${subject.id}: ${least.toFixed(3)} µs`);
  return least;
}

async function measureColumn(series: Series, subject: Subject, options: Options): Promise<Column> {
  const costs: number[] = [];
  for (const value of series.values) costs.push(await cost(series, value, subject, options));
  const format = subject.format === "hybi" ? "" : `, ${subject.format}`;
  return {
    title: `${runtimeTitle(subject.runtime)}${format}`,
    costs,
    tooFast: subject.format === "raw" ? [] : growingTooFast(series, costs),
  };
}

function seriesTable(series: Series, columns: readonly Column[]): string {
  const rows = series.values.map((value, index) => [
    value.toLocaleString("en-US"),
    ...columns.map(({ costs, tooFast }) =>
      figure(costs[index] ?? NaN) + (tooFast.includes(value) ? " !" : "")
    ),
  ]);
  return markdownTable([series.title, ...columns.map(({ title }) => title)], rows);
}

async function main(): Promise<void> {
  const options = parseOptions(["--repetitions", "2", "--seconds", "1", ...Deno.args]);
  await buildLoadGenerator();
  const tables: string[] = [];
  for (const series of SERIES) {
    const columns: Column[] = [];
    for (const subject of subjectsFor(options)) {
      columns.push(await measureColumn(series, subject, options));
    }
    tables.push(seriesTable(series, columns));
    if (columns.some(({ tooFast }) => tooFast.length > 0)) Deno.exitCode = 1;
  }
  const report = [
    "# Scaling",
    environmentText({
      date: new Date().toISOString(),
      command: ["deno task bench:scaling", ...Deno.args].join(" "),
      cpu: await processor(),
      system: system(),
      repetitions: options.repetitions,
      seconds: options.seconds,
      versions: await versions(),
    }),
    "CPU time of the server for a message, in microseconds, the least of the repetitions. `!` marks " +
    `what costs more than ${TOLERANCE} times as much for its work as at a smaller value; raw is\n` +
    "the TCP echo without any protocol.",
    ...tables,
  ].join("\n\n") + "\n";
  const isComplete = options.runtime === undefined && options.only === "";
  const folder = `${root}/tests/bench/results${isComplete ? "" : "/tmp"}`;
  await Deno.writeTextFile(`${folder}/scaling.md`, report);
  console.log(report);
}

if (import.meta.main) await main();
