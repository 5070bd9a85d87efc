/**
 * The head of an HTTP request.
 *
 * @module
 */
import { Refusal } from "../errors.ts";
import { fieldValue, isField, MessageHead, valueStart } from "./message_head.ts";
import type { SharedHeads } from "./shared_heads.ts";

const FORBIDDEN = /^(?:CONNECT|TRACE|TRACK)$/i;
/**
 * The start of a request-target in absolute form, with its authority. WebSocket clients behind a forward
 * proxy also send `ws` and `wss`.
 */
export const ABSOLUTE_FORM = /^(?:http|ws)s?:\/\/([^/?]*)/i;
/** The length of ` HTTP/1.1` and the CRLF after it. */
const VERSION_LENGTH = 11;
const SLASH = 0x2f;
const DIGIT_0 = 0x30;
const DIGIT_2 = 0x32;

/** The part of a {@linkcode RequestHead} that the checks of an opening handshake use. */
export interface HandshakeRequest {
  /** The method, case-sensitive. */
  readonly method: string;
  /** `"1.0"`, `"1.1"` or `"2.0"`. */
  readonly httpVersion: string;
  /** Returns the value of a field by its name in lower case; `null` or `undefined` if it was not sent. */
  get(name: string): string | null | undefined;
}

/** The field whose value differs in each handshake. */
export const KEY_FIELD = "sec-websocket-key";

/** The method, target and fields of a request. They are parsed on access. */
export class RequestHead extends MessageHead {
  readonly #methodEnd: number;
  /** The key, if it was replaced in the stored text; else empty. */
  readonly #key: string;

  /**
   * @param text The well-formed head, from the method to the empty line.
   * @param methodEnd The position of the space after the method.
   * @param targetEnd The position of the space after the request-target.
   * @param key The key, if characters of the same number replace it in the text.
   */
  constructor(text: string, methodEnd: number, targetEnd: number, key = "") {
    super(text, targetEnd + VERSION_LENGTH);
    this.#methodEnd = methodEnd;
    this.#key = key;
  }

  /** See {@linkcode MessageHead.text}. */
  override get text(): string {
    const key = this.#key;
    if (key === "") return this.kept;
    const { starts, colons } = this.index();
    const place = starts.findIndex((start, i) => isField(this.kept, start, colons[i]!, KEY_FIELD));
    const at = valueStart(this.kept, place);
    return this.kept.slice(0, at) + key + this.kept.slice(at + key.length);
  }

  /** See {@linkcode MessageHead.get}. */
  override get(name: string): string | undefined {
    return name === KEY_FIELD && this.#key !== "" ? this.#key : super.get(name);
  }

  /** Lets heads that differ only in their keys share one text in memory. */
  share(heads: SharedHeads): void {
    // On a stream of HTTP/2 there is no key (RFC 8441 §5).
    if (this.#key !== "" || this.httpVersion === "2.0") this.kept = heads.share(this.kept);
  }

  /** The method. It is case-sensitive: `get` is not GET (RFC 9110 §9.1). */
  get method(): string {
    return this.kept.substring(0, this.#methodEnd);
  }

  /** The request-target, as the client sent it. */
  get target(): string {
    return this.kept.substring(this.#methodEnd + 1, this.fieldsStart - VERSION_LENGTH);
  }

  /** The HTTP version. */
  get httpVersion(): "1.0" | "1.1" | "2.0" {
    if (this.kept.charCodeAt(this.fieldsStart - 5) === DIGIT_2) return "2.0";
    return this.kept.charCodeAt(this.fieldsStart - 3) === DIGIT_0 ? "1.0" : "1.1";
  }

  /**
   * The path and query (RFC 6455 §3): the request-target, without the origin of an absolute form. For
   * `*`, this is `/` (RFC 9112 §3.3).
   */
  get resourceName(): string {
    const { target } = this;
    if (target.startsWith("/")) return target;
    if (target === "*") return "/";
    const resource = target.replace(ABSOLUTE_FORM, "");
    return resource.startsWith("/") ? resource : `/${resource}`;
  }

  /** The path, percent-encoded as the client sent it. */
  get path(): string {
    const { resourceName } = this;
    const mark = resourceName.indexOf("?");
    return mark === -1 ? resourceName : resourceName.substring(0, mark);
  }

  /** The query without its `?`; `""` if there is none. */
  get query(): string {
    const { target } = this;
    const mark = target.indexOf("?");
    return mark === -1 ? "" : target.substring(mark + 1);
  }

  /** Whether the request-target is a path with an optional query, as in nearly all requests. */
  get hasOriginForm(): boolean {
    return this.kept.charCodeAt(this.#methodEnd + 1) === SLASH;
  }

  /** The authority of a request-target in absolute form; `undefined` in the other forms. */
  get authority(): string | undefined {
    return this.hasOriginForm ? undefined : ABSOLUTE_FORM.exec(this.target)?.[1];
  }

  /**
   * The host, with a port if the client sent one. A request-target in absolute form replaces the field
   * `Host` (RFC 9112 §3.2.2). `""` if an HTTP/1.0 request has neither.
   */
  get host(): string {
    return this.authority ?? this.get("host") ?? "";
  }

  /**
   * Makes a Web `Request`, in 2 to 10 µs. For an HTTP/1.0 request without a host, the host is
   * `localhost`.
   *
   * @param scheme The scheme that the client used: `"https"` over TLS.
   * @param make Makes the request without its fields. Default: `new Request(url, init)`. There is no
   * `init` for a GET.
   * @throws {Refusal} 501 if a `Request` cannot have the method: CONNECT, TRACE and TRACK; a method in
   * lower case that it would change, such as `get`; and, on Bun, methods that Bun does not know.
   */
  toRequest<Made extends Request = Request>(
    scheme: "http" | "https",
    make: (url: string, init?: RequestInit) => Made = makeRequest as typeof make,
  ): Made {
    const { method } = this;
    // The host was checked when the head was read.
    const url = `${scheme}://${this.host || "localhost"}${this.resourceName}`;
    const request = method === "GET" ? make(url) : makeWithMethod(url, method, make);
    this.appendTo(request.headers);
    return request;
  }

  /**
   * Appends the fields as they were sent, with two exceptions: the authority of a request-target in
   * absolute form replaces `Host`, and several `Cookie` fields become one.
   */
  protected override appendTo(headers: Headers): void {
    const { authority, text } = this;
    const { starts, colons, count } = this.index();
    let hasCookie = false;
    for (let i = 0; i < count; i++) {
      // `count` entries are there.
      const start = starts[i]!, colon = colons[i]!;
      let value = fieldValue(text, i);
      if (authority !== undefined && isField(text, start, colon, "host")) value = authority;
      else if (isField(text, start, colon, "cookie")) {
        if (hasCookie) continue;
        hasCookie = true;
        value = this.#cookiesFrom(i);
      }
      headers.append(text.substring(start, colon), value);
    }
  }

  /**
   * Returns the `Cookie` fields from a place in the index on. They are joined by semicolons (RFC 9113
   * §8.2.3). Deno's `Headers` would join them by commas.
   */
  #cookiesFrom(place: number): string {
    const { text } = this;
    const { starts, colons, count } = this.index();
    let cookies = fieldValue(text, place);
    for (let i = place + 1; i < count; i++) {
      // `count` entries are there.
      if (isField(text, starts[i]!, colons[i]!, "cookie")) cookies += `; ${fieldValue(text, i)}`;
    }
    return cookies;
  }
}

function makeWithMethod<Made extends Request>(
  url: string,
  method: string,
  make: (url: string, init: RequestInit) => Made,
): Made {
  // Bun accepts methods that Fetch §2.2.1 forbids.
  if (FORBIDDEN.test(method)) throw methodNotServed(method);
  const request = make(url, { method });
  // A method is case-sensitive (RFC 9110 §9.1).
  if (request.method !== method) throw methodNotServed(method);
  return request;
}

function makeRequest(url: string, init?: RequestInit): Request {
  return new Request(url, init);
}

/** Makes the refusal of a method that the server does not support. */
export function methodNotServed(method: string): Refusal {
  return new Refusal(501, `the method ${method} is not served (RFC 9110 §15.6.2)`, {
    reason: "method",
  });
}
