import { assert, assertEquals } from "@std/assert";
import { describe, test } from "node:test";
import { SharedHeads } from "../../src/handshake/shared_heads.ts";
import { headOf } from "./support.ts";

/** What a head tells of itself. */
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
        head.share(heads);
        assertEquals(tell(head), before);
        assertEquals(head.toRequest("http").url, headOf(text).toRequest("http").url);
        head.share(heads);
        assertEquals(tell(head), before);
      }
    });
  }

  test("are the same text only if they are equal without the key", () => {
    const heads = new SharedHeads();
    const kept = heads.share("abKEYcd", 2, 5);
    assertEquals([kept, heads.size], ["abcd", 1]);
    for (const equal of ["abKEYcd", "ab123cd", "abab?cd"]) {
      assertEquals([heads.share(equal, 2, 5), heads.size], ["abcd", 1]);
    }
    for (const other of ["xbKEYcd", "abKEYcx", "aKEYbcd"]) {
      const { size } = heads;
      const at = other.indexOf("KEY");
      assertEquals(heads.share(other, at, at + 3), other.replace("KEY", ""));
      assertEquals(heads.size, size + 1);
    }
  });

  test("are no more than 256 texts of up to 2048 characters", () => {
    const heads = new SharedHeads();
    assertEquals(heads.share(`${"x".repeat(2049)}KEY`, 2049, 2052), "x".repeat(2049));
    assertEquals(heads.size, 0);
    assertEquals(heads.share(`${"x".repeat(2048)}KEY`, 2048, 2051), "x".repeat(2048));
    assertEquals(heads.size, 1);
    for (let i = 0; i < 1000; i++) {
      assertEquals(heads.share(`text KEY${i}`, 5, 8), `text ${i}`);
      assert(heads.size > 0 && heads.size <= 256, `${heads.size}`);
    }
    const { size } = heads;
    heads.share("text KEY999", 5, 8);
    assertEquals(heads.size, size);
  });

  test("are all forgotten when there is one more", () => {
    const heads = new SharedHeads();
    for (let i = 0; i < 256; i++) heads.share(`text KEY${i}`, 5, 8);
    assertEquals(heads.size, 256);
    heads.share("text KEY256", 5, 8);
    assertEquals(heads.size, 1);
    heads.share("text KEY1", 5, 8);
    assertEquals(heads.size, 2);
  });
});
