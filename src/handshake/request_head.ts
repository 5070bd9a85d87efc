/**
 * The head of one HTTP request, as it was sent.
 *
 * @module
 */
import { Refusal } from "../errors.ts";
import { isSpace } from "./grammar.ts";
import { decodeLatin1, writeLatin1 } from "./latin1.ts";
import type { SharedHeads } from "./shared_heads.ts";

/** Where the fields of one head are in its text. */
interface LocatedFields {
  /** Whose fields they are. */
  head: RequestHead | undefined;
  /** How many there are; what stands behind them in the arrays is of an earlier head. */
  count: number;
  /** Where each field line starts. */
  readonly starts: number[];
  /** Where the colon of each is. */
  readonly colons: number[];
}

/**
 * The fields of the head that was read or looked into last. A head is looked into right after it
 * was read, a dozen times, and then hardly ever: so one index serves all connections, and an open
 * one keeps its text only.
 */
export const located: LocatedFields = { head: undefined, count: 0, starts: [], colons: [] };

const FORBIDDEN = /^(?:CONNECT|TRACE|TRACK)$/i;
/**
 * A request-target in absolute form up to its path, and its authority. Clients of WebSockets that go
 * through a forward proxy write `ws` and `wss` too.
 */
export const ABSOLUTE_FORM = /^(?:http|ws)s?:\/\/([^/?]*)/i;
/** The length of ` HTTP/1.1` and the CRLF behind it. */
const VERSION_LENGTH = 11;

/**
 * A request's method, target and fields, found in its text when they are asked for. It is made by a
 * `HeadReader`, which has checked the text.
 */
export class RequestHead {
  /** The head up to its empty line, which is included, without {@linkcode #key}. */
  #kept: string;
  /** What was taken out of the head, so that the rest can be shared with other heads. */
  #key = "";
  /** Where it was. */
  #keyAt = 0;
  readonly #methodEnd: number;
  readonly #targetEnd: number;

  /**
   * @param text The head from its method to its empty line, well-formed.
   * @param methodEnd Where the space behind the method is.
   * @param targetEnd Where the space behind the request-target is.
   */
  constructor(text: string, methodEnd: number, targetEnd: number) {
    this.#kept = text;
    this.#methodEnd = methodEnd;
    this.#targetEnd = targetEnd;
  }

  /** The head up to its empty line, which is included: a character for each byte. */
  get #text(): string {
    if (this.#key === "") return this.#kept;
    return this.#kept.slice(0, this.#keyAt) + this.#key + this.#kept.slice(this.#keyAt);
  }

  /**
   * Keeps the key apart and the rest of the text once for all clients that send the same. To be
   * called when the handshake is over, after which a head is hardly looked into.
   */
  share(heads: SharedHeads): void {
    const key = this.#key === "" ? this.get("sec-websocket-key") : undefined;
    const at = key === undefined || key === "" ? -1 : this.#kept.indexOf(key);
    if (key === undefined || at === -1) return;
    this.#kept = heads.share(this.#kept.slice(0, at) + this.#kept.slice(at + key.length));
    this.#keyAt = at;
    this.#key = copyOf(key);
  }

  /** The method, in the case that was sent; only `GET` is GET (RFC 9110 §9.1). */
  get method(): string {
    return this.#text.substring(0, this.#methodEnd);
  }

  /** The request-target as it was sent. */
  get target(): string {
    return this.#text.substring(this.#methodEnd + 1, this.#targetEnd);
  }

  /** The HTTP version. */
  get httpVersion(): "1.0" | "1.1" {
    return this.#text[this.#targetEnd + VERSION_LENGTH - 3] === "0" ? "1.0" : "1.1";
  }

  /**
   * Path and query (RFC 6455 §3): the request-target without an absolute form's origin. Of `*`, which
   * has neither, `/` (RFC 9112 §3.3).
   */
  get resourceName(): string {
    const { target } = this;
    if (target.startsWith("/")) return target;
    if (target === "*") return "/";
    const resource = target.replace(ABSOLUTE_FORM, "");
    return resource.startsWith("/") ? resource : `/${resource}`;
  }

  /** The path, percent-encoded as it was sent. */
  get path(): string {
    const { resourceName } = this;
    const mark = resourceName.indexOf("?");
    return mark === -1 ? resourceName : resourceName.substring(0, mark);
  }

  /** The query without its `?`; empty if there is none. */
  get query(): string {
    const { target } = this;
    const mark = target.indexOf("?");
    return mark === -1 ? "" : target.substring(mark + 1);
  }

  /** The authority of a request-target in absolute form; `undefined` in the other forms. */
  get authority(): string | undefined {
    const { target } = this;
    return target.startsWith("/") ? undefined : ABSOLUTE_FORM.exec(target)?.[1];
  }

  /**
   * The host and, if it was given, the port: of the target in absolute form, which replaces the
   * `Host` field (RFC 9112 §3.2.2), or of that field. Empty if HTTP/1.0 came without either.
   */
  get host(): string {
    return this.authority ?? this.get("host") ?? "";
  }

  /**
   * The value of a field without the space around it; several fields of the name are joined by
   * `", "` in their order (RFC 9110 §5.3).
   *
   * @param name The field's name in lower case.
   * @returns `undefined` if it was not sent.
   */
  get(name: string): string | undefined {
    const { starts, colons, count } = this.#fields();
    const text = this.#text;
    let joined: string | undefined;
    for (let i = 0; i < count; i++) {
      // `count` entries are there.
      const start = starts[i]!;
      if (!isField(text, start, colons[i]!, name)) continue;
      const value = valueAt(i, text);
      joined = joined === undefined ? value : `${joined}, ${value}`;
    }
    return joined;
  }

  /** How many fields of a name were sent. */
  count(name: string): number {
    const { starts, colons, count } = this.#fields();
    const text = this.#text;
    let found = 0;
    for (let i = 0; i < count; i++) {
      // `count` entries are there.
      const start = starts[i]!;
      if (isField(text, start, colons[i]!, name)) found++;
    }
    return found;
  }

  /** All fields, in a new `Headers`; `Host` is {@linkcode host}. */
  toHeaders(): Headers {
    return new Headers(this.#pairs());
  }

  /**
   * A Web `Request` of this head, without a body. It costs 3 to 10 µs. An HTTP/1.0 request without a
   * host gets `localhost`.
   *
   * @param scheme What the client used: `"https"` over TLS.
   * @throws {Refusal} 501 if a `Request` can't carry the method: CONNECT, TRACE and TRACK; `get`
   * and the like, which it would turn into GET; and on Bun every one that it does not know.
   */
  toRequest(scheme: "http" | "https"): Request {
    const { method } = this;
    const url = `${scheme}://${this.host || "localhost"}${this.resourceName}`;
    // On Deno, pairs take a fifth of the time that a `Headers` does.
    const headers = this.#pairs();
    // Bun would make one of a method that Fetch §2.2.1 forbids. Nothing else can be refused: the host
    // was checked when the head was read.
    const request = FORBIDDEN.test(method) ? undefined : new Request(url, { method, headers });
    // A method is case-sensitive (RFC 9110 §9.1): `get` is another one than GET.
    if (request?.method !== method) throw methodNotServed(method);
    return request;
  }

  #pairs(): [name: string, value: string][] {
    const { starts, colons, count } = this.#fields();
    const { authority } = this;
    const text = this.#text;
    const pairs: [name: string, value: string][] = [];
    let cookie: [name: string, value: string] | undefined;
    for (let i = 0; i < count; i++) {
      // `count` entries are there.
      const start = starts[i]!, colon = colons[i]!;
      const pair: [string, string] = [text.substring(start, colon), valueAt(i, text)];
      if (authority !== undefined && isField(text, start, colon, "host")) pair[1] = authority;
      if (isField(text, start, colon, "cookie")) {
        // Several are joined by a semicolon (RFC 9113 §8.2.3); Deno's `Headers` would take a comma.
        if (cookie !== undefined) {
          cookie[1] += `; ${pair[1]}`;
          continue;
        }
        cookie = pair;
      }
      pairs.push(pair);
    }
    return pairs;
  }

  #fields(): LocatedFields {
    if (located.head !== this) this.#locate();
    return located;
  }

  #locate(): void {
    const text = this.#text;
    const end = text.length - 2;
    located.head = this;
    located.count = 0;
    for (let start = this.#targetEnd + VERSION_LENGTH; start < end;) {
      located.starts[located.count] = start;
      located.colons[located.count++] = text.indexOf(":", start);
      start = text.indexOf("\r\n", start) + 2;
    }
  }
}

/** The value of the field at `index` of the fields located, without the space around it. */
function valueAt(index: number, text: string): string {
  const { starts, colons, count } = located;
  // The caller has compared `index` with `count`.
  let start = colons[index]! + 1;
  let end = (index + 1 < count ? starts[index + 1]! : text.length - 2) - 2;
  while (start < end && isSpace(text.charCodeAt(start))) start++;
  while (end > start && isSpace(text.charCodeAt(end - 1))) end--;
  return text.substring(start, end);
}

/** Whether the field name from `start` to `colon` is `name`, which is in lower case, in any case. */
function isField(text: string, start: number, colon: number, name: string): boolean {
  if (colon - start !== name.length) return false;
  for (let i = 0; i < name.length; i++) {
    const code = text.charCodeAt(start + i);
    const isUpperCase = code >= 0x41 && code <= 0x5a;
    if ((isUpperCase ? code + 0x20 : code) !== name.charCodeAt(i)) return false;
  }
  return true;
}

/** The refusal of a method that nothing here serves. */
export function methodNotServed(method: string): Refusal {
  return new Refusal(501, `the method ${method} is not served (RFC 9110 §15.6.2)`, {
    reason: "method",
  });
}

/** A copy of a part of a text: a substring would keep all of it alive. */
function copyOf(part: string): string {
  const bytes = new Uint8Array(part.length);
  return decodeLatin1(bytes, 0, writeLatin1(part, bytes));
}
