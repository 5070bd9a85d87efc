/**
 * Starts reverse proxies from Debian: HAProxy, nginx and Caddy with the configurations of the README,
 * and Apache, lighttpd and nghttpx.
 *
 * @module
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "../support/free_port.ts";
import { findExecutable, root } from "../support/runtime.ts";
import { Child } from "../support/spawn.ts";

/** A running proxy. */
export interface Proxy {
  /** The process. */
  readonly child: Child;
  /** The port on 127.0.0.1. */
  readonly port: number;
  /** Ends the proxy, and removes its files. */
  stop(): Promise<void>;
}

/** Makes a proxy's configuration from its port and the server's, and the command to run it. */
interface Kind {
  configure(folder: string, port: number, server: number): string;
  command(folder: string, file: string): string[];
}

/**
 * HAProxy in HTTP mode, which becomes a tunnel at the 101. Since 2.4, it answers an upgrade without
 * Sec-WebSocket-Key with a 400 (haproxy/haproxy#1642), so draft76 needs TCP mode.
 */
const haproxyHttp: Kind = {
  configure: (_, port, server) => haproxy("mode http", port, server),
  command: (_, file) => [findExecutable("haproxy"), "-db", "-f", file],
};

/** HAProxy in TCP mode, a tunnel for any bytes. */
const haproxyTcp: Kind = {
  ...haproxyHttp,
  configure: (_, port, server) => haproxy("mode tcp", port, server),
};

/** HAProxy in TCP mode, which tells the client's address. */
const haproxyTelling = (option: string): Kind => ({
  ...haproxyHttp,
  configure: (folder, port, server) =>
    haproxyTcp.configure(folder, port, server).replace(/^( *server .*)$/m, `$1 ${option}`),
});

/** Where Debian has the module `stream` of nginx, which not everybody installs. */
const STREAM_MODULE = "/usr/lib/nginx/modules/ngx_stream_module.so";

/** Whether nginx can be a TCP proxy. */
export const hasNginxStream: boolean = existsSync(STREAM_MODULE);

/** nginx in TCP mode, which tells the client's address. */
const nginxStream: Kind = {
  configure: (folder, port, server) => `
load_module ${STREAM_MODULE};
daemon off;
worker_processes 1;
pid ${folder}/nginx.pid;
error_log stderr;
events {}
stream {
  server {
    listen 127.0.0.1:${port};
    proxy_pass 127.0.0.1:${server};
    proxy_protocol on;
  }
}
`,
  command: (folder, file) => nginx.command(folder, file),
};

/** HAProxy as a front of HTTP/2. Its clients know that it is one, since there is no TLS. */
const haproxyHttp2 = (backend: string): Kind => ({
  ...haproxyHttp,
  configure: (_, port, server) => `
global
  maxconn 100
defaults
  mode http
  timeout connect 10s
  timeout client 60s
  timeout server 60s
frontend h2
  bind 127.0.0.1:${port} proto h2
  default_backend waterspout
backend waterspout
  server waterspout 127.0.0.1:${server} ${backend}
`,
});

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
  // Without the admin API, whose port may be in use.
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

/** Apache with mod_proxy_wstunnel, which reads nothing of what it passes on. */
const apache: Kind = {
  configure: (folder, port, server) => `
${["mpm_event", "authz_core", "proxy", "proxy_wstunnel"].map(apacheModule).join("\n")}
ServerName localhost
Listen 127.0.0.1:${port}
PidFile ${folder}/apache.pid
DefaultRuntimeDir ${folder}
ErrorLog ${folder}/error.log
StartServers 1
ThreadsPerChild 25
ServerLimit 1
MinSpareThreads 1
MaxRequestWorkers 25
# It does not run as root.
User nobody
Group nogroup
ProxyPreserveHost On
ProxyPass / ws://127.0.0.1:${server}/
`,
  command: (folder, file) => [
    ...[findExecutable("apache2"), "-D", "FOREGROUND", "-d", folder, "-f", file],
  ],
};

function apacheModule(name: string): string {
  return `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`;
}

const lighttpd: Kind = {
  configure: (folder, port, server) => `
server.bind = "127.0.0.1"
server.port = ${port}
server.document-root = "${folder}"
server.upload-dirs = ("${folder}")
server.modules = ("mod_proxy")
proxy.server = ("" => (("host" => "127.0.0.1", "port" => ${server})))
proxy.header = ("upgrade" => "enable")
`,
  command: (_, file) => [findExecutable("lighttpd"), "-D", "-f", file],
};

const nghttpx: Kind = {
  configure: (_, port, server) => `
frontend=127.0.0.1,${port};no-tls
backend=127.0.0.1,${server}
workers=1
accesslog-file=/dev/null
`,
  command: (_, file) => [findExecutable("nghttpx"), `--conf=${file}`],
};

/** The configuration in the README, with the ports of a test instead of 80 and 8888. */
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
  "HAProxy as a front of HTTP/2": haproxyHttp2(""),
  "HAProxy with HTTP/2 on both sides": haproxyHttp2("proto h2 ws h2"),
  "HAProxy with send-proxy": haproxyTelling("send-proxy"),
  "HAProxy with send-proxy-v2": haproxyTelling("send-proxy-v2"),
  "nginx with proxy_protocol": nginxStream,
  "nginx": nginx,
  "Caddy": caddy,
  "Apache": apache,
  "lighttpd": lighttpd,
  "nghttpx": nghttpx,
} as const;

/** The name of a proxy. */
export type ProxyName = keyof typeof kinds;

/** Starts a proxy before a server. Resolves when it accepts connections. */
export async function startProxy(name: ProxyName, server: number): Promise<Proxy> {
  const kind = kinds[name];
  const folder = mkdtempSync(join(tmpdir(), "waterspout-proxy-"));
  mkdirSync(join(folder, "logs"));
  const file = join(folder, "proxy.conf");
  const port = await freePort();
  writeFileSync(file, kind.configure(folder, port, server));
  // The data directory of Caddy.
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

/** Resolves when the port accepts connections. Rejects if the process ends first. */
export async function accepting(port: number, child: Child): Promise<void> {
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
