/**
 * Where the programs of Postgres are.
 *
 * @module
 */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { findExecutable } from "../support/runtime.ts";

/** Where Debian has the programs of each version. They are not in the PATH. */
const DEBIAN = "/usr/lib/postgresql";

/**
 * Finds a program of Postgres.
 *
 * @throws {Error} If it is not installed.
 */
export function findPostgres(name: "initdb" | "postgres"): string {
  const versions = existsSync(DEBIAN) ? readdirSync(DEBIAN) : [];
  const paths = versions.sort((a, b) => Number(b) - Number(a))
    .map((version) => join(DEBIAN, version, "bin", name));
  return paths.find((path) => existsSync(path)) ?? findExecutable(name);
}
