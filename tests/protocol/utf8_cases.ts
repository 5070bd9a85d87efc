/**
 * Valid and invalid UTF-8 (RFC 3629), from Markus Kuhn's list and the categories 6.2 to 6.23 of the
 * Autobahn test suite.
 *
 * @module
 */
import { hex } from "./hixie_cases.ts";

/** One row. */
export interface Utf8Case {
  /** What the row tests. */
  readonly name: string;
  /** The bytes. */
  readonly payload: Uint8Array;
  /** The text, if the bytes are valid UTF-8. */
  readonly message?: string;
  /** After how many bytes the text is certainly invalid; `undefined` if it is only incomplete. */
  readonly fatal?: number;
}

function valid(name: string, digits: string, message: string): Utf8Case {
  return { name, payload: hex(digits), message };
}

/** The last byte before the `|` is the first wrong one. Without a `|`, the text is incomplete. */
function invalid(name: string, digits: string): Utf8Case {
  const [before = "", after] = digits.split("|");
  const payload = hex(before + (after ?? ""));
  return after === undefined ? { name, payload } : { name, payload, fatal: hex(before).length };
}

function invalids(name: string, rows: readonly string[]): Utf8Case[] {
  return rows.map((digits) => invalid(`${name}: ${digits}`, digits));
}

/** "κόσμε" with U+1F79. Keyboards produce another letter, U+03CC. */
const KOSME = "CE BA E1 BD B9 CF 83 CE BC CE B5";

/** κόσμε cut after each of its bytes. */
function prefixes(): Utf8Case[] {
  const payload = hex(KOSME);
  const whole = new Map([[2, "κ"], [5, "κ\u1f79"], [7, "κ\u1f79σ"], [9, "κ\u1f79σμ"], [
    11,
    "κ\u1f79σμε",
  ]]);
  return Array.from(payload, (_, i) => {
    const name = `AB 6.6.${i + 1}: κόσμε, cut after ${i + 1} bytes`;
    const cut = payload.slice(0, i + 1);
    const message = whole.get(i + 1);
    return message === undefined ? { name, payload: cut } : { name, payload: cut, message };
  });
}

/** A row for each byte of a range, followed by a space. */
function lonely(from: number, to: number): Utf8Case {
  const digits = Array.from({ length: to - from + 1 }, (_, i) => `${(from + i).toString(16)} 20`);
  // C0, C1 and F5 to FF are never allowed. The other bytes are not allowed before a space.
  const impossible = from <= 0xc1 || from >= 0xf5;
  const marked = impossible
    ? digits.join(" ").replace(" ", "| ")
    : digits.join(" ").replace("20", "20|");
  return invalid(`AB 6.13: lonely first bytes ${from.toString(16)} to ${to.toString(16)}`, marked);
}

const NONCHARACTERS = Array.from({ length: 17 }, (_, plane) => [
  plane * 0x10000 + 0xfffe,
  plane * 0x10000 + 0xffff,
]).flat();

function character(name: string, codePoint: number): Utf8Case {
  const message = String.fromCodePoint(codePoint);
  return { name, payload: new TextEncoder().encode(message), message };
}

/** Every row. */
export const UTF8_CASES: readonly Utf8Case[] = [
  valid("AB 6.2: a text", "48 65 6C 6C 6F 2D C2 B5 40 C3 9F C3 B6", "Hello-µ@ßö"),
  valid("a byte order mark", "EF BB BF 61", "\ufeffa"),
  valid("a byte order mark alone", "EF BB BF", "\ufeff"),
  invalid("AB 6.3.1: a surrogate in a text", `${KOSME} ED A0| 80 65 64 69 74 65 64`),
  invalid(
    "AB 6.4.1 to 6.4.4: beyond U+10FFFF in a text",
    `${KOSME} F4 90| 80 80 65 64 69 74 65 64`,
  ),
  valid("AB 6.5: κόσμε", KOSME, "κ\u1f79σμε"),
  ...prefixes(),
  valid("AB 6.7.1: first of 1 byte", "00", "\0"),
  valid("AB 6.7.2: first of 2 bytes", "C2 80", "\u0080"),
  valid("AB 6.7.3: first of 3 bytes", "E0 A0 80", "\u0800"),
  valid("AB 6.7.4: first of 4 bytes", "F0 90 80 80", "\u{10000}"),
  ...invalids("AB 6.8: first of 5 and 6 bytes", ["F8| 88 80 80 80", "FC| 84 80 80 80 80"]),
  valid("AB 6.9.1: last of 1 byte", "7F", "\x7f"),
  valid("AB 6.9.2: last of 2 bytes", "DF BF", "\u07ff"),
  valid("AB 6.9.3: last of 3 bytes", "EF BF BF", "\uffff"),
  valid("AB 6.9.4: last of 4 bytes", "F4 8F BF BF", "\u{10ffff}"),
  ...invalids("AB 6.10: last of 4, 5 and 6 bytes", [
    "F7| BF BF BF",
    "FB| BF BF BF BF",
    "FD| BF BF BF BF BF",
  ]),
  valid("AB 6.11.1: last before the surrogates", "ED 9F BF", "\ud7ff"),
  valid("AB 6.11.2: the first after the surrogates", "EE 80 80", "\ue000"),
  valid("AB 6.11.3: U+FFFD, sent as such", "EF BF BD", "\ufffd"),
  valid("U+FFFD in a text", "61 C3 A9 EF BF BD 62", "aé\ufffdb"),
  ...invalids("AB 6.11.5: first beyond U+10FFFF", ["F4 90| 80 80"]),
  ...invalids("AB 6.12: unexpected continuation bytes", [
    ...[
      "80|",
      "BF|",
      "80| BF",
      "80| BF 80",
      "80| BF 80 BF",
      "80| BF 80 BF 80",
      "80| BF 80 BF 80 BF",
    ],
    ...["61 80|", "C2 80 80|", "E0 A0 80 BF|", "F0 90 80 80 80|"],
  ]),
  invalid(
    "AB 6.12.8: all continuation bytes",
    `80| ${Array.from({ length: 63 }, (_, i) => (0x81 + i).toString(16)).join(" ")}`,
  ),
  lonely(0xc0, 0xdf),
  lonely(0xc2, 0xdf),
  lonely(0xe0, 0xef),
  lonely(0xf0, 0xf4),
  lonely(0xf5, 0xf7),
  lonely(0xf8, 0xfb),
  lonely(0xfc, 0xfd),
  ...invalids("AB 6.14: the last byte is missing", [
    ...["C0|", "E0 80|", "F0 80| 80", "F8| 80 80 80", "FC| 80 80 80 80"],
    ...["DF", "EF BF", "F4 8F BF", "F7| BF BF", "FB| BF BF BF", "FD| BF BF BF BF"],
    ...["C2", "E0", "E0 A0", "ED 9F", "F0", "F0 90", "F0 90 80", "F4", "61 62 63 C3"],
  ]),
  invalid(
    "AB 6.15: incomplete sequences one after the other",
    "DF EF| BF F4 8F BF C2 E0 A0 F0 90 80",
  ),
  ...invalids("incomplete sequences before a character", ["C2 41|", "E0 A0 41|", "F0 90 80 41|"]),
  ...invalids("AB 6.16: impossible bytes", ["FE|", "FF|", "FE| FE FF FF"]),
  ...invalids("AB 6.17: overlong slash", [
    ...["C0| AF", "E0 80| AF", "F0 80| 80 AF", "F8| 80 80 80 AF", "FC| 80 80 80 80 AF"],
  ]),
  ...invalids("AB 6.18: largest overlong sequences", [
    ...["C1| BF", "E0 9F| BF", "F0 8F| BF BF", "F8| 87 BF BF BF", "FC| 83 BF BF BF BF"],
  ]),
  ...invalids("AB 6.19: overlong NUL", [
    ...["C0| 80", "E0 80| 80", "F0 80| 80 80", "F8| 80 80 80 80", "FC| 80 80 80 80 80"],
  ]),
  ...invalids("AB 6.20: surrogates", [
    ...["ED A0| 80", "ED AD| BF", "ED AE| 80", "ED AF| BF", "ED B0| 80", "ED BE| 80", "ED BF| BF"],
  ]),
  ...invalids("AB 6.21: pairs of surrogates", [
    ...["ED A0| 80 ED B0 80", "ED A0| 80 ED BF BF", "ED AD| BF ED B0 80", "ED AD| BF ED BF BF"],
    ...["ED AE| 80 ED B0 80", "ED AE| 80 ED BF BF", "ED AF| BF ED B0 80", "ED AF| BF ED BF BF"],
  ]),
  ...NONCHARACTERS.map((code) => character(`AB 6.22: U+${code.toString(16)}`, code)),
  ...[0xfff9, 0xfffa, 0xfffb, 0xfffc, 0xfffd].map((code) =>
    character(`AB 6.23: U+${code.toString(16)}`, code)
  ),
];
