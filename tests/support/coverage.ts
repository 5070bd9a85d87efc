/**
 * Measures that the tests of the sans-I/O folders reach every line of them: `deno task coverage`.
 * Each folder counts by its own tests only; what a test of a connection happens to run does not.
 * `coverage.thresholds` in `deno.json` says what is enough.
 *
 * @module
 */
import { FILES_VARIABLE } from "../runner/batch_events.ts";
import { findFiles } from "../runner/plan.ts";
import { environment, install } from "./install.ts";
import { root } from "./runtime.ts";
import { expectNoArgs, runTask } from "./usage.ts";

/** The folders of src/ whose every line is tested, by the tests in the same folder of tests/. */
const FOLDERS = ["digest", "handshake", "protocol"] as const;

/** What has no lines to count: generated code. */
const GENERATED = "_wasm\\.ts$";

interface Ended {
  readonly good: boolean;
  readonly output: string;
}

/** Runs this Deno with a cache of its own: `deno coverage` reads what it has compiled from there. */
async function deno(env: Readonly<Record<string, string>>, ...args: string[]): Promise<Ended> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args,
    cwd: root,
    env: { ...environment(), NO_COLOR: "1", ...env },
  }).output();
  const output = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes)).join("");
  return { good: code === 0, output };
}

/** The modules of a folder of src/, relative to the repository. */
function modulesOf(folder: string): string[] {
  return [...Deno.readDirSync(`${root}/${folder}`)]
    .filter(({ name, isFile }) => isFile && name.endsWith(".ts"))
    .map(({ name }) => `${folder}/${name}`).sort();
}

/** Runs a folder's tests, and prints which of its lines they reach; returns whether all. */
async function measure(folder: string): Promise<boolean> {
  const temporary = Deno.makeTempDirSync({ prefix: "waterspout-coverage-" });
  const [cache, profile] = [`${temporary}/cache`, `${temporary}/profile`];
  try {
    // The modules too: of one that no test loads, nothing is reached, rather than nothing known.
    const files = [
      ...findFiles({ paths: [`tests/${folder}`], tier: undefined }),
      ...modulesOf(`src/${folder}`),
    ];
    const tests = await deno(
      { DENO_DIR: cache, [FILES_VARIABLE]: JSON.stringify(files) },
      ...[
        "test",
        "--allow-all",
        "--no-check",
        `--coverage=${profile}`,
        "--coverage-raw-data-only",
        "tests/runner/batch.ts",
      ],
    );
    if (!tests.good) {
      throw new Error(`The tests of ${folder} failed:\n${tests.output.slice(-4096)}`);
    }
    const options = [`--include=/src/${folder}/`, `--exclude=${GENERATED}`];
    const table = await deno({ DENO_DIR: cache }, "coverage", ...options, profile);
    console.log(`src/${folder}:\n${table.output}`);
    if (table.good) return true;
    const lines = await deno({ DENO_DIR: cache }, "coverage", "--detailed", ...options, profile);
    console.log(lines.output);
    return false;
  } finally {
    Deno.removeSync(temporary, { recursive: true });
  }
}

await runTask(async () => {
  expectNoArgs("coverage", Deno.args);
  await install();
  let isComplete = true;
  for (const folder of FOLDERS) isComplete = await measure(folder) && isComplete;
  return isComplete ? 0 : 1;
});
