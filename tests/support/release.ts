/**
 * Checks whether a release is ready: `deno task release`, or `deno task release --tagged` after the
 * tag is made. Publishes nothing. Runs every step, even if an earlier step failed. The exit code is 1
 * if any step failed.
 *
 * @module
 */
import { environment, install } from "./install.ts";
import { root } from "./runtime.ts";
import { parseTaskArgs, runTask } from "./usage.ts";

const { version } = JSON.parse(Deno.readTextFileSync(`${root}/deno.json`)) as { version: string };

/** Why the release is not ready; nothing if it is. */
type Step = () => Promise<string | undefined> | string | undefined;

/** Runs a command. Returns its output if it failed. */
function command(...[path = "", ...args]: string[]): Step {
  return async () => {
    const { code, stdout, stderr } = await new Deno.Command(path, {
      args,
      cwd: root,
      env: environment(),
    }).output();
    if (code === 0) return undefined;
    return [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes)).join("");
  };
}

function checkVersion(): string | undefined {
  if (/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version)) return undefined;
  return `${version} in deno.json is no version`;
}

function checkChangelog(): string | undefined {
  const changes = Deno.readTextFileSync(`${root}/CHANGELOG.md`);
  const [, newest, text = ""] = /^## (\S+)\n([^]*?)(?=^## |(?![^]))/m.exec(changes) ?? [];
  if (newest !== version) return `CHANGELOG.md begins with ${newest}, deno.json has ${version}`;
  return text.trim() === "" ? `CHANGELOG.md says nothing of ${version}` : undefined;
}

/** Checks that the tag does not exist yet, or that it points to this commit. */
async function checkTag(tagged: boolean): Promise<string | undefined> {
  if (tagged) return await command("git", "diff", "--exit-code", "--stat", `v${version}`, "HEAD")();
  const missing = await command("git", "rev-parse", "--verify", "--quiet", `v${version}`)();
  return missing === undefined ? `the tag v${version} is there already` : undefined;
}

const steps = (tagged: boolean): Readonly<Record<string, Step>> => ({
  "version": checkVersion,
  "changelog": checkChangelog,
  "tag": () => checkTag(tagged),
  "everything committed": command("git", "diff", "--exit-code", "--stat", "HEAD"),
  "format, lint, types, documentation and its examples": command("deno", "task", "check"),
  "publishing, tried out": command("deno", "publish", "--dry-run"),
  "the README, followed on each runtime": command("deno", "task", "test", "tests/jsr"),
});

await runTask(async () => {
  const { values } = parseTaskArgs(Deno.args, { tagged: { type: "boolean" } });
  await install();
  const failed: string[] = [];
  for (const [name, step] of Object.entries(steps(values.tagged ?? false))) {
    const problem = await step();
    console.log(`${problem === undefined ? "ok    " : "FAILED"}  ${name}`);
    if (problem === undefined) continue;
    console.log(problem);
    failed.push(name);
  }
  console.log(
    failed.length === 0
      ? `${version} is ready: the tag v${version} publishes it`
      : `${version} is not ready: ${failed.join("; ")}`,
  );
  return failed.length === 0 ? 0 : 1;
});
