import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { describe, test } from "node:test";
import { ProtocolError } from "../../src/errors.ts";
import {
  checkCloseCode,
  decodeClose,
  encodeClose,
  fitReason,
} from "../../src/protocol/close_frame.ts";
import { hex } from "./hixie_cases.ts";
import { CLOSE_CODES, NO_CLOSE_CODES } from "./hybi_closing_cases.ts";

/** The codes that may be on the wire, as ranges. */
const SENDABLE: readonly (readonly [first: number, last: number])[] = [
  [1000, 1003],
  [1007, 1014],
  [3000, 4999],
];

function payload(code: number): Uint8Array {
  return Uint8Array.of(Math.floor(code / 256), code % 256);
}

describe("a close code", () => {
  test("is sent and received if it may be on the wire, and refused otherwise", () => {
    for (let code = 0; code <= 5001; code++) {
      const isSendable = SENDABLE.some(([first, last]) => first <= code && code <= last);
      for (const isOld of [false, true]) {
        if (isSendable || isOld && code === 1004) {
          assertEquals(decodeClose(payload(code), isOld), { code, reason: "" });
          assertEquals(encodeClose(code, "", isOld), payload(code));
          continue;
        }
        const because = `close code ${code} must not be on the wire (RFC 6455 §7.4)`;
        const error = assertThrows(
          () => decodeClose(payload(code), isOld),
          ProtocolError,
          because,
        );
        assertEquals(error.code, 1002);
        assertThrows(() => encodeClose(code, "", isOld), RangeError, `with code ${code}: not`);
      }
    }
  });
});

describe("the payload of a close frame", () => {
  const rows: readonly [payload: string, code: number | undefined, reason: string][] = [
    ["", undefined, ""],
    ["03 E8", 1000, ""],
    ["03 E8 62 79 65", 1000, "bye"],
    ["0F A0 EF BB BF E2 82 AC", 4000, "\uFEFF€"],
  ];
  for (const [payload, code, reason] of rows) {
    test(`${payload || "nothing"}`, () => {
      for (const isOld of [false, true]) {
        assertEquals(decodeClose(hex(payload), isOld), { code, reason });
        assertEquals(encodeClose(code, reason, isOld), hex(payload));
      }
    });
  }

  test("is not one byte, nor a reason that is not UTF-8", () => {
    const rows = [["03", 1002, "of one byte"], ["03 E8 C3", 1007, "must be UTF-8"]] as const;
    for (const [payload, code, because] of rows) {
      const error = assertThrows(() => decodeClose(hex(payload), false), ProtocolError, because);
      assertEquals(error.code, code);
    }
  });
});

describe("checkCloseCode", () => {
  test("accepts the codes that may be on the wire", () => {
    for (const code of CLOSE_CODES) checkCloseCode(code, "");
    checkCloseCode(undefined, "");
  });

  test("refuses the others", () => {
    for (const code of [...NO_CLOSE_CODES, -1, 1000.5, NaN, Infinity, 65536 + 1000]) {
      assertThrows(
        () => checkCloseCode(code, ""),
        RangeError,
        `Cannot close with code ${code}: not allowed on the wire (RFC 6455 §7.4)`,
      );
    }
  });

  test("refuses a reason of more than 123 bytes", () => {
    for (const fits of ["*".repeat(123), "é".repeat(61), "世".repeat(41)]) {
      checkCloseCode(1000, fits);
    }
    const long = [["*".repeat(124), 124], ["é".repeat(62), 124], ["世".repeat(42), 126]] as const;
    for (const [reason, size] of long) {
      assertThrows(
        () => checkCloseCode(1000, reason),
        RangeError,
        `Cannot close: reason must have at most 123 bytes, got ${size} (RFC 6455 §5.5)`,
      );
    }
  });

  test("refuses a reason without a code", () => {
    assertThrows(
      () => checkCloseCode(undefined, "bye"),
      TypeError,
      "Cannot close with a reason but no code (RFC 6455 §5.5.1)",
    );
  });
});

describe("fitReason", () => {
  test("keeps a reason of up to 123 bytes, and cuts a longer one between two characters", () => {
    for (const fits of ["", "bye", "*".repeat(123), "é".repeat(61), "世".repeat(41)]) {
      assertStrictEquals(fitReason(fits), fits);
    }
    const rows = [["*", 123], ["é", 61], ["世", 41], ["😀", 30]] as const;
    for (const [character, most] of rows) {
      assertStrictEquals(fitReason(character.repeat(200)), character.repeat(most));
    }
    checkCloseCode(1000, fitReason("😀".repeat(200)));
  });
});
