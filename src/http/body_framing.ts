/**
 * The framing of a body in HTTP/1 (RFC 9112 §6 and §7). It is strict: if we and a proxy disagreed about
 * the end of the body, a client could smuggle a second request past the proxy.
 *
 * @module
 */
import { Refusal } from "../errors.ts";
import { isToken, TOKEN } from "../handshake/grammar.ts";
import type { RequestHead } from "../handshake/request_head.ts";

const CR = 0x0d;
const LF = 0x0a;
/** The longest chunk-size line and trailer section, in bytes. */
const MAX_LINE = 4096;
/**
 * The largest size of all chunk extensions of a body, in bytes. Without it, a client could send a body
 * of one byte per chunk with gigabytes of extensions.
 */
const MAX_EXTENSIONS = 16 * 1024;
const EMPTY: Uint8Array = new Uint8Array(0);

/** "Bad" white space, which a recipient must accept and remove (RFC 9110 §5.6.3). */
const BWS = "[ \\t]*";
const QUOTED = String.raw`"(?:[^"\\]|\\.)*"`;
/**
 * A chunk-size and its extensions (RFC 9112 §7.1.1). White space is allowed only around the `;` and the
 * `=` of an extension. The reader has already refused NUL, CR and LF.
 */
const CHUNK_SIZE = new RegExp(
  `^([0-9a-f]{1,8})(?:${BWS};${BWS}${TOKEN}(?:${BWS}=${BWS}(?:${TOKEN}|${QUOTED}))?)*$`,
  "i",
);

/** Whether a request has a body, which may be empty (RFC 9112 §6.3). */
export function hasBody(head: Pick<RequestHead, "get">): boolean {
  return head.get("content-length") !== undefined || head.get("transfer-encoding") !== undefined;
}

/** Removes the framing from a body that arrives in pieces of any size. Stores no content. */
export class BodyFraming {
  /** Whether the whole body has arrived. */
  complete = false;
  /** The content in the last chunk: a view of a part of that chunk. */
  content: Uint8Array = EMPTY;
  /** How many bytes of the last chunk belong to the body; the others follow it. */
  consumed = 0;
  /** The most bytes that the body can have: its length, or the limit if it is chunked. */
  readonly maxLength: number;
  readonly #maxSize: number;
  readonly #chunked: boolean;
  /** How many bytes of the body, or of the current chunk, have not arrived. */
  #missing = 0;
  /** What a chunked body expects next. */
  #expects: "size" | "data" | "data end" | "trailer" = "size";
  #line = "";
  #afterCr = false;
  /** The size of all lines since the last chunk, in bytes. */
  #linesSize = 0;
  /** The size of the chunks so far, in bytes. */
  #size = 0;
  /** The size of the chunk extensions so far, in bytes. */
  #extensionsSize = 0;

  /**
   * @param head The request.
   * @param maxSize The longest body, in bytes.
   * @throws {Refusal} 400 if the framing is ambiguous or malformed, 413 if the body is too long, 501 if
   * the transfer coding is not `chunked`.
   */
  constructor(head: Pick<RequestHead, "get" | "httpVersion">, maxSize: number) {
    this.#maxSize = maxSize;
    const length = head.get("content-length");
    const coding = head.get("transfer-encoding");
    this.#chunked = coding !== undefined;
    if (coding !== undefined) {
      if (length !== undefined) {
        throw malformed("both Content-Length and Transfer-Encoding (RFC 9112 §6.1)");
      }
      if (head.httpVersion === "1.0") {
        throw malformed("Transfer-Encoding in an HTTP/1.0 request (RFC 9112 §6.1)");
      }
      if (coding.toLowerCase() !== "chunked") {
        throw new Refusal(501, `the transfer coding is not chunked (RFC 9112 §6.1)`, {
          reason: "request",
        });
      }
      this.maxLength = maxSize;
      return;
    }
    if (length === undefined) this.complete = true;
    else this.#announce(length);
    this.maxLength = this.#missing;
  }

  #announce(length: string): void {
    if (!/^\d{1,15}$/.test(length)) {
      throw malformed("Content-Length is not one decimal number (RFC 9112 §6.3)");
    }
    this.#missing = Number(length);
    this.#checkSize(this.#missing);
    this.complete = this.#missing === 0;
  }

  /** How many announced bytes of the body, or of the current chunk, have not arrived. */
  get missing(): number {
    return this.#missing;
  }

  /**
   * Reads the next bytes, up to the end of the body. Sets {@linkcode content} and {@linkcode consumed},
   * even if it throws.
   *
   * @param chunk The bytes. Content is moved within it, so that the content of many small chunks
   * becomes one piece.
   * @throws {Refusal} 400 if the chunked coding is malformed, 413 if the body is too long.
   */
  read(chunk: Uint8Array): void {
    let at = 0;
    let start = 0;
    let length = 0;
    try {
      while (!this.complete && at < chunk.length) {
        if (this.#chunked && this.#expects !== "data") {
          at = this.#readLine(chunk, at);
          continue;
        }
        const end = at + Math.min(this.#missing, chunk.length - at);
        if (length === 0) start = at;
        else chunk.copyWithin(start + length, at, end);
        length += end - at;
        this.#missing -= end - at;
        at = end;
        if (this.#missing === 0) this.#endData();
      }
    } finally {
      this.consumed = at;
      this.content = length === 0 ? EMPTY : chunk.subarray(start, start + length);
    }
  }

  #endData(): void {
    if (this.#chunked) this.#expects = "data end";
    else this.complete = true;
  }

  /** Reads up to the end of a line. Returns the index after the bytes that were read. */
  #readLine(chunk: Uint8Array, start: number): number {
    for (let at = start; at < chunk.length; at++) {
      const byte = chunk[at]!; // at < chunk.length
      if (byte === LF && this.#afterCr) {
        const line = this.#line;
        this.#line = "";
        this.#afterCr = false;
        this.#actOn(line);
        return at + 1;
      }
      if (this.#afterCr || byte === LF || byte === 0) {
        throw malformed("a bare CR, LF or NUL in the chunked coding (RFC 9112 §7.1)");
      }
      if (byte === CR) this.#afterCr = true;
      else this.#line += String.fromCharCode(byte);
      if (++this.#linesSize > MAX_LINE) {
        throw malformed(`a chunk-size line or the trailers exceed ${MAX_LINE} bytes`);
      }
    }
    return chunk.length;
  }

  #actOn(line: string): void {
    if (this.#expects === "size") {
      const size = CHUNK_SIZE.exec(line)?.[1];
      if (size === undefined) throw malformed("malformed chunk size (RFC 9112 §7.1)");
      this.#extensionsSize += line.length - size.length;
      if (this.#extensionsSize > MAX_EXTENSIONS) {
        throw malformed(`the chunk extensions exceed ${MAX_EXTENSIONS} bytes`);
      }
      this.#missing = parseInt(size, 16);
      this.#size += this.#missing;
      this.#checkSize(this.#size);
      this.#expects = this.#missing === 0 ? "trailer" : "data";
    } else if (this.#expects === "data end") {
      if (line !== "") {
        throw malformed("a chunk must have the length of its chunk size (RFC 9112 §7.1)");
      }
      this.#expects = "size";
      this.#linesSize = 0;
    } else if (line === "") this.complete = true;
    else if (!isToken(line.slice(0, Math.max(line.indexOf(":"), 0)))) {
      throw malformed("a trailer line must be a name, a colon and a value (RFC 9112 §5)");
    }
  }

  #checkSize(size: number): void {
    if (size > this.#maxSize) {
      throw new Refusal(413, `the body is longer than maxBodySize (${this.#maxSize} bytes)`, {
        reason: "request",
      });
    }
  }
}

function malformed(because: string): Refusal {
  return new Refusal(400, because, { reason: "request" });
}
