/**
 * Reads the first line of a request (RFC 9112 §3), in pieces of any size.
 *
 * @module
 */
import { Refusal } from "../errors.ts";
import { isSpace, TARGET_BYTES, TOKEN_BYTES } from "./grammar.ts";
import {
  BARE_CR,
  type HeadLimits,
  HeadReader,
  type StartLine,
  unexpectedByte,
} from "./head_reader.ts";
import { decodeLatin1, writeLatin1 } from "./latin1.ts";
import { fieldIndex } from "./message_head.ts";
import { KEY_FIELD, RequestHead } from "./request_head.ts";
import { checkHead } from "./request_rules.ts";

/** The part of the line that the next byte belongs to. */
type Part =
  | "empty line"
  | "LF of an empty line"
  | "method"
  | "request-target"
  | "HTTP-version"
  | "end";

const LF = 0x0a;
const CR = 0x0d;
const SP = 0x20;
const DIGIT_0 = 0x30;
const DIGIT_1 = 0x31;
const DIGIT_9 = 0x39;

/** The most empty lines before a request line. RFC 9112 §2.2 requires a server to ignore one. */
const MOST_EMPTY_LINES = 2;
/** The end of the line, after the request-target. The digits of the version may differ. */
const VERSION_LINE_END = [...new TextEncoder().encode("HTTP/1.1\r\n")];
const MAJOR_VERSION_AT = 5;
const MINOR_VERSION_AT = 7;

/** A `Sec-WebSocket-Key` is 16 bytes in base64 (RFC 6455 §4.1). */
const KEY_LENGTH = 24;
/** The byte in the place of a key, in the text of a head. */
const PLACEHOLDER = 0x3f;

/**
 * Makes a reader of request heads. It throws a `Refusal`: 400 for a malformed head, 431 if a limit is
 * exceeded, 505 for versions other than HTTP/1.0 and HTTP/1.1.
 */
export function requestReader(limits: HeadLimits): HeadReader<RequestHead> {
  return new HeadReader(limits, new RequestLine());
}

/** Reads the first line of a request, and makes its head. */
class RequestLine implements StartLine<RequestHead> {
  /** See {@linkcode StartLine.noun}. */
  readonly noun = "request";
  #part: Part = "empty line";
  #emptyLines = 0;
  // Offsets from the first byte, empty lines included.
  #start = 0;
  #methodEnd = 0;
  #targetEnd = 0;
  /** The `Host` of the last head. */
  #validHost: string | undefined = undefined;

  /** See {@linkcode StartLine.complete}. */
  get complete(): boolean {
    return this.#part === "end";
  }

  /** See {@linkcode StartLine.start}. */
  get start(): number {
    return this.#start;
  }

  /** See {@linkcode StartLine.makeHead}. */
  makeHead(bytes: Uint8Array, end: number, isIndexed: boolean): RequestHead {
    const start = this.#start;
    const methodEnd = this.#methodEnd - start, targetEnd = this.#targetEnd - start;
    this.#part = "empty line";
    this.#emptyLines = 0;
    const at = isIndexed ? locateKey(bytes, start, end) : -1;
    if (at === -1) return new RequestHead(decodeLatin1(bytes, start, end), methodEnd, targetEnd);
    const key = decodeLatin1(bytes, at, at + KEY_LENGTH);
    bytes.fill(PLACEHOLDER, at, at + KEY_LENGTH);
    const text = decodeLatin1(bytes, start, end);
    writeLatin1(key, bytes, at);
    return new RequestHead(text, methodEnd, targetEnd, key);
  }

  /** See {@linkcode StartLine.checkHead}. */
  checkHead(head: RequestHead): void {
    this.#validHost = checkHead(head, this.#validHost);
  }

  /** See {@linkcode StartLine.error}. */
  error(kind: "malformed" | "too large", message: string): Refusal {
    return new Refusal(kind === "malformed" ? 400 : 431, message, { reason: "request" });
  }

  // Each function reads from `at` on. It returns the offset after its part, or the length of the chunk
  // if the part is incomplete. Each index with a `!` is in the array.

  /** See {@linkcode StartLine.read}. */
  read(chunk: Uint8Array, offset: number): number {
    let at = 0;
    if (this.#part === "empty line" || this.#part === "LF of an empty line") {
      at = this.#readEmptyLines(chunk, offset);
    }
    if (this.#part === "method") at = this.#readMethod(chunk, at, offset);
    if (this.#part === "request-target") at = this.#readTarget(chunk, at, offset);
    if (this.#part === "HTTP-version") at = this.#readVersion(chunk, at, offset);
    return at;
  }

  #readEmptyLines(chunk: Uint8Array, offset: number): number {
    let at = 0;
    for (; at < chunk.length; at++) {
      if (this.#part === "LF of an empty line") {
        if (chunk[at] !== LF) throw this.error("malformed", BARE_CR);
        this.#part = "empty line";
        this.#emptyLines++;
      } else if (chunk[at] === CR && this.#emptyLines < MOST_EMPTY_LINES) {
        this.#part = "LF of an empty line";
      } else {
        this.#part = "method";
        this.#start = offset + at;
        break;
      }
    }
    return at;
  }

  #readMethod(chunk: Uint8Array, at: number, offset: number): number {
    while (at < chunk.length && TOKEN_BYTES[chunk[at]!] === 1) at++;
    if (at === chunk.length) return at;
    this.#methodEnd = offset + at;
    if (chunk[at] !== SP || this.#methodEnd === this.#start) {
      throw this.#unexpected(chunk[at]!, "the method (RFC 9112 §3.1)");
    }
    this.#part = "request-target";
    return at + 1;
  }

  #readTarget(chunk: Uint8Array, at: number, offset: number): number {
    while (at < chunk.length && TARGET_BYTES[chunk[at]!] === 1) at++;
    if (at === chunk.length) return at;
    this.#targetEnd = offset + at;
    if (chunk[at] !== SP || this.#targetEnd === this.#methodEnd + 1) {
      throw this.#unexpected(chunk[at]!, "the request-target (RFC 9112 §3.2)");
    }
    this.#part = "HTTP-version";
    return at + 1;
  }

  #readVersion(chunk: Uint8Array, at: number, offset: number): number {
    for (; at < chunk.length; at++) {
      const byte = chunk[at]!;
      const i = offset + at - this.#targetEnd - 1;
      if (i === MAJOR_VERSION_AT || i === MINOR_VERSION_AT) {
        if (byte < DIGIT_0 || byte > DIGIT_9) break;
        if (byte > DIGIT_1 || (byte === DIGIT_0 && i === MAJOR_VERSION_AT)) {
          throw new Refusal(505, "only HTTP/1.0 and HTTP/1.1 are served (RFC 9110 §15.6.6)", {
            reason: "request",
          });
        }
      } else if (byte !== VERSION_LINE_END[i]) break;
      else if (byte === LF) {
        this.#part = "end";
        return at + 1;
      }
    }
    if (at < chunk.length) {
      throw this.#unexpected(chunk[at]!, "the HTTP-version (RFC 9112 §2.3)");
    }
    return at;
  }

  #unexpected(byte: number, where: string): Refusal {
    return this.error("malformed", unexpectedByte(byte, where));
  }
}

/**
 * Finds the only `Sec-WebSocket-Key` of the indexed head.
 *
 * @param start The start of the head. @param end Its end.
 * @returns The offset of its value; -1 unless exactly one was sent and it has the length of a key.
 */
function locateKey(bytes: Uint8Array, start: number, end: number): number {
  const { starts, colons, count } = fieldIndex;
  let found = -1;
  for (let i = 0; i < count; i++) {
    // `count` entries are there.
    if (colons[i]! - starts[i]! !== KEY_FIELD.length) continue;
    if (!isKeyField(bytes, start + starts[i]!)) continue;
    if (found !== -1) return -1;
    found = i;
  }
  if (found === -1) return -1;
  let at = start + colons[found]! + 1;
  let valueEnd = (found + 1 < count ? start + starts[found + 1]! : end - 2) - 2;
  while (at < valueEnd && isSpace(bytes[at]!)) at++;
  while (valueEnd > at && isSpace(bytes[valueEnd - 1]!)) valueEnd--;
  return valueEnd - at === KEY_LENGTH ? at : -1;
}

/** Returns whether a field name of the same length is {@linkcode KEY_FIELD}, in any case. */
function isKeyField(bytes: Uint8Array, at: number): boolean {
  for (let i = 0; i < KEY_FIELD.length; i++) {
    // In a token, only both cases of the same letter give that letter here, and only `-` gives `-`.
    if ((bytes[at + i]! | 0x20) !== KEY_FIELD.charCodeAt(i)) return false;
  }
  return true;
}
