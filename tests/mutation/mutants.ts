/**
 * Finds the places where one small mistake can change a source. Uses Babel's parser. Types, imports,
 * and the texts of messages are not changed.
 *
 * @module
 */
import { parse } from "@babel/parser";

/** A source with one mistake. */
export interface Mutant {
  /** The path of the source, relative to the repository. */
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
  /** The line above. */
  readonly above: string;
  /** The changed lines of the source, joined into one line. */
  readonly before: string;
  /** The same lines with the mistake. */
  readonly after: string;
  /** The whole source with the mistake. */
  readonly source: string;
}

/** A part of a source, and its replacement. */
interface Change {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** The used properties of Babel's nodes. */
interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [key: string]: unknown;
}

/** The replacements of each operator. If there are two, both are tried. */
const OPERATORS: Readonly<Record<string, readonly string[]>> = {
  "<": ["<=", ">="],
  "<=": ["<", ">"],
  ">": [">=", "<="],
  ">=": [">", "<"],
  "===": ["!=="],
  "!==": ["==="],
  "+": ["-"],
  "-": ["+"],
  "*": ["/"],
  "/": ["*"],
  "%": ["*"],
  "&": ["|"],
  "|": ["&"],
  "^": ["&"],
  "<<": [">>"],
  ">>": ["<<"],
  ">>>": ["<<"],
  "+=": ["-="],
  "-=": ["+="],
  "&=": ["|="],
  "|=": ["&="],
  "^=": ["&="],
  "&&": ["||"],
  "||": ["&&"],
  "??": ["&&"],
};

/** Matches strings that are names, such as those of states; not sentences, and not bytes of the wire. */
const NAME = /^[a-z][A-Za-z0-9-]*$/;

/** Nodes that are left out: they do not run, or the type check finds every mistake in them. */
const LEFT_OUT = /^(Import|Export(All|NamespaceSpecifier)|TS(?!As|Satisfies|NonNull))/;

/** All mutants of a source, in the order of their positions. */
export function findMutants(file: string, source: string): Mutant[] {
  const { program, comments } = parseSource(source);
  const code = withoutComments(source, comments);
  return [...changesOf(program, code)]
    .sort((a, b) => a.start - b.start || a.end - b.end)
    .map((change) => applyChange({ file, source, change }))
    .filter(({ before, after }) => before !== after);
}

function parseSource(source: string): { readonly program: Node; readonly comments: Node[] } {
  const file: unknown = parse(source, { sourceType: "module", plugins: ["typescript"] });
  return file as { readonly program: Node; readonly comments: Node[] };
}

/** Whether a mutant is valid syntax. For example, `a ?? b && c` is not. */
export function canParse({ source }: Pick<Mutant, "source">): boolean {
  try {
    parseSource(source);
    return true;
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}

/** The source with comments blanked out, so that operators are found only in code. */
function withoutComments(source: string, comments: readonly Node[]): string {
  let code = source;
  for (const { start, end } of comments) {
    code = code.slice(0, start) + " ".repeat(end - start) + code.slice(end);
  }
  return code;
}

/** The changes of a node and of all nodes in it. */
function* changesOf(node: Node, code: string): Generator<Change> {
  if (LEFT_OUT.test(node.type)) return;
  yield* changesOfNode(node, code);
  for (const [key, value] of Object.entries(node)) {
    // The name of a property is not a value.
    if (key === "key" && node["computed"] !== true) continue;
    for (const child of Array.isArray(value) ? value : [value]) {
      if (isNode(child)) yield* changesOf(child, code);
    }
  }
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && "type" in value && "start" in value &&
    value.constructor.name === "Node";
}

function* changesOfNode(node: Node, code: string): Generator<Change> {
  switch (node.type) {
    case "BinaryExpression":
    case "LogicalExpression":
    case "AssignmentExpression":
      yield* changesOfOperator(node, code);
      break;
    case "UpdateExpression":
    case "UnaryExpression":
      yield* changesOfUnary(node);
      break;
    case "NumericLiteral":
    case "BigIntLiteral":
    case "BooleanLiteral":
    case "StringLiteral":
      yield* changesOfLiteral(node);
      break;
    case "IfStatement":
    case "ConditionalExpression":
      yield* ["true", "false"].map((text) => replace(node["test"] as Node, text));
      break;
    // Not `true`: an endless loop would be found only by its time limit.
    case "WhileStatement":
    case "ForStatement":
      if (isNode(node["test"])) yield replace(node["test"], "false");
      break;
    case "ReturnStatement":
      if (isNode(node["argument"])) yield replace(node["argument"], "undefined");
      break;
    case "ArrowFunctionExpression":
      if ((node["body"] as Node).type !== "BlockStatement") {
        yield { ...replace(node["body"] as Node, "undefined"), ...outerBody(node, code) };
      }
      break;
    case "ExpressionStatement":
      if (isCall(node["expression"] as Node)) yield replace(node, ";");
      break;
  }
}

function replace({ start, end }: Node, text: string): Change {
  return { start, end, text };
}

/** The body of an arrow function with its parentheses. */
function outerBody(arrow: Node, code: string): { readonly start: number; readonly end: number } {
  const body = arrow["body"] as Node;
  const before = code.slice(arrow.start, body.start);
  return { start: arrow.start + before.lastIndexOf("=>") + "=> ".length, end: arrow.end };
}

function* changesOfOperator(node: Node, code: string): Generator<Change> {
  const [left, right] = [node["left"] as Node, node["right"] as Node];
  const operator = node["operator"] as string;
  const start = code.indexOf(operator, left.end);
  if (start === -1 || start >= right.start) return;
  for (const text of OPERATORS[operator] ?? []) {
    yield { start, end: start + operator.length, text };
  }
}

function* changesOfUnary(node: Node): Generator<Change> {
  const operator = node["operator"] as string;
  const argument = node["argument"] as Node;
  if (operator === "++" || operator === "--") {
    const start = node["prefix"] === true ? node.start : argument.end;
    yield { start, end: start + 2, text: operator === "++" ? "--" : "++" };
  } else if (["!", "-", "~"].includes(operator)) {
    yield { start: node.start, end: node.start + 1, text: "" };
  }
}

function* changesOfLiteral(node: Node): Generator<Change> {
  const value = node["value"];
  switch (node.type) {
    case "NumericLiteral":
      yield* [Number(value) + 1, Number(value) - 1].map((other) => replace(node, numeral(other)));
      break;
    case "BigIntLiteral":
      yield* [1n, -1n].map((step) => replace(node, numeral(BigInt(String(value)) + step, "n")));
      break;
    case "BooleanLiteral":
      yield replace(node, String(value !== true));
      break;
    case "StringLiteral":
      if (NAME.test(String(value))) yield replace(node, '""');
      break;
  }
}

function numeral(value: number | bigint, suffix = ""): string {
  return value < 0 ? `(${value}${suffix})` : `${value}${suffix}`;
}

function isCall(node: Node): boolean {
  if (node.type === "AwaitExpression") return isCall(node["argument"] as Node);
  const isSuper = isNode(node["callee"]) && node["callee"].type === "Super";
  return (node.type === "CallExpression" || node.type === "OptionalCallExpression") && !isSuper;
}

/** A source with one change, and the lines before and after it. */
function applyChange(
  { file, source, change: { start, end, text } }: {
    readonly file: string;
    readonly source: string;
    readonly change: Change;
  },
): Mutant {
  const from = source.lastIndexOf("\n", start - 1) + 1;
  const to = source.indexOf("\n", end) === -1 ? source.length : source.indexOf("\n", end);
  const changed = source.slice(from, start) + text + source.slice(end, to);
  return {
    file,
    line: source.slice(0, start).split("\n").length,
    above: inOneLine(source.slice(source.lastIndexOf("\n", from - 2) + 1, Math.max(from - 1, 0))),
    before: inOneLine(source.slice(from, to)),
    after: inOneLine(changed),
    source: source.slice(0, from) + changed + source.slice(to),
  };
}

function inOneLine(text: string): string {
  return text.trim().replace(/\s+/g, " ");
}
