/**
 * The body of a plain HTTP request (RFC 9112 §6 and §7): strict, so that nobody on the way to us
 * can see another end of it than we do.
 *
 * @module
 */
import { HttpError } from "../errors.ts";
import type { RequestHead } from "../handshake/request_head.ts";

const CR = 0x0d;
const LF = 0x0a;
/** The longest chunk-size line and trailer section, in bytes. */
const MAX_LINE = 4096;

/** Collects a body, fed in any pieces. */
export class BodyReader {
  /** Whether the body is all here. */
  complete = false;
  readonly #maxSize: number;
  readonly #chunked: boolean;
  /** Bytes of the body, or of the current chunk, still to come. */
  #missing = 0;
  /** What a chunked body expects next. */
  #expects: "size" | "data" | "data end" | "trailer" = "size";
  #line = "";
  #lines = 0;
  readonly #parts: Uint8Array[] = [];
  #size = 0;

  /**
   * @param head The request.
   * @param maxSize The longest body, in bytes.
   * @throws {HttpError} 400 if the framing is ambiguous or malformed, 413 if it is too long, 501 if
   * it is a coding other than chunked.
   */
  constructor(head: Pick<RequestHead, "get" | "httpVersion">, maxSize: number) {
    this.#maxSize = maxSize;
    const length = head.get("content-length");
    const coding = head.get("transfer-encoding");
    this.#chunked = coding !== undefined;
    if (coding !== undefined) {
      if (length !== undefined) {
        throw new HttpError(400, "both Content-Length and Transfer-Encoding (RFC 9112 §6.1)");
      }
      if (head.httpVersion === "1.0") {
        throw new HttpError(400, "Transfer-Encoding in an HTTP/1.0 request (RFC 9112 §6.1)");
      }
      if (coding.toLowerCase() !== "chunked") {
        throw new HttpError(501, `the transfer coding is not chunked (RFC 9112 §6.1)`);
      }
      return;
    }
    if (length === undefined) this.complete = true;
    else this.#announce(length);
  }

  #announce(length: string): void {
    if (!/^\d{1,15}$/.test(length)) {
      throw new HttpError(400, "Content-Length is not one decimal number (RFC 9112 §6.3)");
    }
    this.#missing = Number(length);
    this.#checkSize(this.#missing);
    this.complete = this.#missing === 0;
  }

  /** The body. */
  get bytes(): Uint8Array {
    const body = new Uint8Array(this.#size);
    let at = 0;
    for (const part of this.#parts) {
      body.set(part, at);
      at += part.length;
    }
    return body;
  }

  /**
   * Takes the next bytes; those behind the body are ignored.
   *
   * @throws {HttpError} 400 if the chunked coding is malformed, 413 if the body is too long.
   */
  read(chunk: Uint8Array): void {
    let at = 0;
    while (!this.complete && at < chunk.length) {
      at = this.#chunked && this.#expects !== "data"
        ? this.#readLine(chunk, at)
        : this.#readData(chunk, at);
    }
  }

  #readData(chunk: Uint8Array, at: number): number {
    const part = chunk.slice(at, at + this.#missing);
    this.#parts.push(part);
    this.#size += part.length;
    this.#missing -= part.length;
    if (this.#missing === 0) {
      if (this.#chunked) this.#expects = "data end";
      else this.complete = true;
    }
    return at + part.length;
  }

  /** Collects a line up to its CRLF, then acts on it. */
  #readLine(chunk: Uint8Array, start: number): number {
    for (let at = start; at < chunk.length; at++) {
      // Within bounds.
      const byte = chunk[at]!;
      const afterCr = this.#line.endsWith("\r");
      if (byte === LF && afterCr) {
        const line = this.#line.slice(0, -1);
        this.#line = "";
        this.#actOn(line);
        return at + 1;
      }
      if (afterCr || byte === LF || byte === 0) {
        throw new HttpError(400, "a bare CR, LF or NUL in the chunked coding (RFC 9112 §7.1)");
      }
      this.#line += byte === CR ? "\r" : String.fromCharCode(byte);
      if (++this.#lines > MAX_LINE) {
        throw new HttpError(400, "the lines of the chunked coding are too long");
      }
    }
    return chunk.length;
  }

  #actOn(line: string): void {
    if (this.#expects === "size") {
      const size = /^([0-9a-f]{1,8})[ \t]*(?:;[\t -~]*)?$/i.exec(line)?.[1];
      if (size === undefined) throw new HttpError(400, "malformed chunk size (RFC 9112 §7.1)");
      this.#missing = parseInt(size, 16);
      this.#checkSize(this.#size + this.#missing);
      this.#expects = this.#missing === 0 ? "trailer" : "data";
    } else if (this.#expects === "data end") {
      if (line !== "") {
        throw new HttpError(400, "a chunk is not as long as it says (RFC 9112 §7.1)");
      }
      this.#expects = "size";
      this.#lines = 0;
    } else if (line === "") this.complete = true;
  }

  #checkSize(size: number): void {
    if (size > this.#maxSize) {
      throw new HttpError(413, `the body is longer than maxBodySize (${this.#maxSize} bytes)`);
    }
  }
}
