/**
 * The bytes of a request head, in any pieces, to a {@linkcode RequestHead}.
 *
 * Every byte is looked at once, when it comes: so pieces cost what the whole does, what can't be
 * a request is refused at its first wrong byte, and the answer does not depend on the pieces.
 *
 * @module
 */
import { Refusal } from "../errors.ts";
import { TARGET_BYTES, TOKEN_BYTES, VALUE_BYTES } from "./grammar.ts";
import { checkHead } from "./head_rules.ts";
import { decodeLatin1 } from "./latin1.ts";
import { located, RequestHead } from "./request_head.ts";

/** The limits of a request head; 431 is the answer beyond them. */
export interface HeadLimits {
  /** The longest head, in bytes, with its empty line (and any before it). */
  readonly maxHeaderSize: number;
  /** The most field lines. */
  readonly maxHeaderCount: number;
}

/** What the next byte belongs to. */
type Part =
  | "empty line"
  | "LF of an empty line"
  | "method"
  | "request-target"
  | "HTTP-version"
  | "field line"
  | "field name"
  | "field value"
  | "LF of a field line"
  | "LF of the end"
  | "end";

const HTAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SP = 0x20;
const DIGIT_0 = 0x30;
const DIGIT_1 = 0x31;
const DIGIT_9 = 0x39;
const COLON = 0x3a;

/** RFC 9112 §2.2 asks a server to ignore at least one in front of the request line. */
const MOST_EMPTY_LINES = 2;
/** What follows the request-target, but for the digits of the version. */
const VERSION_LINE_END = [...new TextEncoder().encode("HTTP/1.1\r\n")];
const MAJOR_VERSION_AT = 5;
const MINOR_VERSION_AT = 7;

/**
 * Reads request heads, one after the other: when one is complete, the next byte starts another.
 * After an error it is of no more use.
 */
export class HeadReader {
  readonly #limits: HeadLimits;
  #part: Part = "empty line";
  /** How many bytes of this head came in earlier chunks. */
  #size = 0;
  /** Those bytes, in a buffer with room for more. */
  #earlier: Uint8Array | undefined;
  #emptyLines = 0;
  #fieldCount = 0;
  #consumed = 0;
  // Offsets from the first byte, empty lines included.
  #start = 0;
  #methodEnd = 0;
  #targetEnd = 0;

  /** @param limits Beyond which a head is refused. */
  constructor(limits: HeadLimits) {
    this.#limits = limits;
  }

  /** How many bytes of the last chunk belong to the head; the others come behind it. */
  get consumed(): number {
    return this.#consumed;
  }

  /**
   * Takes the next bytes.
   *
   * @param chunk The bytes; they are only looked at during the call.
   * @returns The head, when its last byte has come.
   * @throws {Refusal} 400 if it is malformed, 431 beyond a limit, 505 for another version than
   * HTTP/1.0 and HTTP/1.1.
   */
  read(chunk: Uint8Array): RequestHead | undefined {
    const { maxHeaderSize } = this.#limits;
    const room = maxHeaderSize - this.#size;
    const bytes = chunk.length > room ? chunk.subarray(0, room) : chunk;
    this.#consumed = this.#readFields(bytes, this.#readRequestLine(bytes, 0));
    if (this.#part === "end") return this.#complete(bytes);
    if (bytes.length === room) {
      throw new Refusal(431, `the request's head is longer than ${maxHeaderSize} bytes`, {
        reason: "request",
      });
    }
    this.#keep(bytes);
    return undefined;
  }

  #complete(chunk: Uint8Array): RequestHead {
    const start = this.#start;
    let text: string;
    if (this.#earlier === undefined) text = decodeLatin1(chunk, start, this.#consumed);
    else text = decodeLatin1(this.#keep(chunk.subarray(0, this.#consumed)), start, this.#size);
    const head = new RequestHead(text, this.#methodEnd - start, this.#targetEnd - start);
    if (this.#earlier === undefined) located.head = head;
    this.#part = "empty line";
    this.#size = this.#emptyLines = this.#fieldCount = 0;
    this.#earlier = undefined;
    checkHead(head);
    return head;
  }

  /** Keeps bytes until the head is complete. */
  #keep(bytes: Uint8Array): Uint8Array {
    const size = this.#size + bytes.length;
    let earlier = this.#earlier;
    if (earlier === undefined || earlier.length < size) {
      earlier = new Uint8Array(Math.min(2 * size, this.#limits.maxHeaderSize));
      if (this.#earlier !== undefined) earlier.set(this.#earlier);
      this.#earlier = earlier;
    }
    earlier.set(bytes, this.#size);
    this.#size = size;
    return earlier;
  }

  // --- The request line -------------------------------------------------------------------------
  // Each function goes on from `at` and returns where it stopped: at the chunk's end, or behind its
  // part. Where a `!` stands, the index was compared with the chunk's length, or is a byte.

  #readRequestLine(chunk: Uint8Array, at: number): number {
    if (this.#part === "empty line" || this.#part === "LF of an empty line") {
      at = this.#readEmptyLines(chunk, at);
    }
    if (this.#part === "method") at = this.#readMethod(chunk, at);
    if (this.#part === "request-target") at = this.#readTarget(chunk, at);
    if (this.#part === "HTTP-version") at = this.#readVersion(chunk, at);
    return at;
  }

  #readEmptyLines(chunk: Uint8Array, at: number): number {
    for (; at < chunk.length; at++) {
      if (this.#part === "LF of an empty line") {
        if (chunk[at] !== LF) throw bareCarriageReturn();
        this.#part = "empty line";
        this.#emptyLines++;
      } else if (chunk[at] === CR && this.#emptyLines < MOST_EMPTY_LINES) {
        this.#part = "LF of an empty line";
      } else {
        this.#part = "method";
        this.#start = this.#size + at;
        break;
      }
    }
    return at;
  }

  #readMethod(chunk: Uint8Array, at: number): number {
    while (at < chunk.length && TOKEN_BYTES[chunk[at]!] === 1) at++;
    if (at === chunk.length) return at;
    this.#methodEnd = this.#size + at;
    if (chunk[at] !== SP || this.#methodEnd === this.#start) {
      throw unexpected(chunk[at], "the method (RFC 9112 §3.1)");
    }
    this.#part = "request-target";
    return at + 1;
  }

  #readTarget(chunk: Uint8Array, at: number): number {
    while (at < chunk.length && TARGET_BYTES[chunk[at]!] === 1) at++;
    if (at === chunk.length) return at;
    this.#targetEnd = this.#size + at;
    if (chunk[at] !== SP || this.#targetEnd === this.#methodEnd + 1) {
      throw unexpected(chunk[at], "the request-target (RFC 9112 §3.2)");
    }
    this.#part = "HTTP-version";
    return at + 1;
  }

  #readVersion(chunk: Uint8Array, at: number): number {
    for (; at < chunk.length; at++) {
      const byte = chunk[at]!;
      const i = this.#size + at - this.#targetEnd - 1;
      if (i === MAJOR_VERSION_AT || i === MINOR_VERSION_AT) {
        if (byte < DIGIT_0 || byte > DIGIT_9) break;
        if (byte > DIGIT_1 || (byte === DIGIT_0 && i === MAJOR_VERSION_AT)) {
          throw new Refusal(505, "only HTTP/1.0 and HTTP/1.1 are served (RFC 9110 §15.6.6)", {
            reason: "request",
          });
        }
      } else if (byte !== VERSION_LINE_END[i]) break;
      else if (byte === LF) {
        this.#part = "field line";
        return at + 1;
      }
    }
    if (at < chunk.length) throw unexpected(chunk[at], "the HTTP-version (RFC 9112 §2.3)");
    return at;
  }

  // --- The fields -------------------------------------------------------------------------------

  #readFields(chunk: Uint8Array, at: number): number {
    const { starts, colons } = located;
    const start = this.#start;
    let part = this.#part;
    // What is noted here counts only if the whole head is in this chunk, and so begins at 0.
    located.head = undefined;
    located.count = 0;
    while (at < chunk.length) {
      if (part === "field line") {
        if (chunk[at] === CR) part = "LF of the end";
        else {
          this.#checkFirst(chunk[at]!);
          starts[located.count] = at - start;
          part = "field name";
        }
        at++;
      }
      if (part === "field name") {
        while (at < chunk.length && TOKEN_BYTES[chunk[at]!] === 1) at++;
        if (at === chunk.length) break;
        if (chunk[at] !== COLON) throw unexpectedInName(chunk[at]);
        colons[located.count++] = at - start;
        part = "field value";
        at++;
      }
      if (part === "field value") {
        while (at < chunk.length && VALUE_BYTES[chunk[at]!] === 1) at++;
        if (at === chunk.length) break;
        if (chunk[at] !== CR) throw unexpected(chunk[at], "a field value (RFC 9110 §5.5)");
        part = "LF of a field line";
        at++;
      }
      if (at === chunk.length) break;
      if (chunk[at++] !== LF) throw bareCarriageReturn();
      if (part === "LF of the end") {
        part = "end";
        break;
      }
      part = "field line";
    }
    this.#part = part;
    return at;
  }

  /** Checks the first byte of a field line, and that there may be one more. */
  #checkFirst(byte: number): void {
    if (TOKEN_BYTES[byte] !== 1) {
      if (byte === SP || byte === HTAB) {
        throw new Refusal(400, "line folding is refused (RFC 9112 §5.2)", { reason: "request" });
      }
      throw unexpected(byte, "the first place of a field name (RFC 9110 §5.1)");
    }
    if (this.#fieldCount++ === this.#limits.maxHeaderCount) {
      throw new Refusal(431, `the request has more than ${this.#limits.maxHeaderCount} fields`, {
        reason: "request",
      });
    }
  }
}

function unexpected(byte: number | undefined, where: string): Refusal {
  const hex = (byte ?? 0).toString(16).toUpperCase().padStart(2, "0");
  return new Refusal(400, `unexpected byte 0x${hex} in ${where}`, { reason: "request" });
}

function unexpectedInName(byte: number | undefined): Refusal {
  if (byte === SP || byte === HTAB) {
    return new Refusal(400, "space between a field name and its colon (RFC 9112 §5.1)", {
      reason: "request",
    });
  }
  return unexpected(byte, "a field name (RFC 9110 §5.1)");
}

function bareCarriageReturn(): Refusal {
  return new Refusal(400, "a CR must be followed by an LF (RFC 9112 §2.2)", { reason: "request" });
}
