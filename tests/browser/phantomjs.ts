/**
 * Starts PhantomJS from npm. Version 1.9.8 has the WebKit of smart TVs that support only draft76. Version
 * 2.1.1 has the first WebKit with RFC 6455.
 *
 * @module
 */
import { chmodSync, existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { root } from "../support/runtime.ts";
import { Child } from "../support/spawn.ts";

/** The major version of PhantomJS: 1 speaks draft76, 2 speaks RFC 6455. */
export type PhantomVersion = 1 | 2;

/** A running PhantomJS. */
export interface Phantom {
  /** Its process. */
  readonly child: Child;
  /** Ends the browser, and removes its files. */
  stop(): Promise<void>;
}

/** Opens the page of the echo example at `url`, and sends `texts`. See echo_page.phantom.js. */
export function openEchoPage(
  version: PhantomVersion,
  url: string,
  texts: readonly string[],
): Phantom {
  return runPhantom(version, "tests/browser/echo_page.phantom.js", [url, JSON.stringify(texts)]);
}

/**
 * Runs a script of the repository in PhantomJS. Each argument is passed as a file, since PhantomJS 1.9.8
 * reads arguments as Latin-1.
 */
export function runPhantom(
  version: PhantomVersion,
  script: string,
  args: readonly string[],
): Phantom {
  const path = executable(version);
  const folder = mkdtempSync(join(tmpdir(), "waterspout-phantomjs-"));
  const files = args.map((text, index) => {
    const file = join(folder, `${index}.txt`);
    writeFileSync(file, text);
    return file;
  });
  const child = new Child([path, join(root, script), ...files], {
    env: environment(version, folder),
    cwd: folder,
  });
  const stop = async () => {
    await child.stop("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  };
  return { child, stop };
}

function executable(version: PhantomVersion): string {
  const path = join(root, `node_modules/phantomjs${version}/bin/linux/x64/phantomjs`);
  if (process.platform !== "linux" || process.arch !== "x64") {
    throw new Error(`Cannot run PhantomJS on ${process.platform} ${process.arch}: only linux x64`);
  }
  if (!existsSync(path)) throw new Error(`Cannot find ${path}: npm install brings it`);
  // The package of 1.9.8 does not set it.
  chmodSync(path, 0o755);
  return path;
}

function environment(
  version: PhantomVersion,
  folder: string,
): Record<string, string | undefined> {
  const common = {
    QT_QPA_PLATFORM: undefined,
    OPENSSL_CONF: "/dev/null",
  };
  if (version === 2) return common;
  // Qt 4.8 crashes with a current OpenSSL. If it loads a library without its functions, it goes on
  // without TLS.
  const empty = ["/lib/x86_64-linux-gnu", "/lib64", "/usr/lib64", "/usr/lib", "/lib"]
    .map((place) => join(place, "libdl.so.2")).find(existsSync);
  if (empty === undefined) throw new Error("Cannot find libdl.so.2: the C library has it");
  for (const library of ["libssl.so", "libcrypto.so"]) symlinkSync(empty, join(folder, library));
  return { ...common, LD_LIBRARY_PATH: folder };
}
