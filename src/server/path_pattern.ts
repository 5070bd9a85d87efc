/**
 * Matches patterns of `URLPattern` in linear time.
 *
 * A `URLPattern` is a regular expression. If two variables of one segment follow each other, as in
 * `/files/:name.:ext`, a path that does not match takes quadratic time: 0.5 s for 16 KiB. This matcher
 * tries each step of the pattern at most once at each index of the path, like BitState in RE2.
 *
 * @module
 */

/** What a variable matches: `segment` one or more characters without `/`, `any` any characters. */
type VariableKind = "segment" | "any";

/** A part of a pattern: text, or a variable with optional text before and after it. */
interface Part {
  readonly prefix: string;
  readonly variable: { readonly kind: VariableKind; readonly name: string | undefined } | null;
  readonly suffix: string;
  readonly modifier: "" | "?" | "*" | "+";
}

const NAMED = /:([\p{ID_Start}$_][\p{ID_Continue}$\u200c\u200d]*)/uy;

/** Encodes text as in the path of a URL (the path percent-encode set of the URL Standard). */
export function encodePath(text: string): string {
  return text.toWellFormed().replace(/[^\x21-\x7e]|["#<>?`{}]/gu, encodeURIComponent);
}

function textPart(text: string): Part {
  return { prefix: text, variable: null, suffix: "", modifier: "" };
}

/** Parses a pattern. Returns `null` if it is malformed or contains a regular expression. */
class Parser {
  readonly #pattern: string;
  #at = 0;

  constructor(pattern: string) {
    this.#pattern = pattern;
  }

  parse(): Part[] | null {
    const parts: Part[] = [];
    while (this.#at < this.#pattern.length) {
      const more = this.#peek() === "{" ? this.#group() : this.#plain();
      if (more === null) return null;
      parts.push(...more);
    }
    const names = parts.flatMap(({ variable }) => variable?.name ?? []);
    return new Set(names).size === names.length ? parts : null;
  }

  #peek(): string {
    return this.#pattern.charAt(this.#at);
  }

  /** Parses text, optionally with a variable after it. */
  #plain(): Part[] | null {
    const start = this.#at;
    const text = this.#text();
    const end = this.#at;
    const variable = this.#variable();
    if (text === null || this.#at === start) return null;
    if (variable === null) return [textPart(text)];
    const modifier = this.#modifier();
    // The slash before an optional or repeated variable is optional or repeated with it.
    const isSlash = modifier !== "" && /(?<!\\)\/$/.test(this.#pattern.slice(start, end));
    const prefix = isSlash ? "/" : "";
    const before = text.slice(0, text.length - prefix.length);
    return [textPart(before), { prefix, variable, suffix: "", modifier }];
  }

  /** Parses `{text:name text}` and its modifier. */
  #group(): Part[] | null {
    this.#at++;
    const prefix = this.#text();
    const variable = this.#variable();
    const suffix = this.#text();
    if (prefix === null || suffix === null || this.#peek() !== "}") return null;
    this.#at++;
    return [{ prefix, variable, suffix, modifier: this.#modifier() }];
  }

  #text(): string | null {
    let text = "";
    for (;;) {
      const character = this.#peek();
      if (character === "" || /[:*{}]/.test(character)) return encodePath(text);
      if (/[()?+]/.test(character)) return null;
      if (character === "\\") this.#at++;
      if (this.#peek() === "") return null;
      text += this.#peek();
      this.#at++;
    }
  }

  #variable(): Part["variable"] {
    if (this.#peek() === "*") {
      this.#at++;
      return { kind: "any", name: undefined };
    }
    NAMED.lastIndex = this.#at;
    const found = NAMED.exec(this.#pattern);
    if (found === null) return null;
    this.#at = NAMED.lastIndex;
    return { kind: "segment", name: found[1] };
  }

  #modifier(): Part["modifier"] {
    const character = this.#peek();
    if (character !== "?" && character !== "*" && character !== "+") return "";
    this.#at++;
    return character;
  }
}

/**
 * - `text`: matches the text
 * - `segment`: matches one character other than `/`
 * - `any`: matches one character
 * - `save`: stores the index, for a capture
 * - `split`: continues at `first`, and at `second` if that fails
 */
type Step =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: VariableKind }
  | { readonly kind: "save"; readonly slot: number }
  | Split;

/** Two ways to continue. */
interface Split {
  readonly kind: "split";
  readonly first: number;
  second: number;
  /** The index among the splits. */
  readonly id: number;
}

/** Compiles a pattern to steps. A split skips or repeats the steps between it and its target. */
class Compiler {
  readonly steps: Step[] = [];
  splits = 0;
  #slots = 0;

  part({ prefix, variable, suffix, modifier }: Part): void {
    const text = (text: string) => void (text !== "" && this.steps.push({ kind: "text", text }));
    if (variable === null) return this.#times(modifier, () => text(prefix + suffix));
    const one = () => this.#variable(variable.kind);
    const isRepeated = modifier === "*" || modifier === "+";
    if (isRepeated && prefix + suffix === "") {
      return this.#capture(() => this.#times(modifier, one));
    }
    const more = () => {
      text(suffix + prefix);
      one();
    };
    this.#times(modifier === "" || modifier === "+" ? "" : "?", () => {
      text(prefix);
      this.#capture(() => {
        one();
        if (isRepeated) this.#times("*", more);
      });
      text(suffix);
    });
  }

  /** Like `[^/]+?`, which matches as little as possible, or `.*`, which matches as much. */
  #variable(kind: VariableKind): void {
    const start = this.steps.length;
    if (kind === "any") return this.#times("*", () => void this.steps.push({ kind }));
    this.steps.push({ kind });
    this.#split(start + 2, start);
  }

  #capture(body: () => void): void {
    const slot = this.#slots;
    this.#slots += 2;
    this.steps.push({ kind: "save", slot });
    body();
    this.steps.push({ kind: "save", slot: slot + 1 });
  }

  #times(modifier: Part["modifier"], body: () => void): void {
    if (modifier === "") return body();
    const start = this.steps.length;
    const around = modifier === "+" ? null : this.#split(start + 1, start);
    body();
    if (modifier !== "?") this.#split(start, this.steps.length + 1);
    if (around !== null) around.second = this.steps.length;
  }

  #split(first: number, second: number): Split {
    const split: Split = { kind: "split", first, second, id: this.splits++ };
    this.steps.push(split);
    return split;
  }
}

/** A stored index, linked to those stored before. */
interface Saved {
  readonly slot: number;
  readonly at: number;
  readonly before: Saved | null;
}

/** Where to continue if the current attempt fails. */
interface Alternative {
  readonly step: number;
  readonly at: number;
  readonly saved: Saved | null;
}

/** A compiled pattern. */
export class PathPattern {
  /** The names of the variables, in order; `undefined` for a `*`. */
  readonly names: readonly (string | undefined)[];
  readonly #steps: readonly Step[];
  readonly #splits: number;

  private constructor(parts: readonly Part[]) {
    const compiler = new Compiler();
    for (const part of parts) compiler.part(part);
    this.#steps = compiler.steps;
    this.#splits = compiler.splits;
    this.names = parts.flatMap(({ variable }) => variable === null ? [] : [variable.name]);
  }

  /** Compiles a pattern. Returns `null` if it is malformed or contains a regular expression. */
  static compile(pattern: string): PathPattern | null {
    const parts = new Parser(pattern).parse();
    return parts && new PathPattern(parts);
  }

  /**
   * Matches a whole path.
   *
   * @returns The text of each variable, `undefined` for one that is missing; `null` if the path does
   * not match.
   */
  exec(path: string): (string | undefined)[] | null {
    const size = path.length + 1;
    const tried = new Uint8Array(this.#splits * size);
    const alternatives: Alternative[] = [{ step: 0, at: 0, saved: null }];
    for (let next = alternatives.pop(); next !== undefined; next = alternatives.pop()) {
      let { step, at, saved } = next;
      run: for (;;) {
        const what = this.#steps[step++];
        if (what === undefined) {
          if (at === path.length) return this.#captures(path, saved);
          break;
        }
        switch (what.kind) {
          case "text":
            if (!path.startsWith(what.text, at)) break run;
            at += what.text.length;
            break;
          case "save":
            saved = { slot: what.slot, at, before: saved };
            break;
          case "split": {
            // If this step has failed at this index before, it fails again.
            const state = what.id * size + at;
            if (tried[state] === 1) break run;
            tried[state] = 1;
            alternatives.push({ step: what.second, at, saved });
            step = what.first;
            break;
          }
          default:
            if (at === path.length) break run;
            if (what.kind === "segment" && path.charCodeAt(at) === 0x2f) break run;
            at++;
        }
      }
    }
    return null;
  }

  #captures(path: string, saved: Saved | null): (string | undefined)[] {
    const places: number[] = [];
    for (let place = saved; place !== null; place = place.before) places[place.slot] ??= place.at;
    return this.names.map((_, index) => {
      const start = places[2 * index];
      return start === undefined ? undefined : path.slice(start, places[2 * index + 1]);
    });
  }
}
