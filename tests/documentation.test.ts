import { assertEquals, assertGreater } from "@std/assert";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { root, runtimePath } from "./support/runtime.ts";
import { Child } from "./support/spawn.ts";

interface JsDoc {
  readonly doc?: string;
  readonly tags?: readonly { readonly kind: string }[];
}

/** The part of the output of `deno doc --json` that is used. */
interface Module {
  readonly module_doc?: JsDoc;
  readonly symbols: readonly {
    readonly name: string;
    readonly declarations: readonly { readonly kind: string; readonly jsDoc?: JsDoc }[];
  }[];
}

async function documentationOf(entry: string): Promise<Module> {
  const child = new Child([runtimePath("deno"), "doc", "--json", entry], { cwd: root });
  if (await child.exited !== 0) throw new Error(`deno doc ${entry} failed:\n${child.output}`);
  const { nodes } = JSON.parse(child.output.slice(child.output.indexOf("{"))) as {
    nodes: Record<string, Module>;
  };
  const [module] = Object.values(nodes);
  if (module === undefined) throw new Error(`deno doc has no module ${entry}`);
  return module;
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
  for (const [entry, path] of Object.entries(exports)) {
    test(entry, async () => {
      const { module_doc, symbols } = await documentationOf(path);
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
