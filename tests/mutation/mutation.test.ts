import { assert, assertEquals, assertThrows } from "@std/assert";
import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, test } from "node:test";
import { root } from "../support/runtime.ts";
import { UsageError } from "../support/usage.ts";
import { EQUIVALENT } from "./equivalent.ts";
import { canParse, findMutants, type Mutant } from "./mutants.ts";
import {
  checkPaths,
  drawMutants,
  findSources,
  findTests,
  FOLDERS,
  isSame,
  relevantTests,
} from "./plan.ts";
import { Sandbox } from "./sandbox.ts";
import { Summary } from "./summary.ts";

/** What a line of code becomes. */
const rows: readonly (readonly [code: string, mutants: readonly string[]])[] = [
  ["a < b;", ["a <= b;", "a >= b;"]],
  ["a === b;", ["a !== b;"]],
  ["a /* < */ > b; // >", ["a /* < */ >= b; // >", "a /* < */ <= b; // >"]],
  ["(a + b) * c;", ["(a - b) * c;", "(a + b) / c;"]],
  ["a &= 0x7f;", ["a |= 0x7f;", "a &= 128;", "a &= 126;"]],
  ["a = 0;", ["a = 1;", "a = (-1);"]],
  ["a = 1n;", ["a = 2n;", "a = 0n;"]],
  ["a ?? b;", ["a && b;"]],
  ["a && !b;", ["a || !b;", "a && b;"]],
  ["a++;", ["a--;"]],
  ["a = true;", ["a = false;"]],
  ['a = "open";', ['a = "";']],
  ['a = "Cannot close";', []],
  ["if (a) b;", ["if (true) b;", "if (false) b;"]],
  ["a ? b : c;", ["true ? b : c;", "false ? b : c;"]],
  ["while (a) b;", ["while (false) b;"]],
  ["f(a);", [";"]],
  ["await f(a);", [";"]],
  ["a.f?.(b);", [";"]],
  ["class A extends B { constructor() { super(); } }", []],
  ["function f() { return a; }", ["function f() { return undefined; }"]],
  ["f = () => ({ a });", ["f = () => undefined;"]],
  ['const a: "b" | 1 = c as "d";', []],
  ["interface A { a: 1 }", []],
  ['import a from "b";', []],
  ["a = { 1: b };", []],
];

const SOURCE = "src/connection/held_bytes.ts";

function mutantOf(changes: Partial<Mutant>): Mutant {
  return { file: "src/a.ts", line: 1, above: "", before: "a", after: "b", source: "", ...changes };
}

describe("mutants", () => {
  for (const [code, mutants] of rows) {
    test(`of ${code}`, () => {
      const found = findMutants("a.ts", `\n  ${code}\n`);
      assertEquals(found.map(({ after }) => after).toSorted(), mutants.toSorted());
      for (const { file, line, above, before, source, after } of found) {
        assertEquals([file, line, above, before], ["a.ts", 2, "", code]);
        assertEquals(source, `\n  ${after}\n`);
      }
    });
  }

  test("are told in one line", () => {
    const [found] = findMutants("a.ts", "f(\n  a,\n);\n");
    assertEquals([found?.line, found?.before, found?.after], [1, "f( a, );", ";"]);
  });

  test("are told with the line above", () => {
    const found = findMutants("a.ts", "f();\n  g(\n  );\n  h();\n");
    assertEquals(found.map(({ above }) => above), ["", "f();", ");"]);
  });

  test("are known by the line above, where there is one", () => {
    const known = { file: "src/a.ts", before: "a", after: "b", reason: "" };
    for (
      const [above, same] of [[{}, true], [{ above: "c" }, true], [{ above: "d" }, false]] as const
    ) {
      assertEquals(isSame({ ...known, ...above }, mutantOf({ above: "c" })), same);
    }
    assert(!isSame({ ...known, after: "c" }, mutantOf({})));
    assert(isSame({ ...known, after: ["c", "b"] }, mutantOf({ above: "c" })));
    assert(!isSame({ ...known, before: "c" }, mutantOf({})));
    assert(!isSame({ ...known, file: "src/b.ts" }, mutantOf({})));
  });

  test("are programs, or are not drawn", () => {
    assert(canParse({ source: "a ?? b" }));
    assert(!canParse({ source: "a ?? b && c" }));
  });

  test("are drawn by a seed", () => {
    const places = (seed: number) => drawMutants([SOURCE], { count: 5, seed }).map((m) => m.after);
    assertEquals(places(1), places(1));
    assertEquals(places(1).length, 5);
    assert(places(1).join() !== places(2).join());
  });

  test("are equivalent only where the source has them", () => {
    for (const [file, equivalent] of Map.groupBy(EQUIVALENT, ({ file }) => file)) {
      const mutants = findMutants(file, readFileSync(join(root, file), "utf8"));
      for (const known of equivalent) {
        for (const after of [known.after].flat()) {
          assert(
            mutants.some((mutant) => isSame({ ...known, after }, mutant)),
            `${file}: ${after}`,
          );
        }
      }
    }
  });

  test("are not drawn if they are equivalent", () => {
    const file = "src/server/connection_limits.ts";
    const known = EQUIVALENT.filter((each) => each.file === file);
    assert(known.length > 0);
    const drawn = drawMutants([file], { count: Infinity, seed: 1 });
    assert(!drawn.some((mutant) => known.some((each) => isSame(each, mutant))));
  });
});

describe("the plan", () => {
  test("has sources and tests of each folder", () => {
    for (const folder of FOLDERS) {
      assert(findSources(folder, []).length > 0);
      assert(findTests([`tests/${folder}`]).length > 0);
    }
    assertEquals(findSources("protocol", ["src/protocol/mask.ts"]), ["src/protocol/mask.ts"]);
    const server = findSources("server", []);
    assert(server.includes("src/server/opening.ts"));
    assert(!server.includes("src/server/server.ts"));
  });

  test("leaves out tests with processes", () => {
    const tests = findTests(["tests/server"]);
    assert(tests.includes("tests/server/refusals.test.ts"));
    assert(!tests.includes("tests/server/listen.test.ts"));
    assert(!tests.includes("tests/server/memory.test.ts"));
  });

  test("begins with the tests of the same name and the quickest, without those that cannot tell", () => {
    const costs = new Map([["zlib", 1], ["hybi", 3], ["hixie", 4], ["output", 2]]
      .map(([name, cost]) => [`tests/protocol/${name}.test.ts`, Number(cost)] as const));
    const relevant = (name: string) =>
      relevantTests(`src/protocol/${name}.ts`, [...costs.keys()], costs)
        .map((file) => basename(file, ".test.ts"));
    assertEquals(relevant("hixie"), ["hixie", "output", "hybi"]);
    assertEquals(relevant("hybi"), ["hybi", "output"]);
  });

  test("refuses what has no source, in one line", () => {
    checkPaths(["src/protocol", "src/handshake/cookies.ts"]);
    for (const path of ["src/client", "src/nowhere", "../elsewhere"]) {
      assertThrows(() => checkPaths([path]), UsageError, `Cannot mutate ${path}: `);
    }
    assertThrows(() => findTests(["tests/nowhere"]), UsageError, "Cannot test tests/nowhere: ");
  });
});

describe("a sandbox", () => {
  test("judges mutants in a copy, and restores it", async () => {
    const sandbox = new Sandbox();
    const tests = ["tests/handshake/cookies.test.ts"];
    const file = "src/handshake/cookies.ts";
    const good = readFileSync(join(root, file), "utf8");
    try {
      const { longest, costs } = await sandbox.measure(tests, 60_000);
      assert(longest > 0);
      assertEquals([...costs.keys()], tests);
      const verdict = async (source: string) => {
        const answer = await sandbox.judge(mutantOf({ file, source }), tests, 60_000);
        assertEquals(sandbox.read(file), good);
        return answer;
      };
      assertEquals(await verdict(`${good}// No mistake.\n`), "survived");
      assertEquals(await verdict("export function parseCookies() {}"), "killed");
      const endless = mutantOf({ file, source: `${good}for (;;);\n` });
      assertEquals(await sandbox.judge(endless, tests, 3000), "timed out");
      assertEquals(readFileSync(join(root, file), "utf8"), good);
    } finally {
      sandbox.remove();
    }
  });
});

describe("a summary", () => {
  test("counts, and tells the survivors by place", () => {
    const summary = new Summary("src/a");
    for (let i = 0; i < 18; i++) summary.add(mutantOf({}), "killed");
    summary.add(mutantOf({}), "timed out");
    assert(summary.isGood());
    summary.add(mutantOf({ line: 7 }), "survived");
    assertEquals(summary.percentage(), 95);
    assert(summary.isGood());
    summary.add(mutantOf({ line: 3 }), "survived");
    assert(!summary.isGood());
    assertEquals(
      summary.text(),
      "src/a.ts:3\n  a\n→ b\nsrc/a.ts:7\n  a\n→ b\n" +
        "src/a: 18 killed, 2 survived, 1 timed out: 90.5 %, at least 95 % wanted",
    );
  });
});
