import { assert, assertEquals } from "@std/assert";
import { describe, test } from "node:test";
import {
  isFieldValue,
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

  test("of field values (RFC 9110 §5.5)", () => {
    const latin = Array.from({ length: 128 }, (_, i) => String.fromCharCode(128 + i)).join("");
    assertEquals(allowed(VALUE_BYTES), `\t ${VISIBLE}${latin}`);
    assert(isFieldValue(allowed(VALUE_BYTES)));
    assert(isFieldValue(""));
    for (const text of ["\n", "a\n", "\r", "\0", "\x7f", "\u0100", "a\r\nb"]) {
      assert(!isFieldValue(text), JSON.stringify(text));
    }
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

  test("trimSpace takes spaces and tabs only", () => {
    assertEquals(trimSpace(" \t a b\t "), "a b");
    assertEquals(trimSpace("\xa0a\n"), "\xa0a\n");
    assertEquals(trimSpace(" \t"), "");
  });
});
