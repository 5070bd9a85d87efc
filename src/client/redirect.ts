/**
 * Redirects (RFC 9110 §15.4, RFC 6455 §4.1).
 *
 * @module
 */
import { quote } from "../errors.ts";
import { messageOf } from "../guard.ts";
import type { HandshakeOptions } from "../handshake/client_handshake.ts";
import { parseWebSocketUrl, type WebSocketUrl } from "../handshake/web_socket_url.ts";
import { HandshakeError } from "./handshake_error.ts";

const STATUSES: ReadonlySet<number | undefined> = new Set([301, 302, 303, 307, 308]);

/** Header fields that are not sent to another origin. */
const CREDENTIALS: ReadonlySet<string> = new Set([
  "authorization",
  "cookie",
  "proxy-authorization",
]);

/** The target of a redirect. */
export interface Redirected {
  /** The next handshake. */
  readonly handshake: HandshakeOptions;
  /** Whether the origin changed. Then the client's certificate and `serverName` must not be used. */
  readonly isCrossOrigin: boolean;
}

/** Follows redirects from one URL. */
export class Redirects {
  readonly #max: number;
  /** The URLs so far. */
  readonly #visited: string[];

  /** @param start The first URL. @param max How many redirects to follow. */
  constructor(start: string, max: number) {
    this.#visited = [start];
    this.#max = max;
  }

  /**
   * Decides whether and where to follow a redirect.
   *
   * @param from The handshake that was refused.
   * @param refusal The response.
   * @returns The next handshake; `undefined` if the refusal is final.
   * @throws {HandshakeError} If the redirect must not be followed, or is one too many.
   */
  follow(from: HandshakeOptions, refusal: HandshakeError): Redirected | undefined {
    const location = refusal.headers.get("location");
    if (this.#max === 0 || !STATUSES.has(refusal.status) || location === null) return undefined;
    const url = this.#resolve(location, from.url, refusal);
    if (from.url.secure && !url.secure) {
      throw this.#cannot(`a redirect from wss must lead to wss, got ${quote(url.href)}`, refusal);
    }
    if (this.#visited.includes(url.href)) {
      throw this.#cannot(`redirected in a loop to ${quote(url.href)}`, refusal);
    }
    if (this.#visited.length > this.#max) {
      throw this.#cannot(
        `more than maxRedirects (${this.#max}) redirects, the last to ${quote(url.href)}`,
        refusal,
      );
    }
    this.#visited.push(url.href);
    return next(from, url);
  }

  #resolve(location: string, from: WebSocketUrl, refusal: HandshakeError): WebSocketUrl {
    try {
      const url = new URL(location, from.href);
      // A fragment is for browsers. Credentials come from the caller, never from a server.
      url.hash = url.username = url.password = "";
      return parseWebSocketUrl(url);
    } catch (error) {
      const why = messageOf(error).replace(/^Cannot connect to .*?: /, "");
      throw this.#cannot(`redirected to ${quote(location)}: ${why}`, refusal);
    }
  }

  #cannot(because: string, { status, headers, body }: HandshakeError): HandshakeError {
    return new HandshakeError(`Cannot connect to ${this.#visited[0]}: ${because}`, {
      ...(status === undefined ? {} : { status }),
      headers,
      body,
    });
  }
}

function next(from: HandshakeOptions, url: WebSocketUrl): Redirected {
  if (originOf(url) === originOf(from.url)) {
    // Keep the `Host` that the caller may have set.
    const handshake = { ...from, url: { ...url, host: from.url.host } };
    return { handshake, isCrossOrigin: false };
  }
  const headers = from.headers.filter(([name]) => !CREDENTIALS.has(name.toLowerCase()));
  return { handshake: { ...from, url, headers }, isCrossOrigin: true };
}

function originOf({ secure, hostname, port }: WebSocketUrl): string {
  return `${secure ? "wss" : "ws"}://${hostname}:${port}`;
}
