/**
 * The programs, libraries and rights that some suites need beside npm's packages: the only list of
 * them. A suite names what it needs in `suites.ts`; what is missing is installed by `packages.ts`.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import process from "node:process";
import { findExecutable, root } from "../support/runtime.ts";
import { findPython } from "../tornado/python.ts";

/** What a suite may need. */
export interface Need {
  /** What lacks, for people, or nothing. */
  readonly missing: () => string | undefined;
  /** Debian's packages that bring it; none if it cannot be installed. */
  readonly packages: readonly string[];
  /** Homebrew's, if it has them. */
  readonly brew?: string;
  /** What it is for. */
  readonly why: string;
}

function program(name: string, why: string, more: Partial<Need> = {}): Need {
  const missing = () => {
    try {
      findExecutable(name);
      return undefined;
    } catch {
      return `${name} is not installed`;
    }
  };
  return { missing, packages: [name], why, ...more };
}

/** PhantomJS's executables, from npm. */
const PHANTOMS = [1, 2].map((version) =>
  `${root}/node_modules/phantomjs${version}/bin/linux/x64/phantomjs`
);

function missingOfPhantomJS(): string | undefined {
  if (process.platform !== "linux" || process.arch !== "x64") {
    return `PhantomJS runs only on linux x64, not on ${process.platform} ${process.arch}`;
  }
  const lacking = PHANTOMS.flatMap((path) => {
    if (!existsSync(path)) return [path];
    const { stdout } = spawnSync("ldd", [path], { encoding: "utf8" });
    return [...(stdout ?? "").matchAll(/^\s*(\S+) => not found$/gm)].map(([, library]) => library);
  });
  return lacking.length === 0
    ? undefined
    : `PhantomJS lacks ${[...new Set(lacking)].slice(0, 3).join(", ")}`;
}

/** Makes a network namespace, runs something in it, and removes it: rights alone do not tell. */
function missingOfNamespaces(): string | undefined {
  const name = `waterspout-probe-${process.pid}`;
  const added = spawnSync("ip", ["netns", "add", name], { encoding: "utf8" });
  // Without ip, which is a need of its own, nothing is known.
  if (added.error) return undefined;
  const entered = spawnSync("ip", ["netns", "exec", name, "true"]);
  spawnSync("ip", ["netns", "delete", name]);
  return added.status === 0 && entered.status === 0
    ? undefined
    : "network namespaces take root's rights (in a container: NET_ADMIN and SYS_ADMIN)";
}

/** All needs, by the names that suites use. */
export const NEEDS = {
  "haproxy": program("haproxy", "a proxy", { brew: "haproxy" }),
  "nginx": program("nginx", "a proxy", { brew: "nginx" }),
  "caddy": program("caddy", "a proxy", { brew: "caddy" }),
  "tinyproxy": program("tinyproxy", "an HTTP proxy for clients", { brew: "tinyproxy" }),
  "microsocks": program("microsocks", "a SOCKS5 proxy", { brew: "microsocks" }),
  "chromium": program("chromium", "a browser of today", { brew: "--cask chromium" }),
  "phantomjs": {
    missing: missingOfPhantomJS,
    packages: ["libfontconfig1", "libfreetype6"],
    why: "libraries of PhantomJS, the browser of 2010",
  },
  "curl": program("curl", "an HTTP client", { brew: "curl" }),
  "wrk": program("wrk", "an HTTP load generator", { brew: "wrk" }),
  "tornado": {
    missing: () => findPython() === undefined ? "no Python has Tornado" : undefined,
    packages: ["python3-tornado"],
    why: "the peer of its own tests",
  },
  "redis": program("redis-server", "a broker", { brew: "redis" }),
  "nats": program("nats-server", "a broker", { brew: "nats-server" }),
  "ip": program("ip", "network namespaces, in which a cable is pulled", {
    packages: ["iproute2"],
  }),
  "namespaces": { missing: missingOfNamespaces, packages: [], why: "a cable to pull" },
  "script": program("script", "a pseudo terminal", { packages: ["bsdutils"] }),
  "linux": {
    missing: () => process.platform === "linux" ? undefined : "it takes Linux",
    packages: [],
    why: "what only Linux has",
  },
  "cc": program("gcc", "the compiler of the benchmark's load generator", {
    packages: ["gcc", "libc6-dev"],
  }),
  "taskset": program("taskset", "a core of its own for each process of the benchmark", {
    packages: ["util-linux"],
  }),
} as const satisfies Record<string, Need>;

/** The name of a need. */
export type NeedName = keyof typeof NEEDS;

/** The command that installs a need here, or nothing if none does. */
export function installCommand(name: NeedName): string | undefined {
  const { packages, brew }: Need = NEEDS[name];
  if (process.platform === "darwin") return brew === undefined ? undefined : `brew install ${brew}`;
  if (process.platform !== "linux" || packages.length === 0) return undefined;
  return `sudo apt-get install ${packages.join(" ")}`;
}
