import { assertEquals, assertGreater } from "@std/assert";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import { root, runtimePath } from "./support/runtime.ts";
import { Child } from "./support/spawn.ts";

interface JsDoc {
  readonly doc?: string;
  readonly tags?: readonly { readonly kind: string }[];
}

interface Location {
  readonly filename: string;
  readonly line: number;
  readonly col: number;
}

interface Declaration {
  readonly kind: string;
  readonly location: Location;
  readonly jsDoc?: JsDoc;
  /** Of a reference to a symbol that another module has, too: where it is declared. */
  readonly def?: { readonly target?: Location };
}

/** The part of the output of `deno doc --json` that is used. */
interface Module {
  readonly module_doc?: JsDoc;
  readonly symbols: readonly {
    readonly name: string;
    readonly declarations: readonly Declaration[];
  }[];
}

/** The documentation of modules, by the URL of each. */
async function documentationOf(paths: readonly string[]): Promise<Record<string, Module>> {
  const child = new Child([runtimePath("deno"), "doc", "--json", ...paths], { cwd: root });
  if (await child.exited !== 0) throw new Error(`deno doc failed:\n${child.output}`);
  const { nodes } = JSON.parse(child.output.slice(child.output.indexOf("{"))) as {
    nodes: Record<string, Module>;
  };
  const all = Object.values(nodes).flatMap(({ symbols }) => symbols)
    .flatMap(({ declarations }) => declarations);
  const placeOf = ({ filename, line, col }: Location) => `${filename}:${line}:${col}`;
  const declared = Map.groupBy(
    all.filter(({ kind }) => kind !== "reference"),
    ({ location }) => placeOf(location),
  );
  const resolve = (declaration: Declaration): readonly Declaration[] => {
    const { target } = declaration.def ?? {};
    if (declaration.kind !== "reference" || target === undefined) return [declaration];
    return declared.get(placeOf(target)) ?? [declaration];
  };
  return Object.fromEntries(
    Object.entries(nodes).map(([url, { symbols, ...module }]) => [url, {
      ...module,
      symbols: symbols.map(({ name, declarations }) => ({
        name,
        declarations: declarations.flatMap(resolve),
      })),
    }]),
  );
}

const { exports } = JSON.parse(readFileSync(join(root, "deno.json"), "utf8")) as {
  exports: Record<string, string>;
};

/** Parts of the APIs of runtimes and client libraries, which nobody implements to use this package. */
const FOREIGN: ReadonlySet<string> = new Set([
  "BunSocket",
  "BunSocketHandlers",
  "BunSocketHandlersOptions",
  "DenoAddress",
  "DenoConn",
  "IoRedisClient",
  "IoRedisCluster",
  "NatsConnection",
  "NatsMessage",
  "NatsStatus",
  "NatsSubscription",
  "NodeHandle",
  "NodeRedisClient",
  "NodeRedisCluster",
  "NodeSocket",
  "WriteCallback",
]);

/** Types that only appear in the signature of `route` and `Application`. */
const isInternal = (doc: JsDoc | undefined): boolean =>
  doc?.tags?.some(({ kind }) => kind === "ignore") ?? false;

function hasExample(doc: JsDoc | undefined): boolean {
  return doc?.tags?.some(({ kind }) => kind === "example") ?? false;
}

describe("the documentation of an entry point has a text, and an example of each symbol", () => {
  let modules: Record<string, Module> = {};
  before(async () => {
    modules = await documentationOf(Object.values(exports));
  });

  for (const [entry, path] of Object.entries(exports)) {
    test(entry, () => {
      const module = modules[pathToFileURL(join(root, path)).href];
      if (module === undefined) throw new Error(`deno doc has no module ${path}`);
      const { module_doc, symbols } = module;
      assertGreater(module_doc?.doc?.length ?? 0, 40);
      assertGreater(symbols.length, 0);
      const silent = symbols.filter(({ declarations }) =>
        declarations.some(({ jsDoc }) => !jsDoc?.doc)
      );
      assertEquals(silent.map(({ name }) => name), []);
      const bare = symbols.filter(({ name, declarations }) =>
        !FOREIGN.has(name) &&
        declarations.some(({ jsDoc }) => !isInternal(jsDoc) && !hasExample(jsDoc))
      );
      assertEquals(bare.map(({ name }) => name), []);
    });
  }
});
