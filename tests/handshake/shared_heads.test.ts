import { assert, assertEquals } from "@std/assert";
import { describe, test } from "node:test";
import { SharedHeads } from "../../src/handshake/shared_heads.ts";
import { requestReader } from "../../src/handshake/request_line.ts";
import { latin1Bytes } from "../support/bytes.ts";
import { headOf, LIMITS } from "./support.ts";

/** The properties of a head. */
function tell(head: ReturnType<typeof headOf>): unknown[] {
  const { method, target, httpVersion, path, query, host } = head;
  const fields = [...head.toHeaders()];
  const key = head.get("sec-websocket-key");
  return [method, target, httpVersion, path, query, host, fields, key, head.rawValues("x-a")];
}

const KEY = "dGhlIHNhbXBsZSBub25jZQ==";

describe("heads that share their text", () => {
  const rows: Readonly<Record<string, string>> = {
    "with a key": `GET /a?b=c HTTP/1.1\r\nHost: x\r\nSec-WebSocket-Key: ${KEY}\r\nX-A: 1\r\n\r\n`,
    "with a key that stands somewhere else too":
      `GET /${KEY} HTTP/1.1\r\nHost: x\r\nX-A: ${KEY}\r\nSec-WebSocket-Key: ${KEY}\r\n\r\n`,
    "with a key in other letters, and spaces around it":
      `GET / HTTP/1.1\r\nsec-WEBSOCKET-kEY: \t${KEY}\t \r\nX-A: 1\r\nHost: x\r\n\r\n`,
    "with two keys":
      `GET / HTTP/1.1\r\nHost: x\r\nSec-WebSocket-Key: ${KEY}\r\nSec-WebSocket-Key: ${KEY}\r\n\r\n`,
    "with a key that is too long":
      `GET / HTTP/1.1\r\nHost: x\r\nSec-WebSocket-Key: ${KEY}=\r\nX-A: 1\r\n\r\n`,
    "with fields whose names are as long":
      `GET / HTTP/1.1\r\nHost: x\r\nSec-WebSocket-Kex: ${KEY}\r\nIf-Modified-Since: ${KEY}\r\n\r\n`,
    "with an empty line before":
      `\r\nGET / HTTP/1.1\r\nHost: x\r\nSec-WebSocket-Key: ${KEY}\r\nX-A: 1\r\n\r\n`,
    "with an empty key": "GET / HTTP/1.1\r\nHost: x\r\nSec-WebSocket-Key:\r\n\r\n",
    "without a key": "GET / HTTP/1.1\r\nHost: x\r\nX-A: 1\r\nX-A: 2\r\n\r\n",
    "with a long field": `GET / HTTP/1.1\r\nHost: x\r\nX-A: ${"a".repeat(3000)}\r\n` +
      `Sec-WebSocket-Key: ${KEY}\r\n\r\n`,
  };
  for (const [name, text] of Object.entries(rows)) {
    test(`tell the same as before: ${name}`, () => {
      const heads = new SharedHeads();
      for (let i = 0; i < 3; i++) {
        const head = headOf(text);
        const before = tell(head);
        assertEquals(head.text, text.replace(/^\r\n/, ""));
        head.share(heads);
        assertEquals(tell(head), before);
        assertEquals(head.text, text.replace(/^\r\n/, ""));
        assertEquals(head.toRequest("http").url, headOf(text).toRequest("http").url);
        head.share(heads);
        assertEquals(tell(head), before);
      }
    });
  }

  test("share it wherever the key stands", () => {
    const fields = ["Host: x", "X-A: 1"];
    for (let at = 0; at <= fields.length; at++) {
      const heads = new SharedHeads();
      for (const key of [KEY, KEY.toUpperCase()]) {
        const lines = fields.toSpliced(at, 0, `Sec-WebSocket-Key: ${key}`);
        headOf(`GET / HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`).share(heads);
      }
      assertEquals(heads.size, 1, `${at}`);
    }
  });

  for (const name of ["If-Modified-Since", "Sec-WebSocket-Kex", "Sec-WebSocket_Key"]) {
    test(`have no key in another field with a name as long: ${name}`, () => {
      const head = headOf(`GET / HTTP/1.1\r\nHost: x\r\n${name}: ${KEY}\r\n\r\n`);
      assertEquals([head.get(name.toLowerCase()), head.get("sec-websocket-key")], [KEY, undefined]);
      const heads = new SharedHeads();
      head.share(heads);
      assertEquals([heads.share(head.text), heads.size], [head.text, 1]);
    });
  }

  test("are the same text only if they are equal without the key", () => {
    const heads = new SharedHeads();
    assertEquals([heads.share("abcd"), heads.size], ["abcd", 1]);
    assertEquals([heads.share("abcd"), heads.size], ["abcd", 1]);
    for (const other of ["xbcd", "abcx", "abc", "abcde"]) {
      const { size } = heads;
      assertEquals(heads.share(other), other);
      assertEquals(heads.size, size + 1);
    }
  });

  test("have the same text with different keys only", () => {
    const heads = new SharedHeads();
    const texts = [KEY, "x3JJHMbDL1EzLkh9GBhXDw==", "==/+abcdefghijklmnopqrst"].map((key) =>
      `GET / HTTP/1.1\r\nHost: x\r\nSec-WebSocket-Key:\t ${key} \r\nX-A: ${key}\r\n\r\n`
    );
    const sizes = texts.map((text) => {
      const head = headOf(text.replaceAll("X-A: ", "X-B: ").replace(/X-B: .*/, "X-B: 1"));
      head.share(heads);
      return heads.size;
    });
    assertEquals(sizes, [1, 1, 1]);
    for (const text of texts) {
      const head = headOf(text);
      head.share(heads);
      assertEquals(head.text, text);
    }
    assertEquals(heads.size, 4);
  });

  test("have their own fields, and none of the head before", () => {
    const heads = new SharedHeads();
    for (const key of [KEY, "x3JJHMbDL1EzLkh9GBhXDw=="]) {
      const text = (between: string) =>
        `GET / HTTP/1.1\r\nSec-WebSocket-Key: ${key}\r\nHost: x\r\nX-A: 1${between}` +
        `Sec-WebSocket-Key: ${KEY}\r\n\r\n`;
      headOf(text("\r\n"));
      headOf(text(", ")).share(heads);
    }
    assertEquals(heads.size, 1);
  });

  test("leave the bytes as they were", () => {
    const bytes = latin1Bytes(rows["with a key"] ?? "");
    const copy = bytes.slice();
    requestReader(LIMITS).read(bytes);
    assertEquals(bytes, copy);
  });

  test("are no more than 256 texts of up to 2048 characters", () => {
    const heads = new SharedHeads();
    assertEquals(heads.share("x".repeat(2049)), "x".repeat(2049));
    assertEquals(heads.size, 0);
    assertEquals(heads.share("x".repeat(2048)), "x".repeat(2048));
    assertEquals(heads.size, 1);
    for (let i = 0; i < 1000; i++) {
      assertEquals(heads.share(`text ${i}`), `text ${i}`);
      assert(heads.size > 0 && heads.size <= 256, `${heads.size}`);
    }
    const { size } = heads;
    heads.share("text 999");
    assertEquals(heads.size, size);
  });

  test("are all forgotten when there is one more", () => {
    const heads = new SharedHeads();
    for (let i = 0; i < 256; i++) heads.share(`text ${i}`);
    assertEquals(heads.size, 256);
    heads.share("text 256");
    assertEquals(heads.size, 1);
    heads.share("text 1");
    assertEquals(heads.size, 2);
  });
});
