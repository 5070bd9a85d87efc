import { describe, test } from "node:test";
import { assertEquals } from "@std/assert";
import { HttpError } from "../../src/errors.ts";
import { HeadReader } from "../../src/handshake/head_reader.ts";
import { BodyReader } from "../../src/http/body_reader.ts";
import { latin1Bytes } from "../support/bytes.ts";

const limits = { maxHeaderSize: 16384, maxHeaderCount: 100 };

/** The body, or the status of the refusal, or `"incomplete"`. */
function read(fields: string, body: string, pieces: (bytes: Uint8Array) => Uint8Array[]): unknown {
  const version = fields.includes("HTTP/1.0") ? "1.0" : "1.1";
  const lines = fields.replace("HTTP/1.0", "");
  const head = new HeadReader(limits).read(
    latin1Bytes(`POST / HTTP/${version}\r\nHost: a\r\n${lines}\r\n`),
  );
  if (head === undefined) throw new Error("the head is not complete");
  try {
    const reader = new BodyReader(head, 10);
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
  ["chunk longer than it says", TE, "1\r\nabc\r\n", 400],
  ["a bare LF behind the size", TE, "1\nx\r\n", 400],
  ["a bare CR in the size line", TE, "1;a\rb\r\n", 400],
  ["a NUL in the size line", TE, "1;a\0\r\n", 400],
  ["an endless extension", TE, `1;${"a".repeat(5000)}`, 400],
  ["endless trailers", TE, `0\r\n${"a: b\r\n".repeat(1000)}`, 400],
];

describe("the body of a request", () => {
  for (const [name, fields, body, expected] of rows) {
    test(name, () => {
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
  }
});
