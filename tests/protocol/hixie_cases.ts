/**
 * Bytes that a peer may send after the handshake of draft75 and draft76, and the events that must be
 * received.
 *
 * The expected events do not depend on how the bytes are split. So the rows test the protocol alone as
 * well as a server with a socket.
 *
 * @module
 */

/** The versions of this wire format. */
export type HixieVersion = "draft75" | "draft76";

/** A message, the close frame, or the end of the connection with a close code. */
export type HixieEvent =
  | readonly ["text", string]
  | readonly ["close"]
  | readonly ["error", number];

/** One row of the table. */
export interface HixieCase {
  /** What the row tests. */
  readonly name: string;
  /** The versions to which the row applies. */
  readonly versions: readonly HixieVersion[];
  /** The message size limit, in bytes. Default: a limit that the row does not reach. */
  readonly maxMessageSize: number;
  /** The bytes that the peer sends. */
  readonly bytes: Uint8Array;
  /** The events that must be received. */
  readonly events: readonly HixieEvent[];
}

const BOTH: readonly HixieVersion[] = ["draft75", "draft76"];
const encoder = new TextEncoder();

/** The bytes of hexadecimal digits; white space is ignored. */
export function hex(digits: string): Uint8Array {
  const pairs = digits.replace(/\s/g, "").match(/../g) ?? [];
  return Uint8Array.from(pairs, (pair) => parseInt(pair, 16));
}

/** Joins bytes. A string is encoded as UTF-8. */
export function bytes(...parts: (string | Uint8Array)[]): Uint8Array {
  const arrays = parts.map((part) => typeof part === "string" ? encoder.encode(part) : part);
  const whole = new Uint8Array(arrays.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of arrays) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** A text frame of any bytes. */
export function textFrame(payload: string | Uint8Array): Uint8Array {
  return bytes(hex("00"), payload, hex("FF"));
}

/** A frame with a length, in as few digits as possible. */
export function lengthFrame(type: number, payload: Uint8Array): Uint8Array {
  const digits = [payload.length & 0x7f];
  for (let rest = payload.length >> 7; rest > 0; rest >>= 7) digits.unshift(rest & 0x7f | 0x80);
  return bytes(Uint8Array.of(type, ...digits), payload);
}

function row(
  name: string,
  sent: string | Uint8Array,
  events: readonly HixieEvent[],
  { versions = BOTH, maxMessageSize = 1 << 24 }: Partial<HixieCase> = {},
): HixieCase {
  const bytes = typeof sent === "string" ? hex(sent) : sent;
  return { name, versions, maxMessageSize, bytes, events };
}

const texts: HixieCase[] = [
  row("no bytes", "", []),
  row("an empty text", "00 FF", [["text", ""]]),
  row("a text", "00 68 69 FF", [["text", "hi"]]),
  row("a text without its end", "00 68 69", []),
  row("a type without more", "00", []),
  row("three empty texts", "00 FF 00 FF 00 FF", [["text", ""], ["text", ""], ["text", ""]]),
  row("texts one after the other", "00 61 FF 00 62 63 FF 00 64", [["text", "a"], ["text", "bc"]]),
  row("NUL and controls are text", "00 00 01 0A 0D 7F FF", [["text", "\0\x01\n\r\x7f"]]),
  row("characters of two, three and four bytes", textFrame("é世😀"), [["text", "é世😀"]]),
  row("a byte order mark is text", "00 EF BB BF 61 FF", [["text", "\ufeffa"]]),
  row("a byte order mark alone", "00 EF BB BF FF", [["text", "\ufeff"]]),
  row("ASCII, other, ASCII", bytes(...["one", "zwö", "three"].map(textFrame)), [
    ["text", "one"],
    ["text", "zwö"],
    ["text", "three"],
  ]),
  row("a text of 40 bytes", textFrame("0123456789".repeat(4)), [
    ["text", "0123456789".repeat(4)],
  ]),
];

const skipped: HixieCase[] = [
  row("type 01 until FF", "01 61 62 FF", []),
  row("type 7F until FF", "7F 61 62 FF", []),
  row("type 01 of no bytes", "01 FF 00 61 FF", [["text", "a"]]),
  row("a text in type 01 is not one", "01 00 61 62 FF 00 63 FF", [["text", "c"]]),
  row("the close frame in type 01 is not one", "01 61 FF 00 FF", [["text", ""]]),
  row("type 80 of no bytes", "80 00 00 61 FF", [["text", "a"]]),
  row("type 80 of three bytes", "80 03 00 61 FF 00 62 FF", [["text", "b"]]),
  row("type 80 of FF bytes", "80 02 FF FF 00 62 FF", [["text", "b"]]),
  row("type FE of one byte", "FE 01 00 00 62 FF", [["text", "b"]]),
  row("type FF of one byte", "FF 01 00 00 62 FF", [["text", "b"]]),
  row(
    "a length of two digits",
    bytes(hex("90 81 01"), new Uint8Array(129).fill(0xff), textFrame("b")),
    [["text", "b"]],
  ),
  row("leading zeros in a length", "80 80 80 01 00 00 62 FF", [["text", "b"]]),
  row("a length of zeros", "80 80 80 00 00 62 FF", [["text", "b"]]),
  row("nine digits", "80 80 80 80 80 80 80 80 80 01 61 00 62 FF", [["text", "b"]]),
  row("ten digits", "80 80 80 80 80 80 80 80 80 80 00 00 62 FF", [["error", 1009]]),
  row("endless leading zeros", new Uint8Array(100).fill(0x80), [["error", 1009]]),
  row("endless digits", bytes(hex("80"), new Uint8Array(100).fill(0xff)), [["error", 1009]]),
  row("a length without its bytes", "80 05 00 61 FF", []),
  row("a type without its length", "80", []),
  row("between texts", "00 61 FF 01 78 FF 00 62 FF 80 01 78 00 63 FF", [
    ["text", "a"],
    ["text", "b"],
    ["text", "c"],
  ]),
];

const closing: HixieCase[] = [
  row("the close frame", "FF 00", [["close"]], { versions: ["draft76"] }),
  row("half of the close frame", "FF", [], { versions: ["draft76"] }),
  row("with a leading zero", "FF 80 00", [["close"]], { versions: ["draft76"] }),
  row("after a text", "00 61 FF FF 00", [["text", "a"], ["close"]], { versions: ["draft76"] }),
  row("what follows is discarded", "FF 00 00 61 FF FF 00 80 FF FF FF FF FF FF FF FF", [["close"]], {
    versions: ["draft76"],
  }),
  row("draft75 has none: a frame of no bytes", "FF 00 00 61 FF FF 00 FF 80 00 00 62 FF", [
    ["text", "a"],
    ["text", "b"],
  ], { versions: ["draft75"] }),
];

function limited(name: string, sent: string | Uint8Array, events: HixieEvent[]): HixieCase {
  return row(name, sent, events, { maxMessageSize: 4 });
}

const limits: HixieCase[] = [
  limited("a text at the limit", "00 61 62 63 64 FF", [["text", "abcd"]]),
  limited("a text beyond the limit", "00 61 62 63 64 65 FF", [["error", 1009]]),
  limited("a text beyond the limit without its end", "00 61 62 63 64 65", [["error", 1009]]),
  limited("at the limit without its end", "00 61 62 63 64", []),
  limited("the limit counts bytes: at it", textFrame("éé"), [["text", "éé"]]),
  limited("the limit counts bytes: beyond it", textFrame("éé!"), [["error", 1009]]),
  limited("each text is counted for itself", "00 61 62 63 FF 00 61 62 63 64 FF", [
    ["text", "abc"],
    ["text", "abcd"],
  ]),
  limited("texts before the one that is too long", "00 61 FF 00 61 62 63 64 65 FF 00 62 FF", [
    ["text", "a"],
    ["error", 1009],
  ]),
  limited("type 01 at the limit", "01 61 62 63 64 FF 00 61 FF", [["text", "a"]]),
  limited("type 01 beyond the limit", "01 61 62 63 64 65 FF", [["error", 1009]]),
  limited("type 01 without its end", "01 61 62 63 64 65", [["error", 1009]]),
  limited("a length at the limit", "80 04 61 62 63 64 00 61 FF", [["text", "a"]]),
  limited("a length beyond the limit", "80 05", [["error", 1009]]),
  limited("a length beyond the limit at its first digit", "80 85", [["error", 1009]]),
  limited("a length of FF beyond the limit", "FF 05 00", [["error", 1009]]),
  row("a length of 1 GB", "80 84 80 80 80 00", [["error", 1009]]),
];

const REPLACED = "\ufffd";

/** Invalid UTF-8 payloads and their text: one U+FFFD for each maximal invalid part. */
const invalid: readonly (readonly [name: string, payload: string, text: string])[] = [
  ["a continuation byte alone", "61 80 62", `a${REPLACED}b`],
  ["two continuation bytes", "80 BF", REPLACED.repeat(2)],
  ["a character cut off after one byte of two", "C3", REPLACED],
  ["a character cut off after two bytes of three", "E4 B8", REPLACED],
  ["a character cut off after three bytes of four", "F0 9F 98", REPLACED],
  ["cut off by ASCII", "E4 B8 61", `${REPLACED}a`],
  ["cut off by another character", "F0 9F E4 B8 96", `${REPLACED}世`],
  ["a first byte after a first byte", "C3 C3 A9", `${REPLACED}é`],
  ["a first byte of four, then a continuation byte too many", "F0 9F 98 80 80", `😀${REPLACED}`],
  ["overlong, two bytes", "C0 80", REPLACED.repeat(2)],
  ["overlong, three bytes", "E0 80 80", REPLACED.repeat(3)],
  ["overlong, four bytes", "F0 80 80 80", REPLACED.repeat(4)],
  ["a surrogate", "ED A0 80", REPLACED.repeat(3)],
  ["beyond U+10FFFF", "F4 90 80 80", REPLACED.repeat(4)],
  ["bytes that UTF-8 has not", "F5 F8 FC FE", REPLACED.repeat(4)],
  ["a first byte that UTF-8 has not, and its continuation", "F8 88 80 80 80", REPLACED.repeat(5)],
  ["good around bad", "C3 A9 FE C3 A9", `é${REPLACED}é`],
];

const replaced: HixieCase[] = invalid.map(([name, payload, text]) =>
  row(`not UTF-8: ${name}`, bytes(textFrame(hex(payload)), textFrame("next")), [
    ["text", text],
    ["text", "next"],
  ])
);

/** All rows. */
export const hixieCases: readonly HixieCase[] = [
  ...texts,
  ...skipped,
  ...closing,
  ...limits,
  ...replaced,
];
