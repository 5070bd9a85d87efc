import { assert, assertEquals, assertThrows } from "@std/assert";
import { describe, test } from "node:test";
import { HttpError, Refusal } from "../../src/errors.ts";
import { parseExtensions } from "../../src/handshake/extensions.ts";

/** An offer as one line: values in brackets, `-` for no value. */
function lines(value: string): string[] {
  return parseExtensions(value).map(({ name, parameters }) =>
    [name, ...parameters.map(({ name, value }) => `${name}[${value ?? "-"}]`)].join(" ")
  );
}

describe("Sec-WebSocket-Extensions (RFC 6455 §9.1)", () => {
  const rows: [value: string, offers: string[]][] = [
    ["foo", ["foo"]],
    ["deflate-stream", ["deflate-stream"]],
    ["permessage-deflate; client_max_window_bits", [
      "permessage-deflate client_max_window_bits[-]",
    ]],
    ["mux; max-channels=4; flow-control, deflate-stream", [
      "mux max-channels[4] flow-control[-]",
      "deflate-stream",
    ]],
    ['private-extension; a="b"', ["private-extension a[b]"]],
    ['a; b="\\c\\d"; e, f', ["a b[cd] e[-]", "f"]],
    ["a;b=c;b=d;b", ["a b[c] b[d] b[-]"]],
    [" \ta\t;\tb\t=\tc\t,\td ", ["a b[c]", "d"]],
    ['a ; b = "c" ; d', ["a b[c] d[-]"]],
    [",a,, ,b,", ["a", "b"]],
    ["a, a", ["a", "a"]],
  ];
  for (const [value, offers] of rows) {
    test(JSON.stringify(value), () => assertEquals(lines(value), offers));
  }

  for (
    const value of [
      "",
      " \t",
      " , ",
      ",",
      ";",
      "=",
      "a=b",
      "a;",
      "a;;b",
      "a; ,b",
      "a; b=",
      "a; b=,c",
      "a; b==c",
      "a; b=c=d",
      "a; b=c d",
      "a b",
      "a; b c",
      "a; =b",
      '"a"',
      'a; "b"=c',
      'a; b="',
      'a; b="c',
      'a; b="c\\"',
      'a; b=""',
      'a; b="c d"',
      'a; b="c,d"',
      'a; b="\\""',
      'a; b="c"d',
      "a; b='c d'",
      "a; b=\xe9",
      "\xe9",
      "a/b",
      "a, b;",
      "a; b=c; d=",
    ]
  ) {
    test(`${JSON.stringify(value)} is refused`, () => {
      const error = assertThrows(() => parseExtensions(value), Refusal, "(RFC 6455 §9.1)");
      assertEquals(error.reason, "handshake");
      assertEquals(error.status, 400);
    });
  }

  test("each value has its own offers, whatever was parsed before it", () => {
    const values: [value: string, offers: string[]][] = [
      ["foo", ["foo"]],
      ["bar; a=1", ["bar a[1]"]],
      ["foo", ["foo"]],
      ["foo, bar", ["foo", "bar"]],
    ];
    for (const [value, offers] of values) {
      assertEquals(lines(value), offers);
      assertEquals(lines(value), offers, `${value} again`);
      assertThrows(() => parseExtensions(`${value};`), HttpError);
      assertEquals(lines(value), offers, `${value} after a refusal`);
    }
  });

  test("a long value is parsed in one go", () => {
    const value = "a; b, ".repeat(2500);
    assertEquals(parseExtensions(value).length, 2500);
    assertThrows(() => parseExtensions(`a; b="${"\\c".repeat(8000)}`), HttpError);
    assertThrows(() => parseExtensions(`a${" ".repeat(16000)}b`), HttpError);
    assert(parseExtensions(`a${" ".repeat(16000)}`).length === 1);
  });
});
