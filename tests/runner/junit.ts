/**
 * Reads the JUnit reports that `deno test`, `bun test` and `node --test` write of a batch, which
 * differ. Bun and Node report in the order of the run, so that marks tell the files, and nest a
 * describe's tests in a `<testsuite>`. Deno has a suite for each module that registers tests, with
 * what is at its top, describes too, and one for all tests of describes, named `describe > test`.
 *
 * @module
 */
import { XMLParser } from "fast-xml-parser";
import { markedFile } from "./batch_events.ts";

/** One test's result. */
export interface TestResult {
  /** Its file; on Deno, the module that registers it, which may be one that the file imports. */
  readonly file: string;
  /** The names of its describes and its own, joined by ` > `. */
  readonly name: string;
  /** How it ended. A test that was skipped or that never ended has not passed. */
  readonly outcome: "passed" | "failed" | "skipped";
}

/** An element, as the parser gives it where order counts: one key, the tag's name. */
type Element = { readonly [tag: string]: Element[] } & {
  readonly ":@"?: { readonly name?: string };
};

/** A test or a describe as reported, in the report's order. */
interface Entry {
  /** The names from the outermost describe on. */
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

/** Deno's suite for all that is in a describe. */
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

/** Puts Deno's steps in the place of their describes. Those of a describe come one after another. */
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
