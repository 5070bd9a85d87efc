import { assert, assertEquals, assertGreater } from "@std/assert";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { root, runtimePath } from "./support/runtime.ts";

/** One import or re-export, of a value or of a type. */
interface Import {
  /** The file that imports, relative to the repository. */
  readonly file: string;
  /** What it imports: a file relative to the repository, or a specifier such as `node:net`. */
  readonly target: string;
}

/** The seam to the runtimes, which is outside the layers. */
const TRANSPORT = "src/transport";
/** What everyone may import of it: the types, and what depends on the runtime. */
const OPEN = ["transport", "listen", "connect", "attach", "http2", "builtin_module", "freed_memory"]
  .map((name) => `${TRANSPORT}/${name}.ts`);
/** The ends of connections in memory, which the test kit joins. */
const MEMORY = `${TRANSPORT}/memory.ts`;
/** What everyone may import, the transport included. */
const GROUND = ["src/errors.ts", "src/guard.ts", "src/validation.ts"];

/**
 * The layers from the top. A folder imports itself and the layers below it, types included, and
 * none beside it.
 */
const LAYERS: readonly (readonly string[])[] = [
  ["src/testing", "src/cli"],
  ["src/server", "src/client"],
  ["src/metrics"],
  ["src/http", "src/pubsub"],
  ["src/connection"],
  ["src/handshake", "src/protocol"],
  ["src/digest", "src/timing"],
];

/** The TypeScript files below a folder, relative to the repository; not AssemblyScript's sources. */
function sources(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return entry.name === "assembly" ? [] : sources(path);
    return path.endsWith(".ts") ? [path] : [];
  });
}

/** What `deno info --json` says of a module. */
interface ModuleInfo {
  readonly specifier: string;
  readonly dependencies?: readonly {
    readonly specifier: string;
    readonly code?: { readonly specifier?: string };
    readonly type?: { readonly specifier?: string };
  }[];
}

/** All imports of some files, as Deno's parser finds them. */
function importsOf(files: readonly string[]): Import[] {
  const folder = mkdtempSync(join(tmpdir(), "waterspout-architecture-"));
  try {
    const all = join(folder, "all.ts");
    const urls = files.map((file) => pathToFileURL(join(root, file)).href);
    writeFileSync(all, urls.map((url) => `import ${JSON.stringify(url)};`).join("\n"));
    const config = ["--config", join(root, "deno.json")];
    const info = execFileSync(runtimePath("deno"), ["info", "--json", ...config, all], {
      encoding: "utf8",
      maxBuffer: 64 * 1024 * 1024,
    });
    const { modules } = JSON.parse(info) as { modules: readonly ModuleInfo[] };
    return modules.filter(({ specifier }) => urls.includes(specifier)).flatMap((module) =>
      (module.dependencies ?? []).map(({ specifier, code, type }) => ({
        file: pathOf(module.specifier),
        target: pathOf(code?.specifier ?? type?.specifier ?? specifier),
      }))
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function pathOf(specifier: string): string {
  if (!specifier.startsWith("file:")) return specifier;
  return relative(root, fileURLToPath(specifier)).replaceAll("\\", "/");
}

/** The folder of a file: `src/server` for `src/server/handler.ts` and for what is below it. */
function folderOf(file: string): string {
  return file.split("/").slice(0, 2).join("/");
}

/** What a file may not import, by the rules of the layers. */
function isForbidden({ file, target }: Import): boolean {
  if (!target.startsWith("src/")) return !target.startsWith("node:") || !startsIn(file, TRANSPORT);
  if (GROUND.includes(target)) return GROUND.includes(file) && file !== target;
  const [from, to] = [folderOf(file), folderOf(target)];
  if (from === TRANSPORT) return to !== TRANSPORT;
  if (to === TRANSPORT) {
    return !OPEN.includes(target) && !(target === MEMORY && from === "src/testing");
  }
  if (from === to) return false;
  return layerOf(from) >= layerOf(to);
}

function startsIn(file: string, folder: string): boolean {
  return file.startsWith(`${folder}/`);
}

function layerOf(folder: string): number {
  const layer = LAYERS.findIndex((folders) => folders.includes(folder));
  assert(layer !== -1, `${folder} has no layer: add it to tests/architecture.test.ts`);
  return layer;
}

function show({ file, target }: Import): string {
  return `${file} imports ${target}`;
}

/** The names along a cycle, or none. */
function findCycle(next: ReadonlyMap<string, ReadonlySet<string>>): string[] {
  const done = new Set<string>();
  const visit = (name: string, path: readonly string[]): string[] => {
    if (path.includes(name)) return [...path.slice(path.indexOf(name)), name];
    if (done.has(name)) return [];
    for (const target of next.get(name) ?? []) {
      const cycle = visit(target, [...path, name]);
      if (cycle.length > 0) return cycle;
    }
    done.add(name);
    return [];
  };
  for (const name of next.keys()) {
    const cycle = visit(name, []);
    if (cycle.length > 0) return cycle;
  }
  return [];
}

const files = sources("src");
const imports = importsOf(["mod.ts", ...files]);
const inside = imports.filter(({ file }) => startsIn(file, "src"));

describe("the imports of src, types included", () => {
  test("are found", () => {
    assertGreater(inside.length, files.length);
    for (const file of files) {
      const written = /^(?:import|export) .*from "\.|^\} from "\./m.test(read(file));
      assertEquals(inside.some((one) => one.file === file && one.target !== file), written, file);
    }
  });

  test("point down the layers", () => {
    assertEquals(inside.filter(isForbidden).map(show), []);
  });

  test("have no cycle between folders", () => {
    const next = new Map<string, Set<string>>();
    for (const { file, target } of inside) {
      const [from, to] = [folderOf(file), folderOf(target)];
      if (from === to || !startsIn(target, "src")) continue;
      next.set(from, (next.get(from) ?? new Set()).add(to));
    }
    assertEquals(findCycle(next), []);
  });

  test("name an adapter only where a runtime is picked, and within the runtime", () => {
    const ADAPTER = /^src\/transport\/(deno|bun|node)_?\w*\.ts$/;
    const wrong = imports.filter(({ file, target }) => {
      const runtime = ADAPTER.exec(target)?.[1];
      if (runtime === undefined || OPEN.includes(file)) return false;
      const own = ADAPTER.exec(file)?.[1];
      // Deno's client speaks through node:net where Deno's own API cannot.
      return own !== runtime && !(own === "deno" && target === `${TRANSPORT}/node_connect.ts`);
    });
    assertEquals(wrong.map(show), []);
  });

  test("would be found to break a rule", () => {
    const wrong: Import[] = [
      { file: "src/protocol/hybi.ts", target: "src/connection/writer.ts" },
      { file: "src/protocol/hybi.ts", target: "src/handshake/versions.ts" },
      { file: "src/client/session.ts", target: "src/server/settings.ts" },
      { file: "src/transport/node.ts", target: "src/timing/clock.ts" },
      { file: "src/server/server.ts", target: "src/transport/node.ts" },
      { file: "src/server/server.ts", target: "node:net" },
      { file: "src/transport/node.ts", target: "npm:ws" },
      { file: "src/errors.ts", target: "src/guard.ts" },
    ];
    assertEquals(wrong.filter((one) => !isForbidden(one)).map(show), []);
    const next = new Map([["a", new Set(["b"])], ["b", new Set(["c"])], ["c", new Set(["a"])]]);
    assertEquals(findCycle(next), ["a", "b", "c", "a"]);
  });
});

function read(file: string): string {
  return readFileSync(join(root, file), "utf8");
}

describe("the files of src", () => {
  test("are in folders, but for three", () => {
    assertEquals(files.filter((file) => dirname(file) === "src").sort(), [...GROUND].sort());
  });

  test("have names of their own", () => {
    const names = files.map((file) => file.split("/").at(-1)).filter((name) => name !== "mod.ts");
    assertEquals(names.filter((name, at) => names.indexOf(name) !== at), []);
  });

  test("name a runtime only in transport/", () => {
    const named = files.filter((file) => !startsIn(file, TRANSPORT)).flatMap((file) =>
      read(file).split("\n").map((line, index) => ({ line, place: `${file}:${index + 1}` }))
        .filter(({ line }) => !/^\s*(\/?\*|\/\/)/.test(line))
        .filter(({ line }) => /\b(Deno|Bun|Node)\b/.test(line))
        .map(({ line, place }) => `${place}: ${line.trim()}`)
    );
    assertEquals(named, []);
  });

  test("look up the modules of Node in one place", () => {
    const named = files.filter((file) => read(file).includes("getBuiltinModule"));
    assertEquals(named, [`${TRANSPORT}/builtin_module.ts`]);
  });

  test("copy bytes without slice, which makes a view of a Buffer", () => {
    const wrong = files.filter((file) =>
      /\b(?:buffer|bytes|chunk|masked|payload)\.slice\(/.test(read(file))
    );
    assertEquals(wrong, []);
  });

  test("have 400 lines at most, the generated ones aside", () => {
    const long = files.filter((file) => !file.endsWith("_wasm.ts"))
      .map((file) => [file, read(file).split("\n").length - 1] as const)
      .filter(([, lines]) => lines > 400);
    assertEquals(long, []);
  });

  test("have eight variables of modules at most, each with what it gains", () => {
    const shared = files.filter((file) => read(file).includes("Module state"));
    assertEquals(shared.length <= 8, true, shared.join(", "));
    // What else may change: a variable, or a collection whose type allows it.
    const mutable =
      /^(?:export )?(?:let |var |const \w+(?:: (?:Weak)?(?:Map|Set)\b.*)? = (?:new WeakMap|new WeakSet|new \w+<.*>\(\);))/m;
    assertEquals(files.filter((file) => !shared.includes(file) && mutable.test(read(file))), []);
  });
});
