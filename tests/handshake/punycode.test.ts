import { assertEquals } from "@std/assert";
import { describe, test } from "node:test";
import { decodePunycode } from "../../src/handshake/punycode.ts";

describe("Punycode", () => {
  const rows: [encoded: string, decoded: string | undefined][] = [
    ["", ""],
    ["bcher-kva", "bücher"],
    ["fa-hia", "faß"],
    ["ls8h", "\u{1f4a9}"],
    ["dn32g", "\u{10ffff}"],
    ["en32g", undefined],
    // RFC 3492 §7.1, A, B, L, R and S, in lower case.
    ["egbpdaj6bu4bxfgehfvwxn", "ليهمابتكلموشعربي؟"],
    ["ihqwcrb4cv8a8dqg056pqjye", "他们为什么不说中文"],
    ["3b-ww4c5e180e575a65lsy2b", "3年b組金八先生"],
    ["d9juau41awczczp", "そのスピードで"],
    // At the values where the bias changes.
    ["wiq03ah989a", "\u{10017}\u4f7c\u4e3e"],
    ["yda5850bma34e4214n", "\u4e19\u4e1d\u0101\u{1f308}\u4ed3"],
    ["0ma32du7gb544a", "\u07b3\u036f\u023e\u{100e7}"],
    ["-> $1.00 <--", "-> $1.00 <-"],
    ["-", ""],
    ["a-", "a"],
    // Incomplete, not a digit, above U+10FFFF.
    ["0", undefined],
    ["bcher-kv", undefined],
    ["a_", undefined],
    ["\x16", undefined],
    ["99999999", undefined],
    ["999999b", undefined],
  ];
  for (const [encoded, decoded] of rows) {
    test(JSON.stringify(encoded), () => assertEquals(decodePunycode(encoded), decoded));
  }
});
