/**
 * The only list of programs, libraries and permissions that some suites need besides npm packages.
 * `suites.ts` says which suite needs what. `packages.ts` installs what is missing.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import process from "node:process";
import { findPostgres } from "../brokers/postgres_programs.ts";
import { CHROMIUM } from "../browser/executables.ts";
import { findExecutable, root } from "../support/runtime.ts";
import { findPython } from "../tornado/python.ts";

/** Something that a suite needs. */
export interface Need {
  /** What is missing, as text for people; nothing if all is there. */
  readonly missing: () => string | undefined;
  /** The Debian packages that contain it; none if it cannot be installed. */
  readonly packages: readonly string[];
  /** Packages of Debian's backports that contain it, if an old Debian has it only there. */
  readonly backports?: readonly string[];
  /** The Homebrew packages, if there are any. */
  readonly brew?: string;
  /** What it is for. */
  readonly why: string;
}

/** A program. Its first name is that of its Debian package. */
function program(names: string | readonly string[], why: string, more: Partial<Need> = {}): Need {
  const all = [names].flat();
  const missing = () => {
    try {
      findExecutable(...all);
      return undefined;
    } catch {
      return `${all.join(" or ")} is not installed`;
    }
  };
  return { missing, packages: all.slice(0, 1), why, ...more };
}

/** Libraries of a language. A command succeeds, or files exist, if they are there. */
function libraries(
  { command = [], files = [] }: { command?: readonly string[]; files?: readonly string[] },
  need: Omit<Need, "missing">,
): Need {
  const missing = () => {
    const [path, ...args] = command;
    const lacks = files.some((file) => !existsSync(file)) ||
      path !== undefined && spawnSync(path, args, { stdio: "ignore" }).status !== 0;
    return lacks ? `some of ${need.packages.join(", ")} is not installed` : undefined;
  };
  return { missing, ...need };
}

/** The PhantomJS executables from npm. */
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

/** Creates a network namespace, runs a command in it, and removes it. Only a try shows if this works. */
function missingOfNamespaces(): string | undefined {
  const name = `waterspout-probe-${process.pid}`;
  const added = spawnSync("ip", ["netns", "add", name], { encoding: "utf8" });
  // Not known without `ip`, which has its own row.
  if (added.error) return undefined;
  const entered = spawnSync("ip", ["netns", "exec", name, "true"]);
  spawnSync("ip", ["netns", "delete", name]);
  return added.status === 0 && entered.status === 0
    ? undefined
    : "network namespaces take root's rights (in a container: NET_ADMIN and SYS_ADMIN)";
}

function missingOfValkey(): string | undefined {
  const { missing } = program("valkey-server", "");
  // If it is only unpacked, its libraries may be missing.
  return missing() ??
    (spawnSync(findExecutable("valkey-server"), ["--version"]).status === 0
      ? undefined
      : "valkey-server does not run");
}

/** All needs, by the names that suites use. */
export const NEEDS = {
  "haproxy": program("haproxy", "a proxy", { brew: "haproxy" }),
  "nginx": program("nginx", "a proxy", { brew: "nginx" }),
  "caddy": program("caddy", "a proxy", { brew: "caddy" }),
  "tinyproxy": program("tinyproxy", "an HTTP proxy for clients", { brew: "tinyproxy" }),
  "microsocks": program("microsocks", "a SOCKS5 proxy", { brew: "microsocks" }),
  "chromium": program(CHROMIUM, "a browser of today", { brew: "--cask chromium" }),
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
  "apache": program("apache2", "a proxy", { packages: ["apache2-bin"] }),
  "lighttpd": program("lighttpd", "a proxy", { brew: "lighttpd" }),
  "nghttpx": program("nghttpx", "a proxy", { packages: ["nghttp2-proxy"], brew: "nghttp2" }),
  "perl clients": libraries({
    command: ["perl", "-MProtocol::WebSocket", "-MMojolicious", "-e", "1"],
  }, {
    packages: ["libprotocol-websocket-perl", "libmojolicious-perl"],
    why: "clients in Perl",
  }),
  "ruby client": libraries({ command: ["ruby", "-rwebsocket", "-e", ""] }, {
    packages: ["ruby", "ruby-websocket"],
    why: "a client in Ruby",
  }),
  "java clients": libraries({
    files: ["/usr/bin/java", "/usr/bin/ecj", "/usr/share/java/netty-codec-http.jar"],
  }, {
    packages: ["default-jre-headless", "ecj", "libnetty-java"],
    why: "clients in Java",
  }),
  "python clients": libraries({
    command: [
      "/usr/bin/python3",
      "-c",
      "import aiohttp, gi, websocket, websockets; gi.require_version('Soup', '3.0')",
    ],
  }, {
    packages: [
      ...["python3-aiohttp", "python3-websocket", "python3-websockets"],
      ...["python3-gi", "gir1.2-soup-3.0"],
    ],
    why: "clients in Python, and libsoup",
  }),
  "c client": libraries({ files: ["/usr/bin/gcc", "/usr/include/libwebsockets.h"] }, {
    packages: ["gcc", "libc6-dev", "libwebsockets-dev"],
    why: "a client in C",
  }),
  "lua client": libraries({ command: ["lua5.2", "-e", "require 'http.websocket'"] }, {
    packages: ["lua5.2", "lua-http"],
    why: "a client in Lua",
  }),
  "mono": libraries({ files: ["/usr/bin/mono", "/usr/bin/mcs"] }, {
    packages: ["mono-runtime", "mono-mcs", "libmono-system4.0-cil"],
    why: "a client in C#",
  }),
  "redis": program("redis-server", "a broker", { brew: "redis" }),
  "valkey": {
    missing: missingOfValkey,
    packages: ["valkey-server"],
    backports: ["valkey-server", "valkey-tools"],
    brew: "valkey",
    why: "a broker",
  },
  "nats": program("nats-server", "a broker", { brew: "nats-server" }),
  "postgres": {
    missing: () => {
      try {
        findPostgres("initdb");
        return undefined;
      } catch {
        return "Postgres is not installed";
      }
    },
    packages: ["postgresql"],
    brew: "postgresql",
    why: "the broker of an example",
  },
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
  "libssl": {
    missing: () =>
      existsSync("/usr/include/openssl/ssl.h") ? undefined : "OpenSSL's headers are not installed",
    packages: ["libssl-dev"],
    why: "TLS in the benchmark's load generator",
  },
  "zlib": {
    missing: () =>
      existsSync("/usr/include/zlib.h") ? undefined : "zlib's headers are not installed",
    packages: ["zlib1g-dev"],
    why: "compression in the benchmark's load generator",
  },
  "taskset": program("taskset", "a core of its own for each process of the benchmark", {
    packages: ["util-linux"],
  }),
} as const satisfies Record<string, Need>;

/** The name of a need. */
export type NeedName = keyof typeof NEEDS;

/** The command that installs a need on this system; nothing if there is none. */
export function installCommand(name: NeedName): string | undefined {
  const { packages, brew }: Need = NEEDS[name];
  if (process.platform === "darwin") return brew === undefined ? undefined : `brew install ${brew}`;
  if (process.platform !== "linux" || packages.length === 0) return undefined;
  return `sudo apt-get install ${packages.join(" ")}`;
}
