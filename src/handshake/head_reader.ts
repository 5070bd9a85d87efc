/**
 * Reads the heads of requests and responses, in pieces of any size (RFC 9112 §2).
 *
 * Each byte is checked once, when it arrives. So the size of the pieces changes neither the cost nor the
 * result, and malformed input is refused at its first wrong byte.
 *
 * @module
 */
import { TOKEN_BYTES, VALUE_BYTES } from "./grammar.ts";
import { fieldIndex, type MessageHead } from "./message_head.ts";

/** The limits of a message head. */
export interface HeadLimits {
  /** The largest head in bytes, with its empty line and any empty lines before it. */
  readonly maxHeaderSize: number;
  /** The most header fields. */
  readonly maxHeaderCount: number;
}

/** The differences between requests and responses: the first line of their heads, and the errors. */
export interface StartLine<Head extends MessageHead> {
  /** The kind of message, for errors: `"request"` or `"response"`. */
  readonly noun: string;
  /** Whether the line is complete. */
  readonly complete: boolean;
  /** The offset of the line from the first byte: after empty lines that are ignored. */
  readonly start: number;
  /**
   * Reads the next bytes.
   *
   * @param chunk The bytes.
   * @param offset How many bytes have arrived before.
   * @returns The end of the line in the chunk, or the length of the chunk if the line is incomplete.
   */
  read(chunk: Uint8Array, offset: number): number;
  /**
   * Makes a head, and prepares for the next one.
   *
   * @param bytes The memory with the head. It must be the same after the call.
   * @param end The end of the head.
   * @param isIndexed Whether {@linkcode fieldIndex} has the fields of this head.
   */
  makeHead(bytes: Uint8Array, end: number, isIndexed: boolean): Head;
  /** Checks the rules of a head that its grammar does not cover. */
  checkHead?(head: Head): void;
  /** Makes the error for a head that is malformed or exceeds a limit. */
  error(kind: "malformed" | "too large", message: string): Error;
}

/** The part of the head that the next byte belongs to, after the start line. */
type Part =
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
const COLON = 0x3a;

/**
 * Reads heads, one after the other. The byte after a complete head starts the next one. After an error,
 * the reader cannot be used again.
 */
export class HeadReader<Head extends MessageHead> {
  readonly #limits: HeadLimits;
  readonly #startLine: StartLine<Head>;
  #part: Part = "field line";
  /** How many bytes of this head have arrived in earlier chunks. */
  #size = 0;
  /** The bytes of earlier chunks, in a buffer with room for more. */
  #earlier: Uint8Array | undefined;
  #fieldCount = 0;
  #consumed = 0;

  /** @param limits The limits of a head. @param startLine Reads the first line of each head. */
  constructor(limits: HeadLimits, startLine: StartLine<Head>) {
    this.#limits = limits;
    this.#startLine = startLine;
  }

  /** How many bytes of the last chunk belong to the head. */
  get consumed(): number {
    return this.#consumed;
  }

  /**
   * Reads the next bytes.
   *
   * @param chunk The bytes. They are read only during the call.
   * @returns The head; `undefined` while it is incomplete.
   * @throws {Error} The result of {@linkcode StartLine.error}, if the head is malformed or exceeds a
   * limit.
   */
  read(chunk: Uint8Array): Head | undefined {
    const { maxHeaderSize } = this.#limits;
    const room = maxHeaderSize - this.#size;
    const bytes = chunk.length > room ? chunk.subarray(0, room) : chunk;
    const line = this.#startLine;
    const fields = line.complete ? 0 : line.read(bytes, this.#size);
    this.#consumed = line.complete ? this.#readFields(bytes, fields) : fields;
    if (this.#part === "end") return this.#complete(bytes);
    if (bytes.length === room) {
      const because = `the ${line.noun}'s head must not exceed maxHeaderSize`;
      throw line.error("too large", `${because} (${maxHeaderSize} bytes)`);
    }
    this.#keep(bytes);
    return undefined;
  }

  #complete(chunk: Uint8Array): Head {
    const line = this.#startLine;
    const isIndexed = this.#earlier === undefined;
    const bytes = isIndexed ? chunk : this.#keep(chunk.subarray(0, this.#consumed));
    const head = line.makeHead(bytes, isIndexed ? this.#consumed : this.#size, isIndexed);
    if (isIndexed) fieldIndex.head = head;
    this.#part = "field line";
    this.#size = this.#fieldCount = 0;
    this.#earlier = undefined;
    line.checkHead?.(head);
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

  /** Reads fields from `at` on. Returns the offset after them. Each index with a `!` is in the chunk. */
  #readFields(chunk: Uint8Array, at: number): number {
    const { starts, colons } = fieldIndex;
    const { start } = this.#startLine;
    let part = this.#part;
    // The index is used only if the whole head is in this chunk, so its offsets are those of the chunk.
    fieldIndex.head = undefined;
    fieldIndex.count = 0;
    while (at < chunk.length) {
      if (part === "field line") {
        if (chunk[at] === CR) part = "LF of the end";
        else {
          this.#checkFirst(chunk[at]!);
          starts[fieldIndex.count] = at - start;
          part = "field name";
        }
        at++;
      }
      if (part === "field name") {
        while (at < chunk.length && TOKEN_BYTES[chunk[at]!] === 1) at++;
        if (at === chunk.length) break;
        if (chunk[at] !== COLON) throw this.#unexpectedInName(chunk[at]!);
        colons[fieldIndex.count++] = at - start;
        part = "field value";
        at++;
      }
      if (part === "field value") {
        while (at < chunk.length && VALUE_BYTES[chunk[at]!] === 1) at++;
        if (at === chunk.length) break;
        if (chunk[at] !== CR) throw this.#unexpected(chunk[at]!, "a field value (RFC 9110 §5.5)");
        part = "LF of a field line";
        at++;
      }
      if (at === chunk.length) break;
      if (chunk[at++] !== LF) throw this.#malformed(BARE_CR);
      if (part === "LF of the end") {
        part = "end";
        break;
      }
      part = "field line";
    }
    this.#part = part;
    return at;
  }

  /** Checks the first byte of a field line, and the number of lines. */
  #checkFirst(byte: number): void {
    if (TOKEN_BYTES[byte] !== 1) {
      if (byte === SP || byte === HTAB) {
        throw this.#malformed("line folding is refused (RFC 9112 §5.2)");
      }
      throw this.#unexpected(byte, "the first place of a field name (RFC 9110 §5.1)");
    }
    const { maxHeaderCount } = this.#limits;
    if (this.#fieldCount++ === maxHeaderCount) {
      const line = this.#startLine;
      const because = `the ${line.noun} must not exceed maxHeaderCount`;
      throw line.error("too large", `${because} (${maxHeaderCount} fields)`);
    }
  }

  #unexpectedInName(byte: number): Error {
    if (byte === SP || byte === HTAB) {
      return this.#malformed("space between a field name and its colon (RFC 9112 §5.1)");
    }
    return this.#unexpected(byte, "a field name (RFC 9110 §5.1)");
  }

  #unexpected(byte: number, where: string): Error {
    return this.#malformed(unexpectedByte(byte, where));
  }

  #malformed(because: string): Error {
    return this.#startLine.error("malformed", because);
  }
}

/** The error for a CR that no LF follows. */
export const BARE_CR = "a CR must be followed by an LF (RFC 9112 §2.2)";

/** The error for a byte in the wrong place. */
export function unexpectedByte(byte: number, where: string): string {
  return `unexpected byte 0x${byte.toString(16).toUpperCase().padStart(2, "0")} in ${where}`;
}
