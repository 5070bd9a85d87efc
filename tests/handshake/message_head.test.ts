import { assertEquals } from "@std/assert";
import { describe, test } from "node:test";
import { requestReader } from "../../src/handshake/request_line.ts";
import { responseReader } from "../../src/handshake/status_line.ts";
import { latin1Bytes } from "../support/bytes.ts";
import { headOf, LIMITS } from "./support.ts";

/** A head with many fields. Each value has the head's number and the field's index. */
function numbered(number: number, fields: number): string {
  const lines = Array.from({ length: fields }, (_, i) => `Field-${i}: ${number}.${i}\r\n`);
  return `GET /${number} HTTP/1.1\r\nHost: a\r\n${lines.join("")}\r\n`;
}

describe("heads that share one index of fields", () => {
  test("each have their own fields, whatever was looked into before", () => {
    const heads = [3, 1, 7, 0, 5].map((fields, number) => ({
      number,
      fields,
      head: headOf(numbered(number, fields)),
    }));
    for (let round = 0; round < 20; round++) {
      const { number, fields, head } = heads[(round * 3) % heads.length]!;
      for (let i = 0; i < 8; i++) {
        assertEquals(head.get(`field-${i}`), i < fields ? `${number}.${i}` : undefined);
      }
      assertEquals([...head.toHeaders()].length, fields + 1);
    }
  });

  test("are not disturbed by a head that is being read, or is refused", () => {
    const head = headOf(numbered(1, 3));
    assertEquals(head.get("field-2"), "1.2");
    const reader = requestReader(LIMITS);
    for (const byte of latin1Bytes(numbered(2, 5))) {
      const other = reader.read(Uint8Array.of(byte));
      assertEquals(head.get("field-2"), "1.2");
      assertEquals(head.rawValues("field-4"), []);
      if (other !== undefined) assertEquals(other.get("field-4"), "2.4");
    }
    const response = responseReader(LIMITS).read(
      latin1Bytes("HTTP/1.1 101 \r\nField-2: r\r\n\r\n"),
    );
    assertEquals([response?.get("field-2"), head.get("field-2")], ["r", "1.2"]);
  });

  test("have no field where an earlier one had it", () => {
    const earlier = headOf("GET / HTTP/1.1\r\nHost: x\r\nA: b\r\nX-A: 1\r\n\r\n");
    const head = headOf("GET / HTTP/1.1\r\nHost: x\r\nA: xyzX-A: 2\r\n\r\n");
    const looks = [
      () => head.get("x-a"),
      () => head.rawValues("x-a"),
      () => [...head.toHeaders().keys()],
    ];
    const found = looks.map((look) => {
      assertEquals(earlier.get("x-a"), "1");
      return look();
    });
    assertEquals(found, [undefined, [], ["a", "host"]]);
  });

  test("may be looked into while another one's fields are listed", () => {
    const [one, other] = [headOf(numbered(1, 3)), headOf(numbered(2, 2))];
    const seen: (string | undefined)[][] = [];
    one.toHeaders().forEach((value, name) => seen.push([value, other.get(name)]));
    assertEquals(seen, [
      ["1.0", "2.0"],
      ["1.1", "2.1"],
      ["1.2", undefined],
      ["a", "a"],
    ]);
  });
});
