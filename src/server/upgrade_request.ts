/**
 * Converts a request of an existing HTTP server back to bytes.
 *
 * @module
 */
import { listHasToken } from "../handshake/grammar.ts";
import { encodeLatin1 } from "../handshake/latin1.ts";
import { RequestHead } from "../handshake/request_head.ts";
import { show } from "../validation.ts";

/**
 * A request of an HTTP server. The `http.IncomingMessage` of an `upgrade` event fits.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import type { UpgradeRequest } from "@waterspout/websocket";
 *
 * const request: UpgradeRequest = {
 *   method: "GET",
 *   url: "/chat",
 *   httpVersion: "1.1",
 *   rawHeaders: ["Host", "example.com", "Upgrade", "websocket"],
 * };
 * assert(request.rawHeaders.length === 4);
 * ```
 */
export interface UpgradeRequest {
  /** The method. */
  readonly method?: string | undefined;
  /** The request-target. */
  readonly url?: string | undefined;
  /** The HTTP version: `"1.1"`. */
  readonly httpVersion: string;
  /** The fields in order: name, value, name, value and so on. */
  readonly rawHeaders: readonly string[];
}

/** Characters that a part of a parsed request cannot have: line breaks, and those above U+00FF. */
const IMPOSSIBLE = /[\r\n]|[^\0-\xff]/g;
/** Replaces them. The head reader refuses this character (RFC 9110 §5.5). */
const REFUSED = "\0";

/**
 * Makes the head of a request.
 *
 * @throws {TypeError} If the object is not a request.
 */
export function headOf({ method, url, httpVersion, rawHeaders }: UpgradeRequest): RequestHead {
  const isList = Array.isArray(rawHeaders) && rawHeaders.length % 2 === 0 &&
    rawHeaders.every((part) => typeof part === "string");
  if (typeof method !== "string" || typeof url !== "string" || !isList) {
    throw new TypeError(
      "Cannot handle the upgrade: request must have method, url and rawHeaders, got " +
        `${show(method)}, ${show(url)} and ${show(rawHeaders)}`,
    );
  }
  const verb = bytesOnly(method), target = bytesOnly(url);
  let text = `${verb} ${target} HTTP/${httpVersion === "1.0" ? "1.0" : "1.1"}\r\n`;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    // The length is even, so both entries exist.
    text += `${bytesOnly(rawHeaders[i]!)}: ${bytesOnly(rawHeaders[i + 1]!)}\r\n`;
  }
  return new RequestHead(`${text}\r\n`, verb.length, verb.length + 1 + target.length);
}

function bytesOnly(text: string): string {
  return text.replace(IMPOSSIBLE, REFUSED);
}

/** Returns whether a request is a WebSocket handshake, in any version. */
export function asksForWebSocket(head: RequestHead): boolean {
  return listHasToken(head.get("upgrade") ?? "", "websocket");
}

/** Returns the bytes of a head, and the bytes that were read after it. */
export function bytesOf({ text }: RequestHead, rest: Uint8Array): Uint8Array {
  const head = encodeLatin1(text);
  const bytes = new Uint8Array(head.length + rest.length);
  bytes.set(head);
  bytes.set(rest, head.length);
  return bytes;
}
