import { assert, assertEquals } from "@std/assert";
import { describe, test } from "node:test";
import { requestReader } from "../../src/handshake/request_line.ts";
import { latin1Bytes } from "../support/bytes.ts";
import { assertRefused, LIMITS, readEveryWay, readPieces } from "./support.ts";

describe("limits, at N and at N+1: 431", () => {
  const head = "\r\nGET / HTTP/1.1\r\nHost: a\r\nB: c\r\n\r\n";

  test("maxHeaderSize counts the whole head, with its empty lines", () => {
    const enough = { ...LIMITS, maxHeaderSize: head.length };
    assert(typeof readEveryWay(`${head}rest`, enough) !== "string");
    assertRefused(head, 431, `must not exceed maxHeaderSize (${head.length - 1} bytes)`, {
      ...LIMITS,
      maxHeaderSize: head.length - 1,
    });
  });

  test("maxHeaderSize ends an endless line as soon as it is reached, wherever it is", () => {
    for (const endless of ["G", "GET /", "GET / HTTP/1.1\r\nA", "GET / HTTP/1.1\r\nA: "]) {
      const limits = { ...LIMITS, maxHeaderSize: 64 };
      const text = endless.padEnd(63, "a");
      assertEquals(readEveryWay(text, limits), "incomplete");
      assertRefused(`${text}a`, 431, "must not exceed maxHeaderSize (64 bytes)", limits);
      assertRefused(`${text}aaa`, 431, "must not exceed maxHeaderSize (64 bytes)", limits);
    }
  });

  test("what is wrong before the limit is told, and what is behind it is not looked at", () => {
    const limits = { ...LIMITS, maxHeaderSize: 20 };
    assertRefused("GET / HTTP/1.1\r\nA: \0", 400, "0x00 in a field value", limits);
    assertRefused(
      "GET / HTTP/1.1\r\nA: a\0",
      431,
      "must not exceed maxHeaderSize (20 bytes)",
      limits,
    );
  });

  test("maxHeaderCount counts the field lines", () => {
    assert(typeof readEveryWay(head, { ...LIMITS, maxHeaderCount: 2 }) !== "string");
    assertRefused(head, 431, "must not exceed maxHeaderCount (1 fields)", {
      ...LIMITS,
      maxHeaderCount: 1,
    });
    const none = { ...LIMITS, maxHeaderCount: 0 };
    assert(typeof readEveryWay("GET / HTTP/1.0\r\n\r\n", none) !== "string");
    assertRefused("GET / HTTP/1.0\r\nA", 431, "must not exceed maxHeaderCount (0 fields)", none);
  });

  test("a head of 16 KiB and of 100 fields, byte by byte", () => {
    const fields = Array.from({ length: 99 }, (_, i) => `field-${i}: ${"v".repeat(100)}\r\n`);
    const start = `GET / HTTP/1.1\r\nHost: a\r\n${fields.join("")}`;
    const text = `GET /${"a".repeat(16384 - 2 - start.length)}${start.slice(5)}\r\n`;
    assertEquals(text.length, 16384);
    const pieces = [...latin1Bytes(text)].map((byte) => Uint8Array.of(byte));
    const outcome = readPieces(pieces);
    assert(outcome !== "incomplete" && "head" in outcome);
    assertEquals(outcome.head.get("field-98"), "v".repeat(100));
    assertEquals(outcome.head.target.length, 16384 - 2 - start.length + 1);
  });

  const long = `GET /${"a".repeat(4000)} HTTP/1.1\r\nHost: a\r\n${"b".repeat(4000)}: ${
    "c".repeat(4000)
  }\r\n\r\n`;

  test("each byte is looked at a few times at the most, however it comes", () => {
    let looks = 0;
    const reader = requestReader(LIMITS);
    let head;
    for (const byte of latin1Bytes(long)) {
      const chunk = new Proxy(Uint8Array.of(byte), {
        get(bytes, key) {
          if (key === "0") looks++;
          const value: unknown = Reflect.get(bytes, key, bytes);
          return typeof value === "function" ? () => bytes : value;
        },
      });
      head = reader.read(chunk);
    }
    assertEquals(head?.get("host"), "a");
    assert(looks <= 5 * long.length, `${looks} looks at ${long.length} bytes`);
  });

  test("each byte is copied a few times at the most, and not at all if it comes at once", () => {
    // Made before counting begins, because Deno's `Buffer.from` copies with `set`.
    const bytes = latin1Bytes(long);
    const prototype = Object.getPrototypeOf(Uint8Array.prototype) as Uint8Array;
    const { set } = prototype;
    let copied = 0;
    prototype.set = function (this: Uint8Array, source: ArrayLike<number>, at?: number) {
      copied += source.length;
      set.call(this, source, at);
    };
    try {
      const reader = requestReader(LIMITS);
      assertEquals(reader.read(bytes)?.get("host"), "a");
      assertEquals(copied, 0);
      let head;
      for (const byte of bytes) head = reader.read(Uint8Array.of(byte));
      assertEquals(head?.get("host"), "a");
    } finally {
      prototype.set = set;
    }
    assert(copied <= 4 * long.length, `${copied} copies of ${long.length} bytes`);
  });
});
