/**
 * Reads the JUnit reports of `deno test`, `bun test` and `node --test`, which differ: Bun and Node
 * nest a describe's tests in a `<testsuite>`, Deno names them `describe > test` in a flat list that
 * has the describe itself too, and Node reports a file that has no test as a test of its own.
 *
 * @module
 */

/** One test's result, or that of a describe. */
export interface TestResult {
  /** The names of its describes and its own, joined by ` > `. */
  readonly name: string;
  /** The test file, where the report tells: Deno does only for what is at the top. */
  readonly file: string;
  /** How it ended. A test that was skipped or that never ended has not passed. */
  readonly outcome: "passed" | "failed" | "skipped";
  /** Whether it is a describe. */
  readonly group: boolean;
}

const TAG = /<(\/?)(testsuite|testcase|failure|error|skipped)\b((?:\s+[\w-]+="[^"]*")*)\s*(\/?)>/g;
const ATTRIBUTE = /([\w-]+)="([^"]*)"/g;

/** The tests of a report. */
export function parseJUnit(xml: string): TestResult[] {
  const results: { name: string; file: string; outcome: TestResult["outcome"] }[] = [];
  const suites: string[] = [];
  for (const [, closing, tag, attributes = "", alone] of xml.matchAll(TAG)) {
    const { name = "", file, classname = "" } = parseAttributes(attributes);
    const current = results.at(-1);
    if (tag === "testsuite") {
      if (closing) suites.pop();
      else if (!alone) suites.push(isFile(name) ? "" : name);
    } else if (tag === "testcase" && !closing) {
      const path = [...suites, name].filter((part) => part !== "").join(" > ");
      results.push({ name: path, file: file ?? classname, outcome: "passed" });
    } else if (current && !closing) {
      current.outcome = tag === "skipped" ? "skipped" : "failed";
    }
  }
  const groups = new Set(results.flatMap(({ name }) => ancestors(name)));
  return results.map((result) => ({ ...result, group: groups.has(result.name) }));
}

/** Bun and Deno wrap each file's tests in a suite of the file's name. */
function isFile(name: string): boolean {
  return /\.[cm]?[jt]s$/.test(name);
}

function ancestors(name: string): string[] {
  const parts = name.split(" > ");
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join(" > "));
}

function parseAttributes(text: string): Record<string, string> {
  const attributes: Record<string, string> = {};
  for (const [, name = "", value = ""] of text.matchAll(ATTRIBUTE)) {
    attributes[name] = unescape(value);
  }
  return attributes;
}

const ENTITIES: Readonly<Record<string, string>> = {
  lt: "<",
  gt: ">",
  amp: "&",
  quot: '"',
  apos: "'",
};

function unescape(text: string): string {
  return text.replace(/&(?:#(\d+)|#x([0-9a-f]+)|(\w+));/gi, (whole, decimal, hex, name) => {
    if (decimal) return String.fromCodePoint(Number(decimal));
    if (hex) return String.fromCodePoint(parseInt(hex, 16));
    return ENTITIES[name] ?? whole;
  });
}
