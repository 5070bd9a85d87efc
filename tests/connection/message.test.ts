import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { describe, test } from "node:test";
import {
  type Message,
  sizeOf,
  toPayload,
  toPing,
  toSendable,
} from "../../src/connection/message.ts";

class Point {
  readonly x = 1;
}

function circle(): Message {
  const loop: Record<string, unknown> = {};
  loop["loop"] = loop;
  return loop;
}

describe("a message", () => {
  const buffer = Uint8Array.of(1, 2, 3, 4).buffer;
  // In another realm, class and prototype are different.
  const foreign = { [Symbol.toStringTag]: "ArrayBuffer" };
  const rows: readonly (readonly [name: string, message: Message, payload: string | Uint8Array])[] =
    [
      ["text", "a", "a"],
      ["empty text", "", ""],
      ["bytes", Uint8Array.of(1), Uint8Array.of(1)],
      ["a view of some bytes", new DataView(buffer, 1, 2), Uint8Array.of(2, 3)],
      ["a buffer", buffer, Uint8Array.of(1, 2, 3, 4)],
      ["an array", [1, "a"], '[1,"a"]'],
      ["an object", { a: null }, '{"a":null}'],
      ["an object without a prototype", Object.assign(Object.create(null), { a: 1 }), '{"a":1}'],
    ];
  for (const [name, message, payload] of rows) {
    test(`can be ${name}`, () => assertEquals(toPayload(message), payload));
  }

  test("with bytes is not copied", () => {
    const bytes = Uint8Array.of(1);
    assertStrictEquals(toPayload(bytes), bytes);
    assertStrictEquals((toPayload(new Uint16Array(buffer)) as Uint8Array).buffer, buffer);
  });

  test("may be an ArrayBuffer of another realm", () => {
    assertEquals(toPayload(foreign as unknown as ArrayBuffer), new Uint8Array(0));
  });

  const kinds: readonly (readonly [value: unknown, kind: string])[] = [
    [undefined, "undefined"],
    [null, "null"],
    [1, "1"],
    [false, "false"],
    [() => 1, "a function"],
    [new Map(), "a Map"],
    [new Point(), "a Point"],
  ];
  for (const [value, kind] of kinds) {
    test(`cannot be ${kind}`, () => {
      const { message } = assertThrows(() => toPayload(value as Message), TypeError);
      assertEquals(
        message,
        "Cannot send a message: must be a string, an ArrayBuffer or a view of one, a plain object " +
          `or an array, got ${kind}`,
      );
    });
  }

  test("must be valid JSON", () => {
    assertThrows(() => toPayload(circle()), TypeError, "Cannot send a message as JSON: ");
    const nothing = { toJSON: () => undefined } as unknown as Message;
    assertThrows(() => toPayload(nothing), TypeError, "JSON.stringify() returned undefined");
    const own = new RangeError("of the application");
    const failing = {
      toJSON: () => {
        throw own;
      },
    } as unknown as Message;
    assertStrictEquals(assertThrows(() => toPayload(failing), RangeError), own);
  });

  test("may be binary only in versions with binary messages", () => {
    assertEquals(toSendable(Uint8Array.of(1), "rfc6455"), Uint8Array.of(1));
    for (const version of ["draft75", "draft76"] as const) {
      assertEquals(toSendable("a", version), "a");
      const because = `Cannot send a binary message: ${version} has none`;
      assertThrows(() => toSendable(buffer, version), TypeError, because);
    }
  });
});

describe("a ping", () => {
  test("has at most 125 bytes, or a text of that size in UTF-8", () => {
    assertEquals(toPing("é", "rfc6455"), Uint8Array.of(0xc3, 0xa9));
    assertEquals(toPing(new Uint8Array(125), "rfc6455").length, 125);
    assertEquals(toPing("a".repeat(125), "rfc6455").length, 125);
    const because =
      "Cannot send a ping: payload must have at most 125 bytes, got 126 (RFC 6455 §5.5)";
    assertThrows(() => toPing(new Uint8Array(126), "rfc6455"), RangeError, because);
    assertThrows(() => toPing("é".repeat(63), "rfc6455"), RangeError, because);
  });

  test("is text or bytes", () => {
    const because = "Cannot send a ping: payload must be a string or a Uint8Array, got 1";
    assertThrows(() => toPing(1 as unknown as string, "rfc6455"), TypeError, because);
  });

  test("does not exist in the drafts", () => {
    assertThrows(() => toPing("", "draft76"), TypeError, "Cannot send a ping: draft76 has none");
  });
});

describe("the size of a payload", () => {
  const texts = [
    "",
    "a",
    "\x7f",
    "\x80",
    "\u07ff",
    "\u0800",
    "\uffff",
    "😀",
    "a😀é",
    "\u20ac\u00e9",
    "\ud800",
    "\udc00a",
  ];
  for (const text of texts) {
    test(`is its size in UTF-8: ${JSON.stringify(text)}`, () => {
      assertEquals(sizeOf(text), new TextEncoder().encode(text).length);
    });
  }

  test("is the number of bytes", () => {
    assert(sizeOf(new Uint8Array(3)) === 3);
  });
});
