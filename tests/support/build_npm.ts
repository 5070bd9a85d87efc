/**
 * Builds the npm package (JavaScript and type declarations) in the form that JSR gives to Bun and
 * Node:
 *
 * ```sh
 * deno task build:npm FOLDER    # then: npm publish FOLDER
 * ```
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { join, resolve } from "node:path";
import process from "node:process";
import { root, runtimePath } from "./runtime.ts";
import { runTask, UsageError } from "./usage.ts";

/** The parts of `deno.json` that the package needs. */
interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  readonly exports: Readonly<Record<string, string>>;
}

/** The program of the package: `npx @waterspout/websocket`. */
const PROGRAM = "src/cli/bin.ts";

/** Files that are copied into the package unchanged. */
const DOCUMENTS = ["README.md", "CHANGELOG.md", "LICENSE"] as const;

/**
 * Builds the package in a folder. Creates the folder if it does not exist.
 *
 * @param checks Whether to check the types. Default: `true`.
 * @throws {Error} If the sources do not compile.
 * @throws {UsageError} If the development dependencies are not installed.
 */
export function buildNpm(folder: string, checks: boolean = true): void {
  mkdirSync(folder, { recursive: true });
  compile(folder, checks);
  rewriteDeclarations(folder);
  for (const name of DOCUMENTS) copyFileSync(join(root, name), join(folder, name));
  writeFileSync(join(folder, "package.json"), `${JSON.stringify(packageJson(), null, 2)}\n`);
}

function compile(folder: string, checks: boolean): void {
  const project = join(folder, "tsconfig.json");
  writeFileSync(
    project,
    JSON.stringify({
      extends: join(root, "tsconfig.json"),
      compilerOptions: {
        noEmit: false,
        noCheck: !checks,
        declaration: true,
        rewriteRelativeImportExtensions: true,
        rootDir: root,
        outDir: ".",
      },
      files: ["mod.ts", PROGRAM, ...entryPoints()].map((entry) => join(root, entry)),
      include: [],
    }),
  );
  const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
  if (!existsSync(tsc)) throw new UsageError(`Cannot find ${tsc}: run deno task install`);
  const { status, stdout, stderr, error } = spawnSync(runtimePath("node"), [
    tsc,
    "--project",
    project,
  ], {
    encoding: "utf8",
  });
  if (status !== 0) {
    throw new Error(`Cannot compile: tsc ended with code ${status}: ${error ?? stdout + stderr}`);
  }
}

function manifest(): Manifest {
  return JSON.parse(readFileSync(join(root, "deno.json"), "utf8"));
}

function entryPoints(): string[] {
  return Object.values(manifest().exports);
}

/** Rewrites imports in declarations, which the compiler does not change. */
function rewriteDeclarations(folder: string): void {
  for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    if (!name.endsWith(".d.ts")) continue;
    const path = join(folder, name);
    const text = readFileSync(path, "utf8");
    writeFileSync(path, text.replace(/(from |import\()"(\.[^"]*)\.ts"/g, '$1"$2.js"'));
  }
}

function packageJson(): object {
  const { name, version, license, exports } = manifest();
  return {
    name,
    version,
    description: "Tornado's WebSocket handler for Deno, Bun and Node, from draft76 to RFC 6455",
    license,
    type: "module",
    sideEffects: false,
    engines: { node: ">=22", bun: ">=1.4" },
    ...repository(),
    exports: Object.fromEntries(
      Object.entries(exports).map(([entry, path]) => [entry, {
        types: path.replace(/\.ts$/, ".d.ts"),
        default: path.replace(/\.ts$/, ".js"),
      }]),
    ),
    bin: { waterspout: `./${PROGRAM.replace(/\.ts$/, ".js")}` },
    files: ["mod.js", "mod.d.ts", "src", "CHANGELOG.md"],
  };
}

/** The repository's URL for npm's provenance. Known only in a publishing workflow. */
function repository(): object {
  const name = process.env.GITHUB_REPOSITORY;
  if (name === undefined) return {};
  return { repository: { type: "git", url: `git+https://github.com/${name}.git` } };
}

if (import.meta.main) {
  await runTask(() => {
    const [folder] = process.argv.slice(2);
    if (folder === undefined) throw new UsageError("Cannot build the package: name a folder");
    buildNpm(resolve(folder));
    return 0;
  });
}
