/**
 * Runs the test suites on Deno, Bun and Node:
 *
 * ```sh
 * deno task test                                   # everything, on all three
 * deno task test --runtime bun tests/protocol      # some files or folders, on one
 * deno task test --verbose --timeout 60            # with all output, a minute for each runtime
 * ```
 *
 * A runtime's output is shown if something failed in it. The last line is `N passed, N failed`,
 * over all runtimes; the exit code is 1 if a test failed, did not end, or if a file ran none.
 *
 * @module
 */
import { type ChildProcess, spawn } from "node:child_process";
import { dirname, join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { environment, install } from "./install.ts";
import { parseJUnit, type TestResult } from "./junit.ts";
import { root, type Runtime, runtimePath, runtimes } from "./runtime.ts";

/** How long a hanging test may hold its suite up, in milliseconds, where the runtime can tell. */
const TEST_TIMEOUT = 120_000;

/** Node runs TypeScript directly from this version on. */
const OLDEST_NODE = [22, 18] as const;

/** What ends the runner, and with it all that it has started. */
const SIGNALS = ["SIGINT", "SIGTERM"] as const;

interface Options {
  readonly runtimes: readonly Runtime[];
  readonly files: readonly string[];
  readonly verbose: boolean;
  readonly timeout: number;
}

interface Run {
  readonly runtime: Runtime;
  readonly passed: number;
  readonly failures: readonly string[];
}

async function main(): Promise<number> {
  const options = parseOptions(Deno.args);
  await install();
  Object.entries(environment()).forEach(([name, value]) => Deno.env.set(name, value));
  const runs: Run[] = [];
  for (const runtime of options.runtimes) runs.push(await runOn(runtime, options));
  return summarize(runs);
}

function parseOptions(args: string[]): Options {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      runtime: { type: "string", multiple: true, default: [] },
      verbose: { type: "boolean", default: false },
      timeout: { type: "string", default: "480" },
    },
  });
  const wanted = values.runtime.flatMap((names) => names.split(","));
  const unknown = wanted.find((name) => !runtimes.some((runtime) => runtime === name));
  if (unknown !== undefined) {
    throw new Error(`Cannot run on ${unknown}: not ${runtimes.join(", ")}`);
  }
  return {
    runtimes: runtimes.filter((runtime) => wanted.length === 0 || wanted.includes(runtime)),
    files: (positionals.length > 0 ? positionals : ["tests"]).flatMap(findTests).sort(),
    verbose: values.verbose,
    timeout: Number(values.timeout) * 1000,
  };
}

/** The test files at or under a path, relative to the repository. */
function findTests(path: string): string[] {
  if (Deno.statSync(`${root}/${path}`).isFile) return [path];
  const found = [...Deno.readDirSync(`${root}/${path}`)].flatMap((entry) => {
    const inner = `${path.replace(/\/$/, "")}/${entry.name}`;
    if (entry.isDirectory) return entry.name === "node_modules" ? [] : findTests(inner);
    return entry.name.endsWith(".test.ts") ? [inner] : [];
  });
  return found;
}

/** Runs the files on one runtime and prints its line. */
async function runOn(runtime: Runtime, options: Options): Promise<Run> {
  const started = performance.now();
  const folder = Deno.makeTempDirSync({ prefix: "waterspout-test-" });
  try {
    const report = `${folder}/junit.xml`;
    const path = runtimePath(runtime);
    checkVersion(runtime, path);
    const ended = await execute([path, ...testArguments(runtime, report, options.files)], options);
    const run = judge(runtime, options.files, readReport(report), ended);
    if (run.failures.length > 0 && !options.verbose) console.log(ended.output);
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    console.log(`${runtime}: ${run.passed} passed, ${run.failures.length} failed (${seconds} s)`);
    return run;
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

function checkVersion(runtime: Runtime, path: string): void {
  if (runtime !== "node") return;
  const { stdout } = new Deno.Command(path, { args: ["--version"] }).outputSync();
  const version = new TextDecoder().decode(stdout).trim();
  const [major = 0, minor = 0] = version.slice(1).split(".").map(Number);
  if (major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1])) {
    throw new Error(
      `Cannot test on Node ${version} (${path}): older than ${OLDEST_NODE.join(".")}`,
    );
  }
}

function testArguments(runtime: Runtime, report: string, files: readonly string[]): string[] {
  switch (runtime) {
    case "deno":
      return ["test", "--allow-all", "--no-check", `--junit-path=${report}`, ...files];
    case "bun":
      return [
        "test",
        `--timeout=${TEST_TIMEOUT}`,
        "--reporter=junit",
        `--reporter-outfile=${report}`,
        // Without the "./", Bun takes a path for a pattern of names.
        ...files.map((file) => `./${file}`),
      ];
    case "node":
      return [
        "--test",
        `--test-timeout=${TEST_TIMEOUT}`,
        "--test-reporter=spec",
        "--test-reporter-destination=stdout",
        "--test-reporter=junit",
        `--test-reporter-destination=${report}`,
        ...files,
      ];
  }
}

interface Ended {
  readonly output: string;
  /** Why the process failed, if it did. */
  readonly problem?: string;
  /** Whether it was ended because its time was up. */
  readonly late: boolean;
}

/** Runs a command to its end, or to its time limit. */
function execute(
  [path = "", ...args]: readonly string[],
  { verbose, timeout }: Options,
): Promise<Ended> {
  return new Promise((resolve) => {
    // A group of its own, so that nothing it has started outlives it.
    const child = spawn(path, args, {
      cwd: root,
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    let late = false;
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        output += text;
        if (verbose) Deno.stdout.writeSync(new TextEncoder().encode(text));
      });
    }
    const limit = setTimeout(() => {
      late = true;
      killGroup(child);
    }, timeout);
    const interrupt = () => {
      killGroup(child);
      Deno.exit(130);
    };
    for (const signal of SIGNALS) Deno.addSignalListener(signal, interrupt);
    child.once("close", (code, signal) => {
      clearTimeout(limit);
      for (const signal of SIGNALS) Deno.removeSignalListener(signal, interrupt);
      if (late) resolve({ output, late, problem: `was not done within ${timeout / 1000} s` });
      else if (code === 0) resolve({ output, late });
      else {resolve({
          output,
          late,
          problem: `ended with ${code === null ? signal : `code ${code}`}`,
        });}
    });
  });
}

function killGroup(child: ChildProcess): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
  } catch {
    // The group is gone already.
  }
}

function readReport(path: string): TestResult[] {
  try {
    return parseJUnit(Deno.readTextFileSync(path));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

/**
 * What a run comes to. A test process that exits in the middle has code 0 in every runtime, so a
 * file that is missing from the report has failed, and so has a test that did not run.
 */
function judge(
  runtime: Runtime,
  files: readonly string[],
  results: readonly TestResult[],
  { problem, late }: Ended,
): Run {
  // Node reports a file that ran no test as a test of the file's name.
  const ran = results.filter(({ name }) => !files.includes(name));
  const tests = ran.filter(({ group }) => !group);
  const failures = tests.filter(({ outcome }) => outcome !== "passed").map(({ name, outcome }) =>
    outcome === "skipped" ? `${name} (did not run)` : name
  );
  for (const file of files) {
    const places = [file, ...importsOf(file)];
    if (!ran.some((test) => places.some((place) => test.file.endsWith(place)))) {
      failures.push(`${file} (ran no test)`);
    }
  }
  if (problem !== undefined && (late || failures.length === 0)) failures.push(`the run ${problem}`);
  return {
    runtime,
    passed: tests.filter(({ outcome }) => outcome === "passed").length,
    failures,
  };
}

/** The modules of a test file: its tests may be written there, and are reported as theirs. */
function importsOf(file: string): string[] {
  return [...Deno.readTextFileSync(`${root}/${file}`).matchAll(/^.*\bfrom "(\.[^"]+)";$/gm)]
    .map(([, path = ""]) => join(dirname(file), path));
}

function summarize(runs: readonly Run[]): number {
  const failures = runs.flatMap((run) => run.failures.map((name) => `${run.runtime}: ${name}`));
  const passed = runs.reduce((sum, run) => sum + run.passed, 0);
  if (failures.length > 0) console.log(`\nFailed:\n${failures.map((f) => `  ${f}`).join("\n")}`);
  console.log(`\n${passed} passed, ${failures.length} failed`);
  return failures.length > 0 ? 1 : 0;
}

Deno.exit(await main());
