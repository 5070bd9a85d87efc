import { assertEquals, assertLess } from "@std/assert";
import { describe, test } from "node:test";
import { PathPattern } from "../../src/server/path_pattern.ts";
import { comparePattern, isComparable } from "./random_patterns.ts";

type Captures = (string | undefined)[] | null;

/** The captures of a pattern in a path. */
const rows: readonly (readonly [pattern: string, path: string, captures: Captures])[] = [
  ["/", "/", []],
  ["/", "/a", null],
  ["/a.b", "/axb", null],
  ["/:a", "/", null],
  ["/:a", "/x/", null],
  ["/:a.:b", "/x.y.z", ["x", "y.z"]],
  ["/:a.:b", "/.y", null],
  ["/:a.:b", "/x.", null],
  ["/:a-:b.:c", "/1-2-3.4.5", ["1", "2-3", "4.5"]],
  ["/:a:b", "/xyz", ["x", "yz"]],
  ["/*", "/", [""]],
  ["/*", "/a/b", ["a/b"]],
  ["/*", "", null],
  ["/*.txt", "/a.txt/b.txt", ["a.txt/b"]],
  ["/*/x/*", "/a/x/b/x/c", ["a/x/b", "c"]],
  ["/a/:b?", "/a", [undefined]],
  ["/a/:b?", "/a/", null],
  ["/a/:b?", "/a/x", ["x"]],
  ["/a/:b*", "/a", [undefined]],
  ["/a/:b*", "/a/x/y", ["x/y"]],
  ["/a/:b+", "/a", null],
  ["/a/:b+", "/a/x/y", ["x/y"]],
  ["/a/:b+/c", "/a/x/c/c", ["x/c"]],
  ["/a/*?", "/a", [undefined]],
  ["/a/*?", "/a/x/y", ["x/y"]],
  ["/a\\/:b?", "/a/", [undefined]],
  ["/a-:b?", "/a-", [undefined]],
  ["/a{/b}?", "/a", []],
  ["/a{/b}?", "/a/b", []],
  ["/a{b}*", "/abbb", []],
  ["/a{b}+", "/a", null],
  ["/a{b}", "/ab", []],
  ["/a{-:b}?", "/a-x", ["x"]],
  ["/a{-:b,}+", "/a-x,-y,", ["x,-y"]],
  ["/a{-:b,}*", "/a", [undefined]],
  ["/{}+", "/", []],
  ["/\\:a", "/:a", []],
  ["/a b", "/a%20b", []],
  ["/ä:ü", "/%C3%A4x", ["x"]],
];

/** Random numbers, the same for each run. */
function* random(seed: number): Generator<number, never> {
  for (let state = seed;;) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    yield state >>> 8;
  }
}

/** A path that counts how often it is read. */
class CountedPath {
  looks = 0;
  readonly length: number;
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
    this.length = path.length;
  }

  charCodeAt(at: number): number {
    this.looks++;
    return this.#path.charCodeAt(at);
  }

  startsWith(text: string, at: number): boolean {
    this.looks += text.length;
    return this.#path.startsWith(text, at);
  }
}

function looksFor(pattern: string, path: string): number {
  const counted = new CountedPath(path);
  assertEquals(PathPattern.compile(pattern)?.exec(counted as unknown as string), null);
  return counted.looks;
}

describe("a path pattern", () => {
  for (const [pattern, path, captures] of rows) {
    test(`${pattern} on ${path === "" ? "nothing" : path}`, () => {
      assertEquals(PathPattern.compile(pattern)?.exec(path), captures);
    });
  }

  test("that is malformed or has a regular expression is not compiled", () => {
    for (
      const pattern of ["/:a(b)", "/(a)", "/{a", "/a}", "/:", "/a?", "/:a/:a", "/{a{b}}", "/\\"]
    ) {
      assertEquals(PathPattern.compile(pattern), null, pattern);
    }
  });

  // Each has variables whose boundaries a RegExp would try in all combinations.
  const heavy: readonly (readonly [pattern: string, unit: string, end: string])[] = [
    ["/files/:name.:ext", ".", "/"],
    ["/:a.:b.:c.:d", ".", "/"],
    ["/:a:b:c", "x", "/"],
    ["/*/x/*/y/*", "/x", ""],
    ["/*a*a*a*b", "a", ""],
    ["/:a-:b?", "-", "/"],
    ["/{:a-}*z", "-", ""],
    ["/:a+/x/:b+", "/x", "/"],
    ["/{-:a}?{-:b}?{-:c}?", "-", "/"],
  ];
  for (const [pattern, unit, end] of heavy) {
    test(`${pattern} takes linear time`, () => {
      const [once = 0, twice = 0] = [1000, 2000].map((count) =>
        looksFor(
          pattern,
          `/files/${unit.repeat(count)}${end}`.replace(/^\/files\//, (start) =>
            pattern.startsWith(start) ? start : "/"),
        )
      );
      assertLess(twice, once * 2.1);
      assertLess(once, 100 * 1000);
    });
  }

  // `task fuzz` compares more.
  test("matches like URLPattern, for random patterns and paths", () => {
    if (!isComparable) return;
    const numbers = random(20_151_103);
    let compared = 0;
    for (let round = 0; round < 400; round++) {
      compared += comparePattern((limit) => numbers.next().value % limit);
    }
    assertLess(600, compared);
  });
});
