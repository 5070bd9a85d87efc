import { assertEquals, assertThrows } from "@std/assert";
import { isUtf8 } from "node:buffer";
import { describe, test } from "node:test";
import { ProtocolError } from "../../src/errors.ts";
import { nodeBuffer } from "../../src/protocol/text_codec.ts";
import { checkUtf8, COMPLETE, decodeText, REJECTED, utf8Checker } from "../../src/protocol/utf8.ts";
import { bytes, hex } from "./hixie_cases.ts";
import { UTF8_CASES } from "./utf8_cases.ts";

const CHECKERS = [
  ["the runtime's", utf8Checker(nodeBuffer())],
  ["node:buffer's", utf8Checker({ Buffer: { prototype: {} }, isUtf8 })],
  ["the table's", utf8Checker(undefined)],
] as const;

/** Padding. Only long texts use the runtime's UTF-8 check. */
const PADDINGS = ["", "a".repeat(64), "é".repeat(200), "世😀".repeat(50)];

let encodedCharacters: Uint8Array[] | undefined;

/** All characters, encoded, in parts of 32,768. */
function everyCharacter(): Uint8Array[] {
  const part = 0x8000;
  return encodedCharacters ??= Array.from({ length: 0x110000 / part }, (_, index) => {
    const codes = Array.from({ length: part }, (_, i) => index * part + i);
    return bytes(String.fromCodePoint(...codes.filter((code) => code < 0xd800 || code > 0xdfff)));
  });
}

describe("the incremental check", () => {
  for (const [name, check] of CHECKERS) {
    test(`${name} accepts and rejects at the right byte`, () => {
      for (const { name, payload, message, fatal } of UTF8_CASES) {
        let state: number = COMPLETE;
        const states = Array.from(payload, (_, i) => state = check(payload, i, i + 1, state));
        const at = states.indexOf(REJECTED);
        assertEquals(at < 0 ? undefined : at + 1, fatal, name);
        assertEquals(state === COMPLETE, message !== undefined, name);
      }
    });

    test(`${name} gives the same result for long texts, cut everywhere`, () => {
      for (const { name, payload, message, fatal } of UTF8_CASES) {
        for (const before of PADDINGS) {
          for (const after of PADDINGS) {
            // Nothing follows an incomplete text.
            if (message === undefined && fatal === undefined && after !== "") continue;
            const text = bytes(before, payload, after);
            const begin = text.length - payload.length - bytes(after).length;
            for (let cut = begin - 1; cut <= begin + payload.length + 1; cut++) {
              if (cut < 0 || cut > text.length) continue;
              const state = check(text, cut, text.length, check(text, 0, cut, COMPLETE));
              assertEquals(state === COMPLETE, message !== undefined, `${name}, cut at ${cut}`);
              assertEquals(state === REJECTED, fatal !== undefined, `${name}, cut at ${cut}`);
            }
          }
        }
      }
    });

    test(`${name} accepts every character`, () => {
      for (const [part, encoded] of everyCharacter().entries()) {
        assertEquals(check(encoded, 0, encoded.length, COMPLETE), COMPLETE, `part ${part}`);
      }
    });
  }

  test("agrees with the runtime's on every sequence of bytes at the borders", () => {
    const first = hex("00 7F 80 BF C0 C1 C2 DF E0 E1 EC ED EE EF F0 F1 F3 F4 F5 F7 F8 FF");
    const later = hex("00 7F 80 8F 90 9F A0 BF C0 E0 F0 FF");
    for (const a of first) {
      for (const b of later) {
        for (const c of later) {
          for (const d of later) {
            const sequence = Uint8Array.of(a, b, c, d);
            const accepted = checkUtf8(sequence, 0, 4, COMPLETE) === COMPLETE;
            if (accepted !== isUtf8(sequence)) assertEquals(accepted, !accepted, `${sequence}`);
          }
        }
      }
    }
  });
});

describe("decodeText", () => {
  test("decodes every text, short and long", () => {
    for (const { name, payload, message } of UTF8_CASES) {
      for (const padding of PADDINGS) {
        const text = bytes("--", padding, payload, "---");
        const decode = () => decodeText(text, 2, text.length - 3, 0xff);
        if (message !== undefined) assertEquals(decode(), padding + message, name);
        else assertEquals(assertThrows(decode, ProtocolError).code, 1007, name);
      }
    }
  });

  test("decodes ASCII of every length", () => {
    const text = bytes("ab".repeat(600));
    for (let length = 0; length < 1100; length++) {
      assertEquals(decodeText(text, 1, 1 + length, 0x7f), "ba".repeat(600).slice(0, length));
    }
  });
});
