import { assertEquals } from "@std/assert";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { root } from "../support/runtime.ts";
import { everyEntryPoint, firstProgram, packInto, withProject } from "./new_project.ts";
import { publishedFiles } from "./registry.ts";

const { name, version, exports } = JSON.parse(readFileSync(join(root, "deno.json"), "utf8")) as {
  name: string;
  version: string;
  exports: Record<string, string>;
};

describe("the package for npm's clients", () => {
  test("type-checks in a strict project, by either way of resolving", () =>
    withProject({}, async (project) => {
      await packInto(project);
      await project.run("mkdir -p node_modules/@waterspout && tar -xzf package.tgz");
      await project.run(`mv package node_modules/${name}`);
      project.write("main.ts", `${firstProgram()}\nexport {};\n`);
      project.write("entry_points.ts", everyEntryPoint);
      project.write("package.json", JSON.stringify({ type: "module" }));
      const tsc = `node '${join(root, "node_modules/typescript/bin/tsc")}' --noEmit --strict`;
      const dom = "--target es2024 --lib es2024,esnext.disposable,dom,dom.iterable --types ''";
      const node = `--target es2024 --typeRoots '${
        join(root, "node_modules/@types")
      }' --types node`;
      await project.run(
        `${tsc} --module esnext --moduleResolution bundler ${dom} main.ts entry_points.ts`,
      );
      await project.run(
        `${tsc} --module nodenext --moduleResolution nodenext --lib es2024 ${node} main.ts entry_points.ts`,
      );
    }));

  test("has what a user needs, a program for npx, and nothing else", () =>
    withProject({}, async (project) => {
      await packInto(project);
      const files = (await project.run("tar -tzf package.tgz")).trim().split("\n");
      const odd = files.filter((file) =>
        !/^package\/(?:(?:mod|src\/.+)\.(?:js|d\.ts)|package\.json|README\.md|CHANGELOG\.md|LICENSE)$/
          .test(file)
      );
      assertEquals(odd, []);

      project.write("package.json", "{}");
      await project.run("npm install --silent --no-audit --no-fund --offline ./package.tgz");
      assertEquals(
        await project.run("npx --offline @waterspout/websocket probe --unknown 2>&1; echo $?"),
        "waterspout: unknown option --unknown; see waterspout probe --help\n2\n",
      );
    }));
});

describe("what is published on JSR", () => {
  test("has what a user needs, and nothing else", async () => {
    const files = await publishedFiles();
    const odd = files.filter((file) =>
      !/^\/(?:mod\.ts|src\/.+\.ts|(?:README|CHANGELOG|SECURITY)\.md|LICENSE|deno\.json)$/.test(file)
    );
    assertEquals(odd, []);
    for (const path of Object.values(exports)) assertEquals(files.includes(path.slice(1)), true);
  });

  test("has a version of the changelog", () => {
    const changes = readFileSync(join(root, "CHANGELOG.md"), "utf8");
    assertEquals(/^## (?!Unreleased)(\S+)/m.exec(changes)?.[1], version);
  });
});
