/**
 * A new user's project: an empty folder, and the steps of the README.
 *
 * @module
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import process from "node:process";
import { buildNpm } from "../support/build_npm.ts";
import { root, type Runtime, runtimePath } from "../support/runtime.ts";
import { Child } from "../support/spawn.ts";

/** What the README's table says for a runtime. */
export interface Steps {
  /** What to do in an empty folder. */
  readonly prepare: string;
  /** How to run `main.ts` there. */
  readonly run: string;
}

const readme = readFileSync(join(root, "README.md"), "utf8");

/** The README's first program, on a port that the system chooses. */
export function firstProgram(): string {
  const [, program = ""] = /`main\.ts`:\n\n```ts ignore\n([^]*?)```/.exec(readme) ?? [];
  if (!program.includes("listen(8888)")) throw new Error("Cannot find main.ts in the README");
  return program.replace("listen(8888)", "listen(0)");
}

const { name, exports } = JSON.parse(readFileSync(join(root, "deno.json"), "utf8")) as {
  name: string;
  exports: Record<string, string>;
};

/** A program that imports every entry point, and uses the types of one. */
export const everyEntryPoint: string = [
  ...Object.keys(exports).map((entry, index) =>
    `import * as entry${index} from "${name}${entry.slice(1)}";`
  ),
  `import type { Settings } from "${name}";`,
  `const settings: Partial<Settings> = { maxMessageSize: 1 };`,
  `export { settings, ${Object.keys(exports).map((_, index) => `entry${index}`).join(", ")} };`,
].join("\n");

/** The README's line for a runtime. */
export function stepsFor(runtime: Runtime): Steps {
  const row = new RegExp(`^\\| ${runtime} .*?\\| \`(.*?)\` +\\| \`(.*?)\` +\\|$`, "im").exec(
    readme,
  );
  const [, prepare, run] = row ?? [];
  if (prepare === undefined || run === undefined) {
    throw new Error(`Cannot find the README's line for ${runtime}`);
  }
  return { prepare, run };
}

/** A folder that is removed at the end. */
export class Project {
  /** Its path. */
  readonly folder: string = mkdtempSync(join(tmpdir(), "waterspout-project-"));
  readonly #env: Readonly<Record<string, string>>;

  /** @param env The environment of its commands. */
  constructor(env: Readonly<Record<string, string>> = {}) {
    const path = [
      ...["deno", "bun", "node"].map((name) => dirname(runtimePath(name as Runtime))),
      process.env.PATH ?? "",
    ];
    this.#env = { PATH: path.join(delimiter), NO_COLOR: "1", ...env };
  }

  /** Writes a file. */
  write(name: string, text: string): void {
    mkdirSync(dirname(join(this.folder, name)), { recursive: true });
    writeFileSync(join(this.folder, name), text);
  }

  /** Runs a shell command and waits for its end. @throws {Error} With the output, if it fails. */
  async run(line: string): Promise<string> {
    const child = this.start(line);
    if (await child.exited !== 0) throw new Error(`${line} failed:\n${child.output}`);
    return child.output;
  }

  /** Starts a shell command. */
  start(line: string): Child {
    return new Child(["sh", "-c", line], { cwd: this.folder, env: this.#env });
  }

  /** Removes it. */
  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Builds the npm package in the folder `package` of a project. `deno task check` checks its types. */
export function buildIn(project: Project): void {
  buildNpm(join(project.folder, "package"), false);
}

/** Runs `body` with a project, then removes the project. */
export async function withProject(
  env: Record<string, string>,
  body: (project: Project) => Promise<void>,
): Promise<void> {
  const project = new Project(env);
  try {
    await body(project);
  } finally {
    project.remove();
  }
}
