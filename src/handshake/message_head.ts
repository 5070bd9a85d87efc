/**
 * The header fields of a message head, found in its text when they are asked for.
 *
 * @module
 */
import { equalsIgnoreCase, isSpace } from "./grammar.ts";

/** Where the fields of one head are in its text. */
interface FieldIndex {
  /** The head. */
  head: MessageHead | undefined;
  /** How many fields it has; what is behind them in the arrays belongs to an earlier head. */
  count: number;
  /** Where each field line starts. */
  readonly starts: number[];
  /** Where the colon of each is. */
  readonly colons: number[];
}

/**
 * Module state: the fields of the head that was read or looked into last. Fields are looked up right after a head
 * was read, and then hardly ever, so one index serves all connections. An index for each head would
 * take 0.1 µs (Node, Deno) to 0.4 µs (Bun) more for a handshake of Chromium's, and 430 bytes for as long
 * as the head is kept.
 */
export const fieldIndex: FieldIndex = { head: undefined, count: 0, starts: [], colons: [] };

/** The head of a request or of a response. A `HeadReader` makes it and has checked its text. */
export class MessageHead {
  /** The text that is kept: all of it, unless a subclass keeps a part of it elsewhere. */
  protected kept: string;
  /** Where the first field line starts. */
  protected readonly fieldsStart: number;

  /**
   * @param text The head with its empty line, well-formed, one character for each byte.
   * @param fieldsStart Where its first field line starts.
   */
  constructor(text: string, fieldsStart: number) {
    this.kept = text;
    this.fieldsStart = fieldsStart;
  }

  /** The head with its empty line, one character for each byte. */
  get text(): string {
    return this.kept;
  }

  /**
   * The value of a field without the space around it; several fields of the name are joined by
   * `", "` in their order (RFC 9110 §5.3).
   *
   * @param name The field's name in lower case.
   * @returns `undefined` if it was not sent.
   */
  get(name: string): string | undefined {
    const { text } = this;
    const { starts, colons, count } = this.index();
    let joined: string | undefined;
    for (let i = 0; i < count; i++) {
      // `count` entries are there.
      if (!isField(text, starts[i]!, colons[i]!, name)) continue;
      const value = fieldValue(text, i);
      joined = joined === undefined ? value : `${joined}, ${value}`;
    }
    return joined;
  }

  /** The values of all fields of a name, with the space around them. */
  rawValues(name: string): string[] {
    const { text } = this;
    const { starts, colons, count } = this.index();
    const values: string[] = [];
    for (let i = 0; i < count; i++) {
      // `count` entries are there.
      if (!isField(text, starts[i]!, colons[i]!, name)) continue;
      values.push(text.substring(colons[i]! + 1, fieldEnd(text, i)));
    }
    return values;
  }

  /** All fields, in a new `Headers`. */
  toHeaders(): Headers {
    return new Headers(this.pairs());
  }

  /** The names and values of all fields, in their order. */
  protected pairs(): [name: string, value: string][] {
    const { text } = this;
    const { starts, colons, count } = this.index();
    const pairs: [name: string, value: string][] = [];
    for (let i = 0; i < count; i++) {
      // `count` entries are there.
      pairs.push([text.substring(starts[i]!, colons[i]!), fieldValue(text, i)]);
    }
    return pairs;
  }

  /** The index of this head. */
  protected index(): Readonly<FieldIndex> {
    if (fieldIndex.head !== this) this.#locate();
    return fieldIndex;
  }

  #locate(): void {
    const { text } = this;
    const end = text.length - 2;
    fieldIndex.head = this;
    fieldIndex.count = 0;
    for (let start = this.fieldsStart; start < end;) {
      fieldIndex.starts[fieldIndex.count] = start;
      fieldIndex.colons[fieldIndex.count++] = text.indexOf(":", start);
      start = text.indexOf("\r\n", start) + 2;
    }
  }
}

/** The value of the field at a place of the index, without the space around it. */
export function fieldValue(text: string, place: number): string {
  // The caller has compared the place with the count.
  let start = fieldIndex.colons[place]! + 1;
  let end = fieldEnd(text, place);
  while (start < end && isSpace(text.charCodeAt(start))) start++;
  while (end > start && isSpace(text.charCodeAt(end - 1))) end--;
  return text.substring(start, end);
}

/** Where the field line at a place of the index ends, without its CRLF. */
function fieldEnd(text: string, place: number): number {
  const { starts, count } = fieldIndex;
  // In range: compared with the count.
  return (place + 1 < count ? starts[place + 1]! : text.length - 2) - 2;
}

/** Whether the field name from `start` to `colon` is `name`, which is in lower case, in any case. */
export function isField(text: string, start: number, colon: number, name: string): boolean {
  return colon - start === name.length && equalsIgnoreCase(text, start, name);
}
