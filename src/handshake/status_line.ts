/**
 * Reads the first line of a response (RFC 9112 §4), in pieces of any size.
 *
 * @module
 */
import { ProtocolError, quote } from "../errors.ts";
import { isFieldValue } from "./grammar.ts";
import {
  BARE_CR,
  type HeadLimits,
  HeadReader,
  type StartLine,
  unexpectedByte,
} from "./head_reader.ts";
import { decodeLatin1 } from "./latin1.ts";
import { ResponseHead } from "./response_head.ts";

const LF = 0x0a;
const CR = 0x0d;

/** The start of each response. HTTP/1.0 is accepted too, since some servers send it. */
const START = "HTTP/1.";
const STATUS_LINE = /^HTTP\/1\.[01] [1-9][0-9][0-9](?: .*)?$/;

/** Makes a reader of response heads. It throws a `ProtocolError`. */
export function responseReader(limits: HeadLimits): HeadReader<ResponseHead> {
  return new HeadReader(limits, new StatusLine());
}

/** Reads the first line of a response, and makes its head. */
class StatusLine implements StartLine<ResponseHead> {
  /** See {@linkcode StartLine.noun}. */
  readonly noun = "response";
  /** See {@linkcode StartLine.start}. */
  readonly start = 0;
  /** See {@linkcode StartLine.complete}. */
  complete = false;
  #line = "";
  #afterCr = false;

  /** See {@linkcode StartLine.read}. */
  read(chunk: Uint8Array): number {
    let at = 0;
    while (at < chunk.length && !this.complete) {
      this.#take(chunk[at++]!); // at < chunk.length
    }
    return at;
  }

  #take(byte: number): void {
    if (this.#afterCr) {
      if (byte !== LF) throw this.error("malformed", BARE_CR);
      this.#check();
      this.complete = true;
    } else if (byte === CR) this.#afterCr = true;
    else {
      const character = String.fromCharCode(byte);
      if (!isFieldValue(character)) {
        throw this.error("malformed", unexpectedByte(byte, "the status line (RFC 9112 §4)"));
      }
      this.#line += character;
      if (this.#line.length <= START.length && !START.startsWith(this.#line)) {
        throw this.error(
          "malformed",
          `the response must begin with ${quote(START)}, got ${quote(this.#line)} (RFC 9112 §4)`,
        );
      }
    }
  }

  #check(): void {
    if (STATUS_LINE.test(this.#line)) return;
    throw this.error(
      "malformed",
      `the status line must be that of HTTP/1.1, got ${quote(this.#line)} (RFC 9112 §4)`,
    );
  }

  /** See {@linkcode StartLine.makeHead}. */
  makeHead(bytes: Uint8Array, end: number): ResponseHead {
    const text = decodeLatin1(bytes, this.start, end);
    this.complete = this.#afterCr = false;
    this.#line = "";
    return new ResponseHead(text);
  }

  /** See {@linkcode StartLine.error}. */
  error(_kind: "malformed" | "too large", message: string): ProtocolError {
    return new ProtocolError(1002, message);
  }
}
