/**
 * The head of a server's answer, in any pieces, within limits (RFC 9112 §4 and §5).
 *
 * @module
 */
import { ProtocolError } from "../errors.ts";
import { isFieldValue, isReceivedFieldValue, isToken, trimSpace } from "../handshake/grammar.ts";
import { decodeLatin1 } from "../handshake/latin1.ts";

/** The limits of a head. */
export interface HeadLimits {
  /** The longest head, in bytes, with its empty line. */
  readonly maxHeaderSize: number;
  /** The most field lines. */
  readonly maxHeaderCount: number;
}

const CR = 0x0d;
const LF = 0x0a;
/** What every answer begins with. */
const START = "HTTP/1.";
/** Some servers answer with HTTP/1.0 and mean it no other way. */
const STATUS_LINE = /^HTTP\/1\.[01] ([1-9][0-9][0-9])(?: (.*))?$/;

/** What an answer's head says. Names of fields are in lower case. */
export class ResponseHead {
  /** The head with its empty line: a character for each byte. */
  readonly text: string;
  /** The first line. */
  readonly statusLine: string;
  /** The status code. */
  readonly status: number;
  /** The names and values of the fields in their order; a value is all that is behind the colon. */
  readonly fields: readonly (readonly [name: string, value: string])[];

  /**
   * @param text The head with its empty line, its lines ended by CRLF.
   * @param maxHeaderCount The most fields that it may have.
   * @throws {ProtocolError} If it is malformed or has more.
   */
  constructor(text: string, maxHeaderCount: number) {
    const [statusLine = "", ...lines] = text.slice(0, -4).split("\r\n");
    const [, status] = STATUS_LINE.exec(statusLine) ?? [];
    if (status === undefined || !isFieldValue(statusLine)) {
      throw broken(`the status line must be of HTTP/1.1, not ${show(statusLine)} (RFC 9112 §4)`);
    }
    if (lines.length > maxHeaderCount) {
      throw broken(`the answer must not exceed maxHeaderCount, ${maxHeaderCount} fields`);
    }
    this.text = text;
    this.statusLine = statusLine;
    this.status = Number(status);
    this.fields = lines.map(parseField);
  }

  /**
   * The value of a field without the space around it, several joined by `", "` (RFC 9110 §5.3);
   * `undefined` if it was not sent.
   *
   * @param name The field's name in lower case.
   */
  get(name: string): string | undefined {
    const values = this.values(name);
    return values.length === 0 ? undefined : values.map(trimSpace).join(", ");
  }

  /** The values of all fields of a name, with the space around them. */
  values(name: string): string[] {
    return this.fields.filter(([other]) => other === name).map(([, value]) => value);
  }

  /** All fields, in a new `Headers`. */
  toHeaders(): Headers {
    return new Headers(
      this.fields.map(([name, value]): [string, string] => [name, trimSpace(value)]),
    );
  }
}

function parseField(line: string): readonly [name: string, value: string] {
  const colon = line.indexOf(":");
  const name = line.slice(0, Math.max(colon, 0));
  const value = line.slice(colon + 1);
  if (!isToken(name) || !isReceivedFieldValue(value)) {
    throw broken(`a field must be a name, a colon and a value, not ${show(line)} (RFC 9112 §5)`);
  }
  return [name.toLowerCase(), value];
}

/** Collects a head; every byte is looked at once. After an error it is of no more use. */
export class ResponseReader {
  readonly #limits: HeadLimits;
  #bytes: Uint8Array = new Uint8Array(1024);
  #length = 0;
  /** Where the current line begins. */
  #line = 0;
  #afterCr = false;
  #consumed = 0;

  /** @param limits Beyond which a head is refused. */
  constructor(limits: HeadLimits) {
    this.#limits = limits;
  }

  /** How many bytes of the last chunk belong to the head. */
  get consumed(): number {
    return this.#consumed;
  }

  /** What has come so far: a character for each byte. */
  get text(): string {
    return decodeLatin1(this.#bytes, 0, this.#length);
  }

  /**
   * Takes the next bytes.
   *
   * @returns The head, when its last byte has come.
   * @throws {ProtocolError} If it is malformed or too large.
   */
  read(chunk: Uint8Array): ResponseHead | undefined {
    const { maxHeaderSize, maxHeaderCount } = this.#limits;
    let at = 0;
    let isLast = false;
    while (at < chunk.length && !isLast) {
      if (this.#length === maxHeaderSize) {
        throw broken(`the answer's head must not exceed maxHeaderSize, ${maxHeaderSize} bytes`);
      }
      // In range: compared with the length.
      isLast = this.#take(chunk[at++]!);
    }
    this.#consumed = at;
    return isLast ? new ResponseHead(this.text, maxHeaderCount) : undefined;
  }

  /** Takes a byte; returns whether it ends the head. */
  #take(byte: number): boolean {
    this.#keep(byte);
    if (this.#length <= START.length && byte !== START.charCodeAt(this.#length - 1)) {
      throw broken(`the answer must begin with ${show(START)}, not ${show(this.text)}`);
    }
    if ((byte === LF) !== this.#afterCr) {
      throw broken(
        "a line of the answer must end with CR and LF, and have no other (RFC 9112 §2.2)",
      );
    }
    this.#afterCr = byte === CR;
    if (byte !== LF) return false;
    const isEmpty = this.#length - this.#line === 2;
    this.#line = this.#length;
    return isEmpty;
  }

  #keep(byte: number): void {
    if (this.#length === this.#bytes.length) {
      const larger = new Uint8Array(2 * this.#length);
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    this.#bytes[this.#length++] = byte;
  }
}

function broken(rule: string): ProtocolError {
  return new ProtocolError(1002, rule);
}

/** Text from the network as a message shows it. */
export function show(text: string): string {
  return JSON.stringify(text.length > 120 ? `${text.slice(0, 120)}…` : text);
}
