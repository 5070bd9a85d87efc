/**
 * Unpacks packages of Debian's backports into a folder of the project. Nothing is installed: neither
 * the packages of this machine nor its sources change.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UNPACKED } from "../support/runtime.ts";

/** Signs the packages of Debian. `apt-get` checks it. */
const KEYS = "/usr/share/keyrings/debian-archive-keyring.gpg";

/**
 * Downloads packages and unpacks them into {@linkcode UNPACKED}.
 *
 * @returns Why that failed, if it did.
 */
export function unpackBackports(packages: readonly string[]): string | undefined {
  const system = readFileSync("/etc/os-release", "utf8");
  const [, release] = /^VERSION_CODENAME=(\w+)$/m.exec(system) ?? [];
  if (!/^ID=debian$/m.test(system) || release === undefined) return "this is not Debian";
  const folder = mkdtempSync(join(tmpdir(), "waterspout-backports-"));
  try {
    const list = join(folder, "sources.list");
    writeFileSync(list, `deb [signed-by=${KEYS}] ${archive()} ${release}-backports main\n`);
    for (const name of ["lists/partial", "cache/archives/partial"]) {
      mkdirSync(join(folder, name), { recursive: true });
    }
    const options = [
      "APT::Sandbox::User=",
      `Dir::Etc::sourcelist=${list}`,
      "Dir::Etc::sourceparts=/dev/null",
      `Dir::State::lists=${folder}/lists`,
      `Dir::Cache=${folder}/cache`,
      "Acquire::Retries=1",
      "Acquire::http::Timeout=20",
    ].flatMap((option) => ["-o", option]);
    run(["apt-get", "-q", ...options, "update"], folder);
    run(["apt-get", "-q", ...options, "download", ...packages], folder);
    mkdirSync(UNPACKED, { recursive: true });
    for (const name of readdirSync(folder).filter((name) => name.endsWith(".deb"))) {
      run(["dpkg-deb", "--extract", name, UNPACKED], folder);
    }
    return undefined;
  } catch (error) {
    return (error as Error).message;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The archive of Debian that this machine uses. */
function archive(): string {
  const args = ["indextargets", "--format", "$(ORIGIN) $(REPO_URI)"];
  const { stdout } = spawnSync("apt-get", args, { encoding: "utf8" });
  const [, found] = /^Debian (\S+\/debian\/?)$/m.exec(stdout ?? "") ?? [];
  return found ?? "http://deb.debian.org/debian/";
}

function run([path = "", ...args]: readonly string[], cwd: string): void {
  const { status, stdout, stderr, error } = spawnSync(path, args, { cwd, encoding: "utf8" });
  if (status !== 0) throw new Error(`${error ?? ""}${stdout ?? ""}${stderr ?? ""}`.trim());
}
