import { assertEquals, assertThrows } from "@std/assert";
import { describe, test } from "node:test";
import {
  checkFieldName,
  checkFieldValue,
  checkHandshakeField,
  originLine,
  responseHead,
} from "../../src/handshake/head_writer.ts";

describe("response heads", () => {
  test("are a status line, fields and an empty line", () => {
    assertEquals(responseHead(200, "OK", []), "HTTP/1.1 200 OK\r\n\r\n");
    assertEquals(responseHead(599, "", []), "HTTP/1.1 599 \r\n\r\n");
    assertEquals(responseHead(100, "", []), "HTTP/1.1 100 \r\n\r\n");
    assertEquals(
      responseHead(426, "Upgrade Required", [["Upgrade", "websocket"], ["X", ""], [
        "X",
        "\xe9\t~",
      ]]),
      "HTTP/1.1 426 Upgrade Required\r\nUpgrade: websocket\r\nX: \r\nX: \xe9\t~\r\n\r\n",
    );
    assertEquals(responseHead(200, "", new Headers({ A: "b" })), "HTTP/1.1 200 \r\na: b\r\n\r\n");
  });

  test("have no line for an origin that was not sent", () => {
    assertEquals(originLine("A", undefined), "");
    assertEquals(originLine("A", "b"), "A: b\r\n");
  });

  test("have a status from 100 to 599", () => {
    for (const status of [99, 600, 200.5, NaN]) {
      assertThrows(
        () => responseHead(status, "", []),
        RangeError,
        "must be an integer from 100 to 599",
      );
    }
  });

  for (const bad of ["a\r\nSet-Cookie: b", "a\nb", "a\rb", "a\0", "\x7f", "\x1b", "\u0100", "😀"]) {
    test(`take no ${JSON.stringify(bad)}`, () => {
      assertThrows(() => checkFieldValue("A", bad), TypeError, "Cannot send");
      assertThrows(() => responseHead(200, "OK", [["A", bad]]), TypeError, "as A: ");
      assertThrows(() => responseHead(200, bad, []), TypeError, "as the reason phrase: ");
      assertThrows(() => checkHandshakeField("A", bad), TypeError, "as A: ");
      assertThrows(() => responseHead(200, "OK", [[bad, "a"]]), TypeError, "must be a token");
    });
  }

  test("have names that are tokens", () => {
    checkFieldName("X-a_1");
    for (const name of ["", " ", "a b", "a:", "\xe9", "a\r\n"]) {
      assertThrows(() => checkFieldName(name), TypeError, "must be a token (RFC 9110 §5.1)");
      assertThrows(() => checkHandshakeField(name, "a"), TypeError, "must be a token");
    }
  });
});

describe("fields that an application adds to a handshake", () => {
  test("may be any other", () => {
    for (const name of ["Set-Cookie", "Server", "X-Upgrade", "Connection-Id", "WebSocket"]) {
      checkHandshakeField(name, "a");
    }
  });

  for (
    const name of [
      "Connection",
      "upgrade",
      "Sec-WebSocket-Accept",
      "SEC-WEBSOCKET-PROTOCOL",
      "Sec-WebSocket-Location",
      "WebSocket-Origin",
      "Content-Length",
      "Transfer-Encoding",
    ]
  ) {
    test(`may not be ${name}`, () => {
      assertThrows(
        () => checkHandshakeField(name, "a"),
        TypeError,
        `Cannot set header field ${name}`,
      );
    });
  }
});
