import { assertEquals, assertGreater } from "@std/assert";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { describe, test } from "node:test";
import { root } from "./support/runtime.ts";

/** One import or re-export: from which file, of what, and whether anything is left of it at run time. */
interface Import {
  readonly file: string;
  readonly target: string;
  readonly typeOnly: boolean;
}

/** The runtimes' adapters and their helpers, the seam among them. */
const TRANSPORT = "src/transport/";
/** The seam's types, which everyone may name. */
const SEAM = "src/transport/transport.ts";
/** What picks a runtime, to listen and to connect. */
const PICKERS: readonly string[] = ["listen", "connect"].map((name) => `${TRANSPORT}${name}.ts`);
/** The ends of connections in memory, which the test kit joins. */
const MEMORY = "src/transport/memory.ts";
/** An adapter: the files of a runtime that listen. */
const ADAPTER = /^src\/transport\/(deno|bun|node)(?:_listen)?\.ts$/;

/** The storeys of the house from the top: whoever is in one may import it and those below. */
const STOREYS: readonly (readonly string[])[] = [
  ["src/testing"],
  ["src/server", "src/client", "src/http", "src/pubsub", "src/metrics", "src/connection"],
  ["src/handshake", "src/protocol", "src/pubsub/brokers"],
  ["src/digest", "src/timing"],
  ["src/errors.ts", "src/guard.ts", "src/validation.ts"],
];

/** The TypeScript files of a folder, relative to the repository; not AssemblyScript's sources. */
function sources(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return entry.name === "assembly" ? [] : sources(path);
    return path.endsWith(".ts") ? [path] : [];
  });
}

function read(file: string): string {
  return readFileSync(join(root, file), "utf8");
}

const STATEMENT = /^(?:import\s+|(?:import|export)\s+(type\s+)?([^;"]*?)\s+from\s+)"([^"]+)";/gm;
const DYNAMIC = /(?<!\*.*)\bimport\("([^"]+)"\)/g;

/** The imports of a file. Statements begin a line, since the code is formatted; examples in comments do not. */
function importsOf(file: string): Import[] {
  const source = read(file);
  const fixed = [...source.matchAll(STATEMENT)].map(([, type, names = "", target = ""]) => ({
    file,
    target: resolve(file, target),
    typeOnly: type !== undefined || onlyTypes(names),
  }));
  const dynamic = [...source.matchAll(DYNAMIC)].map(([, target = ""]) => (
    { file, target: resolve(file, target), typeOnly: false }
  ));
  return [...fixed, ...dynamic];
}

/** Whether a list of names has `type` before each: `{ type A, type B }`. */
function onlyTypes(names: string): boolean {
  const list = /^\{([^]*)\}$/.exec(names)?.[1]?.split(",").map((name) => name.trim());
  return list?.every((name) => name === "" || name.startsWith("type ")) ?? false;
}

function resolve(file: string, target: string): string {
  return target.startsWith(".") ? normalize(join(dirname(file), target)) : target;
}

/** The storey of a file, 0 the highest, -1 if it has none. */
function storeyOf(file: string): number {
  const own = STOREYS.findIndex((places) => places.includes(file));
  return own === -1 ? STOREYS.findIndex((places) => places.includes(dirname(file))) : own;
}

function show({ file, target }: Import): string {
  return `${file} imports ${target}`;
}

const files = sources("src");
const imports = ["mod.ts", ...files].flatMap(importsOf);
const inside = (place: string) => (file: string) => file.startsWith(place);
const inTransport = inside(TRANSPORT);

describe("the imports of src", () => {
  test("are found", () => {
    assertGreater(imports.length, files.length);
    const missing = imports.filter(({ target }) => inside("src/")(target))
      .filter(({ target }) => !existsSync(join(root, target)));
    assertEquals(missing.map(show), []);
  });

  test("point one way: application, server, connection, handler → handshake, protocol → digest", () => {
    const upwards = imports
      .filter(({ file }) => inside("src/")(file) && !inTransport(file))
      .filter(({ target }) => inside("src/")(target) && !inTransport(target))
      .filter(({ file, target }) => {
        const [from, to] = [storeyOf(file), storeyOf(target)];
        return from === -1 || to === -1 || to < from;
      });
    assertEquals(upwards.map(show), []);
  });

  test("have no cycles at run time", () => {
    const next = new Map(files.map((file) => [file, [] as string[]]));
    for (const { file, target, typeOnly } of imports) {
      if (!typeOnly) next.get(file)?.push(target);
    }
    assertEquals(findCycle(next), []);
  });

  test("name an adapter only in transport/listen.ts, and in the same runtime's files", () => {
    const wrong = imports.filter(({ file, target }) => {
      const runtime = ADAPTER.exec(target)?.[1];
      if (runtime === undefined || file === "src/transport/listen.ts") return false;
      return !file.startsWith(`${TRANSPORT}${runtime}`);
    });
    assertEquals(wrong.map(show), []);
  });

  test("reach into transport/ only for listen.ts, connect.ts and the types of transport.ts", () => {
    const wrong = imports.filter(({ file, target, typeOnly }) =>
      inTransport(target) && !inTransport(file) && !PICKERS.includes(target) &&
      !(target === SEAM && typeOnly) && !(target === MEMORY && inside("src/testing/")(file))
    );
    assertEquals(wrong.map(show), []);
  });

  test("reach out of transport/ only for the errors, the guard and the checks of options", () => {
    const wrong = imports.filter(({ file, target }) =>
      inTransport(file) && inside("src/")(target) && !inTransport(target) &&
      !["src/errors.ts", "src/guard.ts", "src/validation.ts"].includes(target)
    );
    assertEquals(wrong.map(show), []);
  });

  test("need nothing but what a runtime has", () => {
    const outside = imports.filter(({ target }) => !inside("src/")(target));
    const wrong = outside.filter(({ file, target }) =>
      !target.startsWith("node:") || !inTransport(file)
    );
    assertEquals(wrong.map(show), []);
  });
});

/** The files along a cycle, or none. */
function findCycle(next: ReadonlyMap<string, readonly string[]>): string[] {
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): string[] => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return [];
    for (const target of next.get(file) ?? []) {
      const cycle = visit(target, [...path, file]);
      if (cycle.length > 0) return cycle;
    }
    done.add(file);
    return [];
  };
  for (const file of next.keys()) {
    const cycle = visit(file, []);
    if (cycle.length > 0) return cycle;
  }
  return [];
}

describe("the files of src", () => {
  test("name a runtime only in transport/", () => {
    const named = files.filter((file) => !inTransport(file)).flatMap((file) =>
      read(file).split("\n").map((line, index) => ({ line, place: `${file}:${index + 1}` }))
        .filter(({ line }) => !/^\s*(\/?\*|\/\/)/.test(line))
        .filter(({ line }) => /\b(Deno|Bun|Node)\b/.test(line))
        .map(({ line, place }) => `${place}: ${line.trim()}`)
    );
    assertEquals(named, []);
  });

  test("have 400 lines at most, the generated ones aside", () => {
    const long = files.filter((file) => !file.endsWith("_wasm.ts"))
      .map((file) => [file, read(file).split("\n").length - 1] as const)
      .filter(([, lines]) => lines > 400);
    assertEquals(long, []);
  });
});
