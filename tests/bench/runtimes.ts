/**
 * Finds the runtimes, and describes this machine.
 *
 * @module
 */

import type { RuntimeName } from "./subjects.ts";

const ROOT = new URL("../../", import.meta.url);

/** The path of the repository, without a slash at the end. */
export const root: string = decodeURIComponent(ROOT.pathname).replace(/\/$/, "");

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/** Finds a runtime: the running Deno; Bun and Node in node_modules or in PATH. */
export function runtimePath(runtime: RuntimeName): string {
  if (runtime === "deno") return Deno.execPath();
  const installed = `${root}/node_modules/.bin/${runtime}`;
  return exists(installed) ? installed : runtime;
}

/** The command line that runs a TypeScript or JavaScript file on a runtime. */
export function runtimeCommand(runtime: RuntimeName, file: string): string[] {
  const path = runtimePath(runtime);
  return runtime === "deno" ? [path, "run", "--allow-all", "--quiet", file] : [path, file];
}

async function outputOf(command: string, ...args: string[]): Promise<string> {
  const { stdout } = await new Deno.Command(command, { args, stderr: "null" }).output();
  return new TextDecoder().decode(stdout).trim();
}

async function packageVersion(name: string): Promise<string> {
  const manifest = await Deno.readTextFile(`${root}/node_modules/${name}/package.json`);
  return `${name} ${JSON.parse(manifest).version}`;
}

/** The versions of all measured programs, such as `Bun 1.4.5`. */
export async function versions(): Promise<string[]> {
  const node = await outputOf(runtimePath("node"), "--version");
  return [
    `Bun ${await outputOf(runtimePath("bun"), "--version")}`,
    `Deno ${Deno.version.deno}`,
    `Node ${node.replace("v", "")}`,
    await packageVersion("ws"),
    await packageVersion("faye-websocket"),
    await packageVersion("websocket-driver"),
  ];
}

/** The name of the processor and the number of cores. */
export async function processor(): Promise<string> {
  const info = await Deno.readTextFile("/proc/cpuinfo");
  const model = info.match(/^model name\s*:\s*(.*)$/m)?.[1] ?? Deno.build.arch;
  return `${model.replace(/\((R|TM)\)/g, "")}, ${navigator.hardwareConcurrency} cores`;
}

/** The operating system with its version. */
export function system(): string {
  return `${Deno.build.os === "linux" ? "Linux" : Deno.build.os} ${Deno.osRelease()}`;
}
