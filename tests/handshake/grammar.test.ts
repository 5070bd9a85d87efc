import { assert, assertEquals } from "@std/assert";
import { describe, test } from "node:test";
import {
  isFieldValue,
  isReceivedFieldValue,
  isToken,
  listHasToken,
  TARGET_BYTES,
  TOKEN_BYTES,
  trimSpace,
  VALUE_BYTES,
} from "../../src/handshake/grammar.ts";

/** The characters of the bytes that a table allows. */
function allowed(table: Uint8Array): string {
  return String.fromCharCode(...[...table.keys()].filter((byte) => table[byte] === 1));
}

const DIGITS = "0123456789";
const UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const LOWER = "abcdefghijklmnopqrstuvwxyz";
const VISIBLE = `!"#$%&'()*+,-./${DIGITS}:;<=>?@${UPPER}[\\]^_\`${LOWER}{|}~`;

describe("characters", () => {
  test("of tokens (RFC 9110 §5.6.2)", () => {
    assertEquals(allowed(TOKEN_BYTES), `!#$%&'*+-.${DIGITS}${UPPER}^_\`${LOWER}|~`);
    assert(isToken(allowed(TOKEN_BYTES)));
    for (const text of ["", "a b", "a,", "\xe9", "a\n", "a\r\nb"]) assert(!isToken(text), text);
  });

  test("of request-targets", () => {
    assertEquals(allowed(TARGET_BYTES), VISIBLE.replace("#", ""));
  });

  test("of field values that are sent (RFC 9110 §5.5)", () => {
    const latin = Array.from({ length: 128 }, (_, i) => String.fromCharCode(128 + i)).join("");
    assert(isFieldValue(`\t ${VISIBLE}${latin}`));
    assert(isFieldValue(""));
    for (const text of ["\n", "a\n", "\r", "\0", "\x7f", "\u0100", "a\r\nb"]) {
      assert(!isFieldValue(text), JSON.stringify(text));
    }
    for (let code = 0; code < 0x80; code++) {
      const isVisible = code >= 0x20 && code !== 0x7f;
      assertEquals(isFieldValue(String.fromCharCode(code)), isVisible || code === 9, `${code}`);
    }
  });

  test("of field values that are received: all but NUL, CR and LF (draft76 §4.1)", () => {
    const refused = [...VALUE_BYTES.keys()].filter((byte) => VALUE_BYTES[byte] === 0);
    assertEquals(refused, [0x00, 0x0a, 0x0d]);
    assert(isReceivedFieldValue(allowed(VALUE_BYTES)));
    for (const text of ["\0", "a\r", "\nb"]) assert(!isReceivedFieldValue(text));
  });
});

describe("lists", () => {
  test("have a token in any case, alone or among others", () => {
    for (
      const list of ["upgrade", "Upgrade", "keep-alive, Upgrade", "UPGRADE\t,a", ", ,upgrade,"]
    ) {
      assert(listHasToken(list, "upgrade"), list);
    }
    for (const list of ["", "upgrades", "up grade", "upgrade;a", "a upgrade", "\xa0upgrade"]) {
      assert(!listHasToken(list, "upgrade"), list);
    }
  });

  test("have a token of any letter in any case", () => {
    for (const letter of UPPER) assert(listHasToken(letter, letter.toLowerCase()), letter);
  });

  test("have no other token of the same length, which differs at any place", () => {
    const others = ["downgra", "@PGRADE", "[pgrade", "websock", "\x15pgrade", "\xd5pgrade"];
    for (const other of others) assert(!listHasToken(other, "upgrade"), other);
    for (let at = 0; at < "upgrade".length; at++) {
      for (const wrong of ["x", "X", "-", "\u017f", "\0"]) {
        const other = `${"upgrade".slice(0, at)}${wrong}${"upgrade".slice(at + 1)}`;
        assert(!listHasToken(other, "upgrade"), other);
        assert(!listHasToken(`close, ${other}`, "upgrade"), other);
      }
    }
    assert(!listHasToken("@", "`") && !listHasToken("[", "{"));
    // U+212A, the Kelvin sign, becomes an ASCII k in lower case.
    assert(!listHasToken("\u212aeep-alive", "keep-alive"));
  });

  test("trimSpace takes spaces and tabs only", () => {
    assertEquals(trimSpace(" \t a b\t "), "a b");
    assertEquals(trimSpace("\xa0a\n"), "\xa0a\n");
    assertEquals(trimSpace(" \t"), "");
  });
});
