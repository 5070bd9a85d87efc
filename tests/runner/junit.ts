/**
 * JUnit reports of batches, which `bun test` and `light_batch.ts` write. They report tests in the order of
 * the run, so the marks show where a file begins. A `<testsuite>` has the tests of a describe.
 *
 * @module
 */
import { XMLParser } from "fast-xml-parser";
import { markedFile } from "./batch_events.ts";
import type { LightResult } from "./light_test.ts";

/** One test's result. */
export interface TestResult {
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

/** The tests of a report, without describes and marks. */
export function parseJUnit(xml: string): TestResult[] {
  const suites = (parser.parse(xml) as Element[]).flatMap((element) => element.testsuites ?? []);
  return withMarkedFiles(suites.flatMap((suite) => entries(suite)));
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

/** Bun wraps everything in a suite that has the file's name. */
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

/** The report of a batch on Deno or Node. */
export function formatJUnit(results: readonly LightResult[]): string {
  const lines = results.map(({ path, failure }) => {
    const suites = path.slice(0, -1).map((name) => `<testsuite name="${escape(name)}">`).join("");
    const inside = failure === undefined ? "" : "<failure/>";
    const test = `<testcase name="${escape(path.at(-1) ?? "")}">${inside}</testcase>`;
    return suites + test + "</testsuite>".repeat(path.length - 1);
  });
  return `<testsuites>\n${lines.join("\n")}\n</testsuites>\n`;
}

function escape(text: string): string {
  // deno-lint-ignore no-control-regex -- XML allows few control characters, and only escaped
  return text.replace(/[\x00-\x1f]/g, " ")
    .replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
