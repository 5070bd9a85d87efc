/**
 * Starts the reverse proxies that stand in front of servers, as Debian has them, with the
 * configurations that the README gives: HAProxy, nginx and Caddy.
 *
 * @module
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { findExecutable, root } from "../support/runtime.ts";
import { Child } from "../support/spawn.ts";

/** A running proxy. */
export interface Proxy {
  /** Its process. */
  readonly child: Child;
  /** The port that it listens on, at 127.0.0.1. */
  readonly port: number;
  /** Ends it, and removes its files. */
  stop(): Promise<void>;
}

/** A proxy's configuration from the port it listens on to the server's, and how to run it. */
interface Kind {
  configure(folder: string, port: number, server: number): string;
  command(folder: string, file: string): string[];
}

/**
 * HAProxy that understands the requests that pass, and tunnels from the 101 on. Since 2.4 it answers
 * an upgrade without Sec-WebSocket-Key by 400 itself (haproxy/haproxy#1642), so draft76 needs the
 * other mode.
 */
const haproxyHttp: Kind = {
  configure: (_, port, server) => haproxy("mode http", port, server),
  command: (_, file) => [findExecutable("haproxy"), "-db", "-f", file],
};

/** HAProxy as a tunnel for whatever bytes there are. */
const haproxyTcp: Kind = {
  ...haproxyHttp,
  configure: (_, port, server) => haproxy("mode tcp", port, server),
};

function haproxy(mode: string, port: number, server: number): string {
  return `
global
  maxconn 100
defaults
  timeout connect 10s
  timeout client 60s
  timeout server 60s
${fromReadme("haproxy", mode, port, server)}
`;
}

const nginx: Kind = {
  configure: (folder, port, server) => `
daemon off;
worker_processes 1;
pid ${folder}/nginx.pid;
error_log stderr;
events {}
http {
  access_log off;
  client_body_temp_path ${folder}/client;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
${fromReadme("nginx", "server {", port, server)}
}
`,
  command: (folder, file) => [findExecutable("nginx"), "-p", folder, "-c", file, "-e", "stderr"],
};

const caddy: Kind = {
  // Without its API, whose port may be taken.
  configure: (_, port, server) => `
{
  admin off
}
${fromReadme("caddy", "reverse_proxy", port, server)}
`,
  command: (_, file) => [
    findExecutable("caddy"),
    "run",
    "--adapter",
    "caddyfile",
    "--config",
    file,
  ],
};

/** What the README has for a proxy, between the ports of a test instead of 80 and 8888. */
function fromReadme(language: string, containing: string, port: number, server: number): string {
  const readme = readFileSync(join(root, "README.md"), "utf8");
  const blocks = [...readme.matchAll(/^```(\w+)\n([^]*?)^```$/gm)]
    .filter(([, name, text]) => name === language && text?.includes(containing));
  const [block] = blocks;
  if (block?.[2] === undefined || blocks.length > 1) {
    throw new Error(`Cannot find one ${language} block with ${containing} in README.md`);
  }
  return block[2]
    .replace(/^(\s*)(bind|listen) :?80(;?)$/m, `$1$2 127.0.0.1:${port}$3`)
    .replace(/^:80 /m, `http://127.0.0.1:${port} `)
    .replaceAll("127.0.0.1:8888", `127.0.0.1:${server}`);
}

const kinds = {
  "HAProxy in HTTP mode": haproxyHttp,
  "HAProxy in TCP mode": haproxyTcp,
  "nginx": nginx,
  "Caddy": caddy,
} as const;

/** The name of a proxy. */
export type ProxyName = keyof typeof kinds;

/** Starts a proxy in front of a server; resolves once it accepts connections. */
export async function startProxy(name: ProxyName, server: number): Promise<Proxy> {
  const kind = kinds[name];
  const folder = mkdtempSync(join(tmpdir(), "waterspout-proxy-"));
  mkdirSync(join(folder, "logs"));
  const file = join(folder, "proxy.conf");
  const port = await freePort();
  writeFileSync(file, kind.configure(folder, port, server));
  // Where Caddy keeps what it remembers.
  const env = { XDG_CONFIG_HOME: folder, XDG_DATA_HOME: folder };
  const child = new Child(kind.command(folder, file), { env });
  const stop = async () => {
    await child.stop();
    rmSync(folder, { recursive: true });
  };
  try {
    await accepting(port, child);
  } catch (error) {
    await stop();
    throw error;
  }
  return { child, port, stop };
}

/** A port that was free a moment ago: proxies can't tell which one the system would give them. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once("error", reject).listen(0, "127.0.0.1", () => {
      const address = server.address();
      const port = address && typeof address === "object" ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}

/** Resolves once something accepts connections at the port; rejects if the process ends first. */
async function accepting(port: number, child: Child): Promise<void> {
  let ended = false;
  void child.exited.then(() => ended = true);
  while (!await canConnect(port)) {
    if (ended) throw new Error(`The proxy ended:\n${child.output}`);
    await sleep(20);
  }
}

function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    const settle = (result: boolean) => {
      socket.destroy();
      resolve(result);
    };
    socket.once("connect", () => settle(true));
    socket.once("error", () => settle(false));
  });
}
