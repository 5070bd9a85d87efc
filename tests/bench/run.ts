/**
 * The benchmark of whole servers: ours on Deno, Bun and Node, the servers that a user would choose
 * instead, and the raw TCP echo of each runtime. `deno task bench --help` lists the options.
 *
 * @module
 */

import { chart } from "./chart.ts";
import type { Sample } from "./judge.ts";
import { BUILD_FOLDER, buildLoadGenerator, runLoad } from "./load.ts";
import { runTask } from "../support/usage.ts";
import { type Options, parseOptions, USAGE } from "./options.ts";
import { limitsReport, limitSubjects } from "./limits.ts";
import { fullReport, readmeSection, replaceSection } from "./report.ts";
import type { Environment, Results, Run } from "./results.ts";
import { processor, root, system, versions } from "./runtimes.ts";
import { type RawMode, startServer } from "./server_process.ts";
import { measureClient, measureStreams } from "./talk.ts";
import { type Contest, type Subject, subjectsOf } from "./subjects.ts";
import { quickWorkloads, type Workload, WORKLOADS } from "./workloads.ts";

/** Only a complete benchmark replaces the published figures. Git ignores all other results. */
function resultsFolder({ quick, only, runtime }: Options): string {
  const isComplete = !quick && only === "" && runtime === undefined;
  return isComplete ? `${root}/tests/bench/results` : BUILD_FOLDER;
}

/** A load on a server. */
interface Job {
  readonly workload: Workload;
  readonly subject: Subject;
}

function isWanted(options: Options): (contest: Contest) => boolean {
  return ({ ours }) => options.runtime === undefined || ours.runtime === options.runtime;
}

/** The jobs of one repetition. Servers that are compared are next to each other. */
function jobsFor(options: Options): Job[] {
  const workloads = options.quick ? quickWorkloads() : WORKLOADS;
  return workloads.flatMap((workload) => {
    const contests = workload.contests.filter(isWanted(options));
    const subjects = options.limits ? limitSubjects(workload, contests) : subjectsOf(contests);
    return subjects.map((subject) => ({ workload, subject }));
  }).filter(({ workload, subject }) => `${workload.id}/${subject.id}`.includes(options.only));
}

const RAW_MODES: Readonly<Record<Workload["mode"], RawMode>> = {
  echo: "echo",
  reply: "echo",
  fanout: "fan",
  handshake: "echo",
  idle: "idle",
  client: "echo",
  streams: "echo",
};

async function measure({ workload, subject }: Job, options: Options): Promise<Sample> {
  const { mode, connections, inFlight, size, binary, tls, deflate } = workload;
  const warmUp = options.quick ? 0.3 : 1;
  if (mode === "client") return measureClient(subject, workload, { ...options, warmUp });
  if (mode === "streams") return measureStreams(subject, workload, { ...options, warmUp });
  const flags = deflate === "none" ? [] : [`--${deflate}`];
  await using server = await startServer(subject, RAW_MODES[mode], { tls, flags });
  const idle = mode === "idle";
  const load = {
    mode,
    format: subject.format,
    connections,
    inFlight,
    size,
    binary,
    tls,
    deflate,
    // Idle connections are held long enough for a garbage collection.
    seconds: idle ? (options.quick ? 0.5 : 3) : options.seconds,
    warmUp,
  };
  return await runLoad(load, server);
}

function describe(sample: Sample): string {
  if (Number.isFinite(sample.bytesPerConnection)) {
    return `${Math.round(sample.bytesPerConnection)} B per connection`;
  }
  return `${Math.round(sample.throughput)}/s, ${sample.cpu.toFixed(3)} µs CPU`;
}

/** Runs every job once. Every second repetition runs backwards, so that a drift favours no server. */
async function repetition(number: number, jobs: readonly Job[], options: Options): Promise<Run[]> {
  const runs: Run[] = [];
  const order = number % 2 === 0 ? jobs : jobs.toReversed();
  for (const [index, job] of order.entries()) {
    const names = { workload: job.workload.id, subject: job.subject.id, repetition: number };
    const progress = `${number + 1}/${options.repetitions} ${index + 1}/${jobs.length}`;
    try {
      const sample = await measure(job, options);
      runs.push({ ...names, sample, failure: undefined });
      console.error(`${progress} ${names.workload}/${names.subject}: ${describe(sample)}`);
    } catch (error) {
      const failure = error instanceof Error ? error.message : String(error);
      runs.push({ ...names, sample: undefined, failure });
      console.error(`${progress} ${names.workload}/${names.subject} FAILED: ${failure}`);
    }
  }
  return runs;
}

async function environmentOf(options: Options): Promise<Environment> {
  return {
    date: new Date().toISOString(),
    command: ["deno task bench", ...Deno.args].join(" "),
    cpu: await processor(),
    system: system(),
    repetitions: options.repetitions,
    seconds: options.seconds,
    versions: await versions(),
  };
}

/** Replaces the section of the README. Without a new section, only checks that the markers exist. */
async function writeReadme(section?: string): Promise<void> {
  const path = `${root}/README.md`;
  const replaced = replaceSection(await Deno.readTextFile(path), section ?? "");
  if (section === undefined) return;
  await Deno.writeTextFile(path, replaced);
  await new Deno.Command(Deno.execPath(), { args: ["fmt", "--quiet", path] }).output();
}

/** Writes the report, the chart, and the raw figures (ignored by git). Returns the report. */
async function writeResults(results: Results, options: Options): Promise<string> {
  const folder = resultsFolder(options);
  if (options.limits) {
    const report = limitsReport(results, WORKLOADS);
    await Deno.writeTextFile(`${folder}/limits.md`, report);
    return report;
  }
  const report = fullReport(results, WORKLOADS);
  await Deno.writeTextFile(`${BUILD_FOLDER}/latest.json`, JSON.stringify(results, null, 1) + "\n");
  await Deno.writeTextFile(`${folder}/latest.md`, report);
  await Deno.writeTextFile(`${folder}/chart.svg`, chart(results, WORKLOADS));
  return report;
}

async function main(): Promise<void> {
  if (Deno.args.includes("--help")) {
    console.log(USAGE);
    return;
  }
  const options = parseOptions(Deno.args);
  if (options.readme) await writeReadme();
  await buildLoadGenerator();
  const environment = await environmentOf(options);
  const jobs = jobsFor(options);
  const runs: Run[] = [];
  let report = "";
  for (let number = 0; number < options.repetitions; number++) {
    runs.push(...await repetition(number, jobs, options));
    const soFar = { environment: { ...environment, repetitions: number + 1 }, runs };
    report = await writeResults(soFar, options);
  }
  console.log(report);
  if (options.readme) await writeReadme(readmeSection({ environment, runs }, WORKLOADS));
  if (runs.some((run) => run.failure !== undefined)) Deno.exitCode = 1;
}

if (import.meta.main) {
  await runTask(async () => {
    await main();
    return Deno.exitCode;
  });
}
