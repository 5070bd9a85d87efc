import { assert, assertEquals, assertGreater } from "@std/assert";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, test } from "node:test";
import { WEBSOCKET_VERSIONS } from "../src/handshake/versions.ts";
import { defaultSettings } from "../src/server/settings.ts";
import { root } from "./support/runtime.ts";

const DOCUMENTS: readonly string[] = [
  "README.md",
  "CONTRIBUTING.md",
  "CHANGELOG.md",
  "src/README.md",
  "tests/bench/README.md",
];

function read(file: string): string {
  return readFileSync(join(root, file), "utf8");
}

/** The rows of the table between two comments of the README: `<!-- name:start -->` and its end. */
function table(name: string): string[][] {
  const text = read("README.md").split(`<!-- ${name}:start -->`)[1]?.split(
    `<!-- ${name}:end -->`,
  )[0];
  return (text ?? "").split("\n").filter((line) => line.startsWith("| `"))
    .map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim()));
}

const UNITS: Readonly<Record<string, number>> = {
  "s": 1000,
  "KiB": 1024,
  "MiB": 1024 * 1024,
};

/** A setting's default as the README writes it, for people. */
function parseDefault(text: string): unknown {
  const [, number, unit] = /^(\d+)(?: (s|KiB|MiB))?$/.exec(text) ?? [];
  if (number !== undefined) return Number(number) * (unit === undefined ? 1 : UNITS[unit] ?? NaN);
  if (text === "false") return false;
  if (text === "Infinity") return Infinity;
  return text;
}

/** The same of the default itself, where it is not a number or a boolean. */
function describeDefault(value: unknown): unknown {
  if (Array.isArray(value)) return value.join(", ") || "–";
  if (value === undefined) return "–";
  if (typeof value === "function") return "a function";
  if (typeof value === "object") return "an object";
  return value;
}

describe("the README", () => {
  test("has every setting, in the order of src/server/settings.ts, with its default", () => {
    const rows = table("settings").map(([name = "", text = ""]) => [
      name.replaceAll("`", ""),
      parseDefault(text),
    ]);
    const settings = Object.entries(defaultSettings)
      .map(([name, value]) => [name, describeDefault(value)]);
    assertEquals(rows, settings);
  });

  test("has every version", () => {
    const names = table("versions").map(([name = ""]) => name.replaceAll("`", ""));
    assertEquals(names.sort(), [...WEBSOCKET_VERSIONS].sort());
  });

  test("shows the broker of examples/postgres.ts", () => {
    const [, code = ""] = read("examples/postgres.ts").split(/^\/\/ The README shows .*\n/m);
    assertGreater(code.length, 1000);
    assert(read("README.md").includes(`\`\`\`ts ignore\n${code}\`\`\`\n`));
  });

  test("shows every picture of the examples", () => {
    const pictures = readdirSync(join(root, "examples/images")).map((name) => (
      `examples/images/${name}`
    ));
    assertGreater(pictures.length, 0);
    assertEquals(pictures.filter((path) => !read("README.md").includes(`](${path})`)), []);
  });
});

describe("a link leads to a file of the repository", () => {
  for (const document of DOCUMENTS) {
    test(`in ${document}`, () => {
      const links = [...read(document).matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)]
        .map(([, link = ""]) => link).filter((link) => !/^https?:/.test(link));
      assertGreater(links.length, 0);
      const dead = links.filter((link) => !existsSync(join(root, dirname(document), link)));
      assertEquals(dead, []);
    });
  }
});

describe("a test that a document names is there", () => {
  for (const document of ["SECURITY.md", "CONTRIBUTING.md"]) {
    test(`in ${document}`, () => {
      const paths = [...read(document).matchAll(/`(tests\/[\w./]*)`/g)].map(([, path = ""]) =>
        path
      );
      assertGreater(paths.length, 0);
      assertEquals(paths.filter((path) => !existsSync(join(root, path))), []);
    });
  }
});
