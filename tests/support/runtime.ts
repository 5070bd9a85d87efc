/**
 * The three runtimes: which one is running, and how to run a TypeScript file under each.
 *
 * @module
 */
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

/** A runtime's name. */
export type Runtime = "deno" | "bun" | "node";

/** All of them. */
export const runtimes: readonly Runtime[] = ["deno", "bun", "node"];

/** The repository's folder, with no separator at the end. */
export const root: string = fileURLToPath(new URL("../..", import.meta.url)).replace(/[\\/]$/, "");

/** Where Debian packages are unpacked that are not installed. */
export const UNPACKED: string = join(root, "node_modules", ".cache", "debian");

/** The runtime that this code runs on. */
export const runtime: Runtime = "Deno" in globalThis
  ? "deno"
  : "Bun" in globalThis
  ? "bun"
  : "node";

/**
 * The command that runs a TypeScript file on a runtime.
 *
 * @param path The file's path in the repository.
 * @param permission The permissions of the file on Deno.
 */
export function scriptCommand(path: string, on: Runtime, permission: string): string[] {
  const script = join(root, path);
  switch (on) {
    case "deno":
      return [runtimePath(on), "run", "--no-check", permission, script];
    case "bun":
      return [runtimePath(on), "run", script];
    case "node":
      return [runtimePath(on), "--disable-warning=ExperimentalWarning", script];
  }
}

/** Finds a runtime's executable: the running one, in node_modules/.bin, or in PATH. */
export function runtimePath(name: Runtime): string {
  return name === runtime ? process.execPath : findExecutable(name);
}

/**
 * Finds an executable in node_modules/.bin, in PATH, in Debian's folders for daemons, or among the
 * packages in {@linkcode UNPACKED}.
 *
 * @param names Its possible names. The first that exists counts.
 * @throws {Error} If it is not found.
 */
export function findExecutable(...names: readonly string[]): string {
  const folders = [
    join(root, "node_modules", ".bin"),
    ...(process.env.PATH ?? "").split(delimiter),
    "/usr/local/sbin",
    "/usr/sbin",
    join(UNPACKED, "usr", "bin"),
  ];
  const suffix = process.platform === "win32" ? ".exe" : "";
  const paths = names.flatMap((name) => folders.map((folder) => join(folder, name + suffix)));
  const path = paths.find(isExecutable);
  if (path === undefined) {
    const all = names.join(" or ");
    throw new Error(`Cannot find ${all}: not in PATH (deno task test tells how to install it)`);
  }
  return path;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
