import { describe, test } from "node:test";
import { assertEquals, assertGreaterOrEqual, assertLessOrEqual } from "@std/assert";
import { HttpError } from "../../src/errors.ts";
import { requestReader } from "../../src/handshake/request_line.ts";
import { BodyReader } from "../../src/http/body_reader.ts";
import { latin1Bytes } from "../support/bytes.ts";
import { COLLECTABLE } from "../support/collect.ts";
import { checkRows } from "../support/rows.ts";
import { spawnScript } from "../support/spawn.ts";

const limits = { maxHeaderSize: 16384, maxHeaderCount: 100 };

/** Makes a reader for the body of a request with these fields. */
function readerOf(fields: string, maxSize: number): BodyReader {
  const version = fields.includes("HTTP/1.0") ? "1.0" : "1.1";
  const lines = fields.replace("HTTP/1.0", "");
  const head = requestReader(limits).read(
    latin1Bytes(`POST / HTTP/${version}\r\nHost: a\r\n${lines}\r\n`),
  );
  if (head === undefined) throw new Error("the head is not complete");
  return new BodyReader(head, maxSize);
}

/** The body, the status of the refusal, or `"incomplete"`. */
function read(fields: string, body: string, pieces: (bytes: Uint8Array) => Uint8Array[]): unknown {
  try {
    const reader = readerOf(fields, 10);
    for (const piece of pieces(latin1Bytes(body))) reader.read(piece);
    return reader.complete ? new TextDecoder("latin1").decode(reader.bytes) : "incomplete";
  } catch (error) {
    if (error instanceof HttpError) return error.status;
    throw error;
  }
}

const TE = "Transfer-Encoding: chunked\r\n";

const rows: [name: string, fields: string, body: string, expected: string | number][] = [
  ["no body", "", "ignored", ""],
  ["Content-Length 0", "Content-Length: 0\r\n", "x", ""],
  ["Content-Length 3", "Content-Length: 3\r\n", "abcdef", "abc"],
  ["at the limit", "Content-Length: 10\r\n", "0123456789", "0123456789"],
  ["beyond the limit", "Content-Length: 11\r\n", "0123456789a", 413],
  ["cut off", "Content-Length: 4\r\n", "abc", "incomplete"],
  ["two equal lengths", "Content-Length: 3\r\nContent-Length: 3\r\n", "abc", 400],
  ["two lengths", "Content-Length: 3\r\nContent-Length: 4\r\n", "abc", 400],
  ["a list of lengths", "Content-Length: 3, 3\r\n", "abc", 400],
  ["a signed length", "Content-Length: +3\r\n", "abc", 400],
  ["a negative length", "Content-Length: -3\r\n", "abc", 400],
  ["a hexadecimal length", "Content-Length: 0x3\r\n", "abc", 400],
  ["an empty length", "Content-Length: \r\n", "abc", 400],
  ["a huge length", "Content-Length: 99999999999999999999\r\n", "abc", 400],
  ["both framings", `Content-Length: 3\r\n${TE}`, "0\r\n\r\n", 400],
  ["chunked in HTTP/1.0", `HTTP/1.0${TE}`, "0\r\n\r\n", 400],
  ["another coding", "Transfer-Encoding: gzip\r\n", "", 501],
  ["a list of codings", "Transfer-Encoding: gzip, chunked\r\n", "", 501],
  ["chunked twice", `${TE}${TE}`, "", 501],
  ["a disguised coding", "Transfer-Encoding: xchunked\r\n", "", 501],
  ["chunked", TE, "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", "abcde"],
  [
    "chunked, upper case",
    "transfer-encoding: CHUNKED\r\n",
    "A\r\n0123456789\r\n0\r\n\r\n",
    "0123456789",
  ],
  ["chunked, with extension and trailer", TE, '1;a="b"\r\nx\r\n0;z\r\nT: v\r\n\r\n', "x"],
  ["chunked, empty", TE, "0\r\n\r\n", ""],
  ["chunked, cut off", TE, "3\r\nab", "incomplete"],
  ["chunked, no trailer end", TE, "0\r\n", "incomplete"],
  ["chunked, beyond the limit in one chunk", TE, "b\r\n", 413],
  ["chunked, beyond the limit in two", TE, "6\r\nabcdef\r\n5\r\n", 413],
  ["chunk size missing", TE, "\r\n", 400],
  ["chunk size not hexadecimal", TE, "g\r\n", 400],
  ["chunk size signed", TE, "+1\r\n", 400],
  ["chunk size too long", TE, "000000001\r\n", 400],
  ["chunk size behind a space", TE, " 1\r\n", 400],
  ["space behind the chunk size", TE, "3 \r\nabc\r\n0\r\n\r\n", 400],
  ["a tab behind the chunk size", TE, "3\t\r\nabc\r\n0\r\n\r\n", 400],
  ["space behind the last chunk size", TE, "0 \r\n\r\n", 400],
  ["space around an extension's parts", TE, "1 \t; a = b;c\r\nx\r\n0\r\n\r\n", "x"],
  ["an extension in quotes", TE, '1;a="\\";\xe9\t";b\r\nx\r\n0\r\n\r\n', "x"],
  ["an extension without a name", TE, "1;\r\nx\r\n0\r\n\r\n", 400],
  ["an extension without a value", TE, "1;a=\r\nx\r\n0\r\n\r\n", 400],
  ["an extension whose quotes do not end", TE, '1;a="b\r\nx\r\n0\r\n\r\n', 400],
  ["space behind an extension", TE, "1;a \r\nx\r\n0\r\n\r\n", 400],
  ["an extension that is no token", TE, "1;a b\r\nx\r\n0\r\n\r\n", 400],
  ["a second size", TE, "1 2\r\nx\r\n0\r\n\r\n", 400],
  ["trailers", TE, "0\r\nA: b\r\nC-d:\r\nE:\xe9\x7f: \r\n\r\n", ""],
  ["a trailer without a colon", TE, "0\r\nGET / HTTP/1.1\r\n\r\n", 400],
  ["a trailer without a name", TE, "0\r\n: b\r\n\r\n", 400],
  ["space before a trailer's colon", TE, "0\r\nA : b\r\n\r\n", 400],
  ["a folded trailer", TE, "0\r\nA: b\r\n c: d\r\n\r\n", 400],
  ["a trailer's name that is no token", TE, "0\r\nA(: b\r\n\r\n", 400],
  ["a bare LF behind a trailer", TE, "0\r\nA: b\n\r\n", 400],
  ["a bare CR in a trailer", TE, "0\r\nA: b\rC: d\r\n\r\n", 400],
  ["two CRs behind a trailer", TE, "0\r\nA: b\r\r\n\r\n", 400],
  ["chunk longer than it says", TE, "1\r\nabc\r\n", 400],
  ["a bare LF behind the size", TE, "1\nx\r\n", 400],
  ["a bare CR in the size line", TE, "1;a\rb\r\n", 400],
  ["a NUL in the size line", TE, "1;a\0\r\n", 400],
  ["an endless extension", TE, `1;${"a".repeat(5000)}`, 400],
  ["endless trailers", TE, `0\r\n${"a: b\r\n".repeat(1000)}`, 400],
];

test("the body of a request, whole, byte by byte and split everywhere", () => {
  checkRows(rows, ([name]) => name, ([, fields, body, expected]) => {
    assertEquals(read(fields, body, (bytes) => [bytes]), expected, "whole");
    assertEquals(
      read(fields, body, (bytes) => Array.from(bytes, (byte) => Uint8Array.of(byte))),
      expected,
      "byte by byte",
    );
    for (let at = 0; at <= Math.min(body.length, 60); at++) {
      const split = (bytes: Uint8Array) => [bytes.subarray(0, at), bytes.subarray(at)];
      assertEquals(read(fields, body, split), expected, `split at ${at}`);
    }
  });
});

describe("a body of many pieces", () => {
  test("is complete, however its buffer grows", () => {
    const expected = Uint8Array.from({ length: 5000 }, (_, i) => i * 7 + (i >> 8));
    for (const size of [1, 3, 1023, 1024, 1025, 4096]) {
      const pieces = Math.ceil(expected.length / size);
      const parts = Array.from(
        { length: pieces },
        (_, i) => expected.subarray(i * size, (i + 1) * size),
      );
      const sized = readerOf("Content-Length: 5000\r\n", 5000);
      for (const part of parts) sized.read(part);
      assertEquals([sized.complete, sized.bytes], [true, expected], `pieces of ${size}`);
      const chunked = readerOf(TE, 5000);
      for (const part of parts) {
        chunked.read(latin1Bytes(`${part.length.toString(16)}\r\n`));
        chunked.read(part);
        chunked.read(latin1Bytes("\r\n"));
      }
      chunked.read(latin1Bytes("0\r\n\r\n"));
      assertEquals([chunked.complete, chunked.bytes], [true, expected], `chunks of ${size}`);
    }
  });

  test("allocates no memory for bytes that are only announced, and none beyond the limit", () => {
    const announced = readerOf("Content-Length: 1000000\r\n", 1_000_000);
    assertEquals(announced.bytes.buffer.byteLength, 0);
    announced.read(new Uint8Array(1));
    assertEquals(announced.bytes.buffer.byteLength, 1024);
    announced.read(new Uint8Array(600_000));
    announced.read(new Uint8Array(1));
    assertEquals(announced.bytes.buffer.byteLength, 1_000_000);
    const chunked = readerOf(TE, 3000);
    chunked.read(latin1Bytes(`800\r\n${"x".repeat(0x800)}`));
    chunked.read(latin1Bytes("\r\n300\r\nx"));
    assertEquals(chunked.bytes.buffer.byteLength, 3000);
  });

  test("takes little more memory than its bytes, even in pieces of one byte", async () => {
    const child = spawnScript("tests/http/scripts/body_memory.ts", [], { env: COLLECTABLE });
    try {
      for (const kind of ["chunks", "chunks, byte by byte", "segments"]) {
        const printed = new RegExp(`^${kind}: (-?\\d+) KiB for (\\d+) bytes$`, "m");
        const [, grown, bytes] = await child.waitFor(printed);
        // A body of nearly 64 KiB. Before, it took 21 MiB.
        assertGreaterOrEqual(Number(bytes), 65_000, kind);
        assertLessOrEqual(Number(grown), 1024, kind);
      }
    } finally {
      await child.stop();
    }
  });
});
