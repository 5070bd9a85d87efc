/**
 * Writes the API documentation as HTML: `deno task docs [FOLDER]`, default: `docs/`.
 *
 * @module
 */
import { root } from "./runtime.ts";
import { parseTaskArgs, runTask } from "./usage.ts";

await runTask(async () => {
  const [folder = `${root}/docs`] = parseTaskArgs(Deno.args, {}).positionals;
  const { name, exports } = JSON.parse(Deno.readTextFileSync(`${root}/deno.json`)) as {
    name: string;
    exports: Record<string, string>;
  };
  const { code } = await new Deno.Command(Deno.execPath(), {
    args: ["doc", "--html", `--name=${name}`, `--output=${folder}`, ...Object.values(exports)],
    cwd: root,
    stdout: "inherit",
    stderr: "inherit",
  }).output();
  return code;
});
