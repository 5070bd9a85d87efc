/**
 * Starts proxies for clients from Debian: tinyproxy (HTTP) and microsocks (SOCKS5).
 *
 * @module
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../support/free_port.ts";
import { findExecutable } from "../support/runtime.ts";
import { Child } from "../support/spawn.ts";
import { accepting, type Proxy } from "./proxy.ts";

/** How a proxy is started. */
export interface ForwardOptions {
  /** A user name and a password, without characters that need quoting. */
  readonly credentials?: readonly [username: string, password: string];
  /** The only port that tinyproxy may connect to. */
  readonly onlyPort?: number;
}

function tinyproxy(port: number, folder: string, options: ForwardOptions): string[] {
  const { credentials, onlyPort } = options;
  const file = join(folder, "tinyproxy.conf");
  writeFileSync(
    file,
    [
      `Port ${port}`,
      "Listen 127.0.0.1",
      "Timeout 60",
      ...(credentials === undefined ? [] : [`BasicAuth ${credentials.join(" ")}`]),
      ...(onlyPort === undefined ? [] : [`ConnectPort ${onlyPort}`]),
      "",
    ].join("\n"),
  );
  return [findExecutable("tinyproxy"), "-d", "-c", file];
}

function microsocks(port: number, _folder: string, { credentials }: ForwardOptions): string[] {
  const login = credentials === undefined ? [] : ["-u", credentials[0], "-P", credentials[1]];
  return [findExecutable("microsocks"), "-i", "127.0.0.1", "-p", String(port), ...login];
}

const commands = { tinyproxy, microsocks } as const;

/** Starts a proxy. Resolves when it accepts connections. */
export async function startForwardProxy(
  name: keyof typeof commands,
  options: ForwardOptions = {},
): Promise<Proxy> {
  const folder = mkdtempSync(join(tmpdir(), "waterspout-proxy-"));
  const port = await freePort();
  const child = new Child(commands[name](port, folder, options));
  const stop = async () => {
    await child.stop("SIGKILL");
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
