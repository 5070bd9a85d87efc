/**
 * Checks the code without running its tests: `deno task check`. Runs every step, even if an earlier
 * step failed. The exit code is 1 if any step failed.
 *
 * @module
 */
import { buildNpm } from "./build_npm.ts";
import { environment, install } from "./install.ts";
import { root } from "./runtime.ts";
import { expectNoArgs, runTask } from "./usage.ts";

const { exports } = JSON.parse(Deno.readTextFileSync(`${root}/deno.json`)) as {
  exports: Record<string, string>;
};
const entryPoints = Object.values(exports);

/** Time limit for one step, in milliseconds. A step that takes longer hangs. */
const LIMIT = 600_000;

/** The folder of the npm package. Two steps check it. */
const npmPackage = Deno.makeTempDirSync({ prefix: "waterspout-npm-" });

const steps: readonly { readonly name: string; readonly command: readonly string[] }[] = [
  { name: "format", command: ["deno", "fmt", "--check"] },
  { name: "lint", command: ["deno", "lint"] },
  { name: "types, as Deno sees them", command: ["deno", "check"] },
  // With the DOM's types and without a runtime's types, as in a user's editor.
  {
    name: "types, as a user without Deno sees them",
    command: ["tsc", "--project", "tsconfig.json"],
  },
  { name: "documentation", command: ["deno", "doc", "--lint", ...entryPoints] },
  {
    name: "examples in the documentation",
    command: ["deno", "test", "--doc", "--allow-all", "mod.ts", "src", "README.md"],
  },
  { name: "publishing", command: ["deno", "publish", "--dry-run", "--allow-dirty"] },
  { name: "npm package", command: ["publint", "run", npmPackage, "--strict"] },
  {
    name: "types of the npm package",
    command: ["attw", "--pack", npmPackage, "--profile", "esm-only", "--format", "ascii"],
  },
];

async function run(command: readonly string[]): Promise<string | undefined> {
  const [path = "", ...args] = command;
  const { code, stdout, stderr } = await new Deno.Command(path, {
    args,
    cwd: root,
    env: environment(),
    signal: AbortSignal.timeout(LIMIT),
  }).output();
  if (code === 0) return undefined;
  return [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes)).join("");
}

/** Runs all steps; returns how many failed. */
async function check(): Promise<number> {
  Object.entries(environment()).forEach(([name, value]) => Deno.env.set(name, value));
  buildNpm(npmPackage);
  let failed = 0;
  for (const { name, command } of steps) {
    const problem = await run(command);
    console.log(`${problem === undefined ? "ok    " : "FAILED"}  ${name}: ${command.join(" ")}`);
    if (problem === undefined) continue;
    console.log(problem);
    failed++;
  }
  if (failed > 0) console.log(`${failed} of ${steps.length} checks failed`);
  return failed;
}

await runTask(async () => {
  try {
    expectNoArgs("check", Deno.args);
    await install();
    return await check() > 0 ? 1 : 0;
  } finally {
    Deno.removeSync(npmPackage, { recursive: true });
  }
});
