import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { describe, test } from "node:test";
import { ProtocolError } from "../../src/errors.ts";
import type { HeadLimits } from "../../src/handshake/head_reader.ts";
import type { ResponseHead } from "../../src/handshake/response_head.ts";
import { responseReader } from "../../src/handshake/status_line.ts";
import { latin1Bytes } from "../support/bytes.ts";
import { everyWay, LIMITS, textOf } from "./support.ts";

/** Reads a response split in every way, and checks that the results are equal. */
function read(text: string, limits: HeadLimits = LIMITS): unknown {
  const bytes = latin1Bytes(text);
  const results = [...everyWay(bytes)].map((pieces) => readPieces(pieces, limits));
  for (const result of results) assertEquals(result, results[0]);
  return results[0];
}

function readPieces(pieces: readonly Uint8Array[], limits: HeadLimits): unknown {
  const reader = responseReader(limits);
  for (const [i, piece] of pieces.entries()) {
    let head: ResponseHead | undefined;
    try {
      head = reader.read(piece);
    } catch (error) {
      assert(error instanceof ProtocolError);
      return error.message;
    }
    if (head === undefined) continue;
    const { status, statusLine } = head;
    const rest = [piece.subarray(reader.consumed), ...pieces.slice(i + 1)].map(textOf).join("");
    return { status, statusLine, fields: [...head.toHeaders()], rest };
  }
  return "incomplete";
}

describe("a response head, whole and in pieces", () => {
  const rows: readonly (readonly [text: string, statusLine: string, fields: string[][]])[] = [
    ["HTTP/1.1 101 Switching Protocols\r\nA: b\r\n\r\n", "HTTP/1.1 101 Switching Protocols", [[
      "a",
      "b",
    ]]],
    ["HTTP/1.0 999\r\n\r\n", "HTTP/1.0 999", []],
    ["HTTP/1.1 100 \r\n\r\n", "HTTP/1.1 100 ", []],
    ["HTTP/1.1 200 \xe9\t~\r\nA:c\r\na: \tb \r\n\r\n", "HTTP/1.1 200 \xe9\t~", [["a", "c, b"]]],
  ];
  for (const [text, statusLine, fields] of rows) {
    test(JSON.stringify(text), () => {
      const status = Number(statusLine.slice(9, 12));
      assertEquals(read(`${text}rest`), { status, statusLine, fields, rest: "rest" });
      assertEquals(read(text.slice(0, -1)), "incomplete");
    });
  }

  test("one after the other, with one reader", () => {
    const reader = responseReader(LIMITS);
    const bytes = latin1Bytes("HTTP/1.1 100 Go on\r\nA: b\r\n\r\nHTTP/1.1 101 Yes\r\n\r\n");
    const first = reader.read(bytes);
    const second = reader.read(bytes.subarray(reader.consumed));
    assertEquals([first?.status, first?.get("a")], [100, "b"]);
    assertEquals([second?.status, second?.get("a")], [101, undefined]);
  });
});

describe("a response head that is malformed", () => {
  const rows: readonly (readonly [text: string, because: string])[] = [
    ["\r\n", "the status line must be that of HTTP/1.1"],
    ["SSH-2.0", `the response must begin with "HTTP/1.", got "S" (RFC 9112 §4)`],
    ["HTTP/2", `must begin with "HTTP/1.", got "HTTP/2"`],
    ["HTTP/1.1 101\n", "unexpected byte 0x0A in the status line (RFC 9112 §4)"],
    ["HTTP/1.1 101 \0", "unexpected byte 0x00 in the status line"],
    ["HTTP/1.1 101 \x7f", "unexpected byte 0x7F in the status line"],
    ["HTTP/1.1 101\rA", "a CR must be followed by an LF (RFC 9112 §2.2)"],
    [
      "HTTP/1.2 101\r\n",
      `the status line must be that of HTTP/1.1, got "HTTP/1.2 101" (RFC 9112 §4)`,
    ],
    ["HTTP/1.1  101\r\n", `got "HTTP/1.1  101"`],
    ["HTTP/1.1 11\r\n", `got "HTTP/1.1 11"`],
    ["HTTP/1.1 011\r\n", `got "HTTP/1.1 011"`],
    ["HTTP/1.1 1011\r\n", `got "HTTP/1.1 1011"`],
    ["HTTP/1.1 101\r\n ", "line folding is refused (RFC 9112 §5.2)"],
    ["HTTP/1.1 101\r\nA ", "space between a field name and its colon (RFC 9112 §5.1)"],
    ["HTTP/1.1 101\r\nA: \0", "unexpected byte 0x00 in a field value (RFC 9110 §5.5)"],
    ["HTTP/1.1 101\r\nA: b\r\r", "a CR must be followed by an LF"],
  ];
  for (const [text, because] of rows) {
    test(JSON.stringify(text), () => {
      assertStringIncludes(String(read(text)), because);
    });
  }

  test("is a ProtocolError with code 1002", () => {
    const error = assertThrows(
      () => responseReader(LIMITS).read(latin1Bytes("HTTP/3")),
      ProtocolError,
    );
    assertEquals(error.code, 1002);
  });
});

describe("the limits of a response head, at N and at N+1", () => {
  const head = "HTTP/1.1 101 Yes\r\nA: b\r\nC: d\r\n\r\n";

  test("maxHeaderSize", () => {
    const maxHeaderSize = head.length;
    assert(typeof read(head, { ...LIMITS, maxHeaderSize }) === "object");
    assertEquals(
      read(head, { ...LIMITS, maxHeaderSize: maxHeaderSize - 1 }),
      `the response's head must not exceed maxHeaderSize (${maxHeaderSize - 1} bytes)`,
    );
  });

  test("maxHeaderCount", () => {
    assert(typeof read(head, { ...LIMITS, maxHeaderCount: 2 }) === "object");
    assertEquals(
      read(head, { ...LIMITS, maxHeaderCount: 1 }),
      "the response must not exceed maxHeaderCount (1 fields)",
    );
  });
});
