import { assertEquals } from "@std/assert";
import { describe, test } from "node:test";
import { cookieValue } from "../../src/handshake/cookies.ts";

describe("the value of a cookie", () => {
  const rows: [field: string, name: string, value: string | undefined][] = [
    ["a=1", "a", "1"],
    ["a=1; b=2;c=3", "b", "2"],
    ["a=1; b=2;c=3", "c", "3"],
    [" \t a\t = \t1 ", "a", "1"],
    ["a=1; a=2", "a", "1"],
    ["a=", "a", ""],
    ["a=b=c", "a", "b=c"],
    ['a="1 2"', "a", "1 2"],
    ['a="', "a", '"'],
    ["a=caf%C3%A9%3B", "a", "café;"],
    ["a=100%", "a", "100%"],
    ["a=%ff", "a", "%ff"],
    ["=1", "", "1"],
    ["", "a", undefined],
    ["a", "a", undefined],
    ["A=1", "a", undefined],
    ["xa=1; ax=2", "a", undefined],
    ["ab", "a", undefined],
    // Not read as another name or another value (RFC 6265bis).
    ["\xa0__Host-id=evil", "__Host-id", undefined],
    ["__Host-id\xa0=evil", "__Host-id", undefined],
    ["\x0b__Host-id=evil; \x0c__Host-id=evil", "__Host-id", undefined],
    ["\x7f__Host-id=evil; \x85__Host-id=evil", "__Host-id", undefined],
    ["\xa0__Host-id=evil; __Host-id=good", "__Host-id", "good"],
    ["\xa0__Host-id=evil", "\xa0__Host-id", "evil"],
    ["a=\xa01\xa0", "a", "\xa01\xa0"],
    ["a=\xa0%20\x0b", "a", "\xa0 \x0b"],
  ];
  for (const [field, name, value] of rows) {
    test(`${JSON.stringify(name)} of ${JSON.stringify(field)}`, () => {
      assertEquals(cookieValue(field, name), value);
    });
  }
});
