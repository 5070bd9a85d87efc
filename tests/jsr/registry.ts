/**
 * A JSR registry of static files on loopback (https://jsr.io/docs/api). Its only package is the one that
 * `deno publish` would send.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { relative, sep } from "node:path";
import { root, runtimePath } from "../support/runtime.ts";
import { Child } from "../support/spawn.ts";

/** A running registry. */
export interface Registry {
  /** The value for `JSR_URL`. */
  readonly url: string;
  /** The requested paths. */
  readonly asked: readonly string[];
  /** Ends it. */
  stop(): Promise<void>;
}

/** The files that `deno publish` would send: paths in the repository, beginning with `/`. */
export async function publishedFiles(): Promise<string[]> {
  const command = [runtimePath("deno"), "publish", "--dry-run", "--allow-dirty", "--no-check"];
  const child = new Child(command, { cwd: root, env: { NO_COLOR: "1" } });
  if (await child.exited !== 0) throw new Error(`deno publish failed:\n${child.output}`);
  return [...child.output.matchAll(/^\s*(file:\/\/\S+) \([\d.]+ ?[KM]?i?B\)$/gm)]
    .map(([, url = ""]) => relative(root, decodeURIComponent(new URL(url).pathname)))
    .map((path) => `/${path.split(sep).join("/")}`);
}

/** Starts a registry that has these files of the repository as the package's only version. */
export async function startRegistry(paths: readonly string[]): Promise<Registry> {
  const files = new Map(paths.map((path) => [path, readFileSync(root + path)]));
  const manifest = JSON.parse(readFileSync(`${root}/deno.json`, "utf8"));
  const served = pages(manifest, files);
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? "";
    asked.push(path);
    const body = served.get(path);
    const type = body === undefined || path.endsWith(".md")
      ? "text/plain"
      : path.endsWith(".json")
      ? "application/json"
      : "application/typescript";
    response.writeHead(body === undefined ? 404 : 200, { "content-type": type });
    response.end(body ?? "Not found\n");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" ? address?.port : undefined;
  const stop = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { url: `http://127.0.0.1:${port}/`, asked, stop };
}

/** The parts of `deno.json` that a registry uses. */
interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly exports: Readonly<Record<string, string>>;
}

/** The files of the registry by path. */
function pages(
  { name, version, exports }: Manifest,
  files: ReadonlyMap<string, Uint8Array>,
): Map<string, string | Uint8Array> {
  const [scope = "", short = ""] = name.slice(1).split("/");
  const meta = { scope, name: short, latest: version, versions: { [version]: {} } };
  const versionMeta = {
    manifest: Object.fromEntries([...files].map(([path, bytes]) => [path, describe(bytes)])),
    moduleGraph2: Object.fromEntries(
      [...files].filter(([path]) => path.endsWith(".ts"))
        .map(([path, bytes]) => [path, { dependencies: dependencies(String(bytes)) }]),
    ),
    exports,
  };
  return new Map<string, string | Uint8Array>([
    [`/${name}/meta.json`, JSON.stringify(meta)],
    [`/${name}/${version}_meta.json`, JSON.stringify(versionMeta)],
    ...[...files].map(([path, bytes]) => [`/${name}/${version}${path}`, bytes] as const),
  ]);
}

function describe(bytes: Uint8Array): { size: number; checksum: string } {
  const hash = createHash("sha256").update(bytes).digest("hex");
  return { size: bytes.length, checksum: `sha256-${hash}` };
}

const STATEMENT = /^(import|export)( type)?\s(?:[^;"]*?\sfrom\s)?("[^"]+");/gm;

/** The static imports and re-exports of a module. Each begins a line, because the code is formatted. */
function dependencies(source: string): object[] {
  return [...source.matchAll(STATEMENT)].map((match) => {
    const [statement, keyword = "", type, quoted = ""] = match;
    const end = match.index + statement.length - 1;
    return {
      type: "static",
      kind: type === undefined ? keyword : `${keyword}Type`,
      specifier: quoted.slice(1, -1),
      specifierRange: [position(source, end - quoted.length), position(source, end)],
    };
  });
}

/** Line and column, from 0. */
function position(source: string, index: number): [line: number, character: number] {
  const before = source.slice(0, index).split("\n");
  return [before.length - 1, before.at(-1)?.length ?? 0];
}
