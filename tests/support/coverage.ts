/**
 * Checks that the tests of the sans-I/O folders reach every line: `deno task coverage`. Only the
 * tests of the same folder count; lines that only a test of a connection reaches do not.
 * `coverage.thresholds` in `deno.json` sets the minimum.
 *
 * @module
 */
import { FILES_VARIABLE } from "../runner/batch_events.ts";
import { findFiles } from "../runner/plan.ts";
import { environment, install } from "./install.ts";
import { root } from "./runtime.ts";
import { expectNoArgs, runTask } from "./usage.ts";

/** Folders of src/. The tests in the same folder of tests/ must reach every line. */
const FOLDERS = ["digest", "handshake", "protocol"] as const;

/** Files that are not counted: generated code. */
const GENERATED = "_wasm\\.ts$";

interface Ended {
  readonly good: boolean;
  readonly output: string;
}

/** Runs Deno with its own cache, because `deno coverage` reads compiled code from the cache. */
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

/** Runs a folder's tests and prints the coverage. Returns whether they reach enough lines. */
async function measure(folder: string): Promise<boolean> {
  const temporary = Deno.makeTempDirSync({ prefix: "waterspout-coverage-" });
  const [cache, profile] = [`${temporary}/cache`, `${temporary}/profile`];
  try {
    // Load the modules too: otherwise the report omits a module that no test loads.
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
