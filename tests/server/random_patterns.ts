/**
 * Random path patterns, compared with `URLPattern`, for tests and for `task fuzz`.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { PathPattern } from "../../src/server/path_pattern.ts";

/** The captures of `URLPattern`. */
interface UrlPattern {
  exec(input: object): { pathname: { groups: Record<string, string | undefined> } } | null;
}
const { URLPattern } = globalThis as unknown as {
  URLPattern?: new (init: { pathname: string }) => UrlPattern;
};

/** Whether the runtime has `URLPattern`. */
export const isComparable: boolean = URLPattern !== undefined;

const PIECES = ["/", "/", "a", "b", "-", ":N", ":N", "*", "{a}", "{-:N}", "{:Nb}", "{a:N-}"];
const MODIFIERS = ["", "", "", "?", "*", "+"];
/** How many paths are tried with a pattern. */
const PATHS = 8;

/** The named captures by name, and those of `*` by number. */
function ours(pattern: string, path: string): Record<string, string | undefined> | null {
  const compiled = PathPattern.compile(pattern);
  assert(compiled !== null, pattern);
  const found = compiled.exec(path);
  if (found === null) return null;
  let number = 0;
  return Object.fromEntries(found.map((part, i) => [compiled.names[i] ?? String(number++), part]));
}

/**
 * Compares a random pattern on random paths. @param next Returns an integer from 0 to below `limit`.
 *
 * @returns How many paths were compared: none if `URLPattern` reads the pattern differently.
 */
export function comparePattern(next: (limit: number) => number): number {
  if (URLPattern === undefined) return 0;
  const pick = (list: readonly string[]): string => list[next(list.length)] ?? "";
  let pattern = "/";
  for (let i = next(5); i >= 0; i--) {
    const piece = pick(PIECES).replace("N", () => `n${i}_`);
    pattern += piece + (/[:*}]/.test(piece) ? pick(MODIFIERS) : "");
  }
  // URLPattern reads a `*` before a modifier or after a name differently, so it is not compared.
  if (/\*[*+?]|_[ab]|\+\*|\?\*/.test(pattern)) return 0;
  const theirs = new URLPattern({ pathname: pattern });
  for (let i = 0; i < PATHS; i++) {
    let path = "/";
    for (let j = next(7); j > 0; j--) path += pick(["a", "b", "-", "/"]);
    const match = theirs.exec({ pathname: path });
    const groups = match && { ...match.pathname.groups };
    assertEquals(ours(pattern, path), groups, `${pattern} on ${path}`);
  }
  return PATHS;
}
