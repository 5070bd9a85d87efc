/**
 * Reads the JUnit reports that `deno test`, `bun test` and `node --test` write for a batch. Their
 * formats differ. Bun and Node report tests in the order of the run, so the marks show where a file
 * begins. They put a describe's tests into a `<testsuite>`. Deno writes a suite for each module that
 * registers tests, with its top-level tests and describes, and one more suite for all tests inside
 * describes, named `describe > test`.
 *
 * @module
 */
import { XMLParser } from "fast-xml-parser";
import { markedFile } from "./batch_events.ts";

/** One test's result. */
export interface TestResult {
  /** Its file. On Deno, the module that registers it, which may be a module that the file imports. */
  readonly file: string;
  /** The names of its describes and its own name, joined by ` > `. */
  readonly name: string;
  /** The result. A skipped test or a test that never ended has not passed. */
  readonly outcome: "passed" | "failed" | "skipped";
}

/** An element in the parser's order-preserving form: its only key is the tag's name. */
type Element = { readonly [tag: string]: Element[] } & {
  readonly ":@"?: { readonly name?: string };
};

/** A test or a describe, in the order of the report. */
interface Entry {
  /** The names, outermost describe first. */
  readonly path: readonly string[];
  readonly outcome: TestResult["outcome"];
}

const parser = new XMLParser({
  preserveOrder: true,
  ignoreAttributes: false,
  attributeNamePrefix: "",
  parseAttributeValue: false,
  htmlEntities: true,
  trimValues: false,
});

/** The name of Deno's suite for all tests inside describes. */
const DENO_STEPS = "ext:deno_node/testing.ts";

/** The tests of a report, without describes and marks. */
export function parseJUnit(xml: string): TestResult[] {
  const suites = (parser.parse(xml) as Element[]).flatMap((element) => element.testsuites ?? []);
  const isDeno = suites.some((suite) => isFile(nameOf(suite)) && nameOf(suite).startsWith("./"));
  if (!isDeno) return withMarkedFiles(suites.flatMap((suite) => entries(suite)));
  const [inDescribes, atTop] = [true, false].map((steps) =>
    suites.filter((suite) => (nameOf(suite) === DENO_STEPS) === steps)
  );
  const top = (atTop ?? []).flatMap((suite) => {
    const file = nameOf(suite).replace(/^\.\//, "");
    return entries(suite).map(({ path, outcome }) => ({ file, name: path.join(" > "), outcome }))
      .filter(({ name }) => markedFile(name) === undefined);
  });
  return joinSteps(top, (inDescribes ?? []).flatMap((suite) => entries(suite)));
}

function nameOf(element: Element): string {
  return element[":@"]?.name ?? "";
}

/** The tests of a suite and of the suites in it. */
function entries(element: Element, outer: readonly string[] = []): Entry[] {
  const name = nameOf(element);
  if (element.testcase !== undefined) {
    return [{ path: [...outer, name], outcome: outcomeOf(element.testcase) }];
  }
  const inner = isFile(name) ? outer : [...outer, name];
  return (element.testsuite ?? []).flatMap((child) => entries(child, inner));
}

/** Bun and Deno wrap everything in a suite that has the file's name. */
function isFile(name: string): boolean {
  return /\.[cm]?[jt]s$/.test(name);
}

function outcomeOf(children: readonly Element[]): TestResult["outcome"] {
  if (children.some((child) => "skipped" in child)) return "skipped";
  return children.some((child) => "failure" in child || "error" in child) ? "failed" : "passed";
}

function withMarkedFiles(all: readonly Entry[]): TestResult[] {
  let file = "";
  return all.flatMap(({ path, outcome }) => {
    const marked = path.length === 1 ? markedFile(path[0] ?? "") : undefined;
    if (marked === undefined) return [{ file, name: path.join(" > "), outcome }];
    file = marked;
    return [];
  });
}

/** Replaces each describe by its tests, which Deno reports one after another. */
function joinSteps(top: readonly TestResult[], steps: readonly Entry[]): TestResult[] {
  const names = steps.map(({ path: [name = ""] }) => name);
  const groups = new Set(names.flatMap(ancestors));
  const describes = new Set(top.map(({ name }) => name));
  const runs = new Map<string, { name: string; outcome: TestResult["outcome"] }[][]>();
  let last: string | undefined;
  for (const [index, { outcome }] of steps.entries()) {
    const name = names[index] ?? "";
    const own = ancestors(name).find((ancestor) => describes.has(ancestor)) ?? "";
    const all = runs.get(own) ?? [];
    if (own !== last) all.push([]);
    if (!groups.has(name)) all.at(-1)?.push({ name, outcome });
    runs.set(own, all);
    last = own;
  }
  return top.flatMap((result) => {
    const own = runs.get(result.name)?.shift();
    return own === undefined ? [result] : own.map((step) => ({ file: result.file, ...step }));
  });
}

function ancestors(name: string): string[] {
  const parts = name.split(" > ");
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join(" > "));
}
