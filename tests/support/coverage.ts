/**
 * Measures that the tests of the sans-I/O folders reach every line of them: `deno task coverage`.
 * Each folder counts by its own tests only; what a test of a connection happens to run does not.
 *
 * @module
 */
import { environment, install } from "./install.ts";
import { root } from "./runtime.ts";

/** The folders of src/ whose every line is tested, by the tests in the same folder of tests/. */
const FOLDERS = ["digest", "handshake", "protocol"] as const;

/** What has no lines to count: generated code, and the sources of another compiler. */
const EXCLUDED = /_wasm\.ts$|\/assembly\//;

/** Runs this Deno with a cache of its own: `deno coverage` reads what it has compiled from there. */
async function deno(cache: string, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args,
    cwd: root,
    env: { ...environment(), DENO_DIR: cache },
  }).output();
  const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  if (code !== 0) throw new Error(`deno ${args.join(" ")} failed:\n${`${out}${err}`.slice(-4096)}`);
  return out ?? "";
}

/** The files of a folder of src/ that its tests have to reach, relative to the repository. */
function sourceFiles(folder: string): string[] {
  return [...Deno.readDirSync(`${root}/${folder}`)].flatMap(({ name, isDirectory }) => {
    const path = `${folder}/${name}`;
    if (isDirectory) return sourceFiles(path);
    return path.endsWith(".ts") && !EXCLUDED.test(path) && hasCode(path) ? [path] : [];
  }).sort();
}

/** Whether a file has more than types and comments, which no test can reach. */
function hasCode(path: string): boolean {
  const source = Deno.readTextFileSync(`${root}/${path}`);
  return /^(export )?(abstract |async )?(class|function|const|let) /m.test(source);
}

/** For each file of an LCOV report, its lines and those among them that never ran. */
function parseLcov(report: string): Map<string, { lines: number; missed: number[] }> {
  const files = new Map<string, { lines: number; missed: number[] }>();
  for (const record of report.split("end_of_record")) {
    const path = /^SF:(.*)$/m.exec(record)?.[1];
    if (path === undefined) continue;
    const lines = [...record.matchAll(/^DA:(\d+),(\d+)/gm)];
    const missed = lines.filter(([, , count]) => count === "0").map(([, line]) => Number(line));
    files.set(path, { lines: lines.length, missed });
  }
  return files;
}

/** Runs a folder's tests and reports each of its files; returns how many are not fully reached. */
async function measure(folder: string): Promise<number> {
  const temporary = Deno.makeTempDirSync({ prefix: "waterspout-coverage-" });
  const [cache, profile] = [`${temporary}/cache`, `${temporary}/profile`];
  const run = ["test", "--allow-all", "--no-check", `--coverage=${profile}`, `tests/${folder}`];
  try {
    await deno(cache, ...run);
    const files = parseLcov(await deno(cache, "coverage", "--lcov", profile));
    let incomplete = 0;
    for (const path of sourceFiles(`src/${folder}`)) {
      const covered = files.get(`${root}/${path}`);
      if (covered?.missed.length === 0) console.log(`ok      ${path}: ${covered.lines} lines`);
      else {
        incomplete++;
        const lines = covered
          ? `lines ${covered.missed.join(", ")}`
          : "loaded by none of its tests";
        console.log(`FAILED  ${path}: ${lines}`);
      }
    }
    return incomplete;
  } finally {
    Deno.removeSync(temporary, { recursive: true });
  }
}

await install();
let incomplete = 0;
for (const folder of FOLDERS) incomplete += await measure(folder);
if (incomplete > 0) console.log(`${incomplete} files are not reached in every line`);
Deno.exit(incomplete > 0 ? 1 : 0);
