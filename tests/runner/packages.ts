/**
 * Installs Debian packages if this is possible without asking the user.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import process from "node:process";
import { unpackBackports } from "./backports.ts";
import { type Need, type NeedName, NEEDS } from "./needs.ts";

/** While this script exists and exits with 101, no package starts its daemon. */
const POLICY = "/usr/sbin/policy-rc.d";

/** Short timeouts, so that a missing network does not cost minutes. */
const APT_OPTIONS = ["-q", "-o", "Acquire::Retries=1", "-o", "Acquire::http::Timeout=20"];

/**
 * Installs what is missing, if possible, and prints one line about it.
 *
 * @returns For each need that is still missing, its name and the reason.
 */
export function provide(
  names: readonly NeedName[],
  { install }: { readonly install: boolean },
): Map<NeedName, string> {
  const before = missing(names);
  const wanted = [...before.keys()].filter((name) => NEEDS[name].packages.length > 0);
  if (!install || wanted.length === 0 || !canInstall()) return before;
  const packages = wanted.flatMap((name) => NEEDS[name].packages);
  console.log(`Installing with apt-get: ${wanted.map(describe).join(", ")}`);
  withoutDaemons(() => installPackages(packages));
  const after = missing(names);
  const backports = [...after.keys()].flatMap((name) => (NEEDS[name] as Need).backports ?? []);
  if (backports.length === 0) return after;
  report(`Unpacking ${backports.join(" ")}`, unpackBackports(backports));
  return missing(names);
}

/** The missing needs by name, each with the reason. */
function missing(names: readonly NeedName[]): Map<NeedName, string> {
  const found = names.map((name) => [name, NEEDS[name].missing()] as const);
  return new Map(found.flatMap(([name, why]) => why === undefined ? [] : [[name, why]]));
}

function describe(name: NeedName): string {
  const { packages, why }: Need = NEEDS[name];
  return `${packages.join(" ")} (${why})`;
}

function canInstall(): boolean {
  if (process.platform !== "linux" || !existsSync("/usr/bin/apt-get")) return false;
  return isRoot() || spawnSync("sudo", ["-n", "true"]).status === 0;
}

function isRoot(): boolean {
  return process.getuid?.() === 0;
}

/** Runs a command as root. Returns its output if it failed. */
function asRoot(command: readonly string[], input = ""): string | undefined {
  const [path = "", ...args] = isRoot() ? command : ["sudo", "-n", ...command];
  const { status, stdout, stderr, error } = spawnSync(path, args, { encoding: "utf8", input });
  return status === 0 ? undefined : `${error ?? ""}${stdout ?? ""}${stderr ?? ""}`.trim();
}

/** Runs `body` while packages are kept from starting their daemons. */
function withoutDaemons(body: () => void): void {
  if (existsSync(POLICY)) return body();
  asRoot(["tee", POLICY], "#!/bin/sh\nexit 101\n");
  asRoot(["chmod", "+x", POLICY]);
  try {
    body();
  } finally {
    asRoot(["rm", "-f", POLICY]);
  }
}

function installPackages(packages: readonly string[]): void {
  report("apt-get update", aptGet("update"));
  const known = packages.filter((name) => spawnSync("apt-cache", ["show", name]).status === 0);
  if (known.length === 0 || aptGet("install", known) === undefined) return;
  // One by one: if a package cannot be installed, the others still are.
  for (const name of known) report(`apt-get install ${name}`, aptGet("install", [name]));
}

function aptGet(
  action: "update" | "install",
  packages: readonly string[] = [],
): string | undefined {
  const options = action === "install" ? ["-y", "--no-install-recommends"] : [];
  const command = ["apt-get", action, ...APT_OPTIONS, ...options, ...packages];
  return asRoot(["env", "DEBIAN_FRONTEND=noninteractive", ...command]);
}

function report(what: string, problem: string | undefined): void {
  if (problem === undefined) return;
  const line = problem.split("\n").findLast((text) => /^(E|Err)[: ]/.test(text)) ?? problem;
  console.log(`${what} failed: ${line.slice(0, 200)}`);
}
