import { assertEquals, assertThrows } from "@std/assert";
import { describe, test } from "node:test";
import { ProtocolError } from "../../src/errors.ts";
import { checkDraft75, draft75Response } from "../../src/handshake/draft75.ts";
import { headOf, requestOf } from "./support.ts";

const good = {
  Upgrade: "WebSocket",
  Connection: "Upgrade",
  Host: "example.com",
  Origin: "http://example.com",
};

describe("the rules of the handshake (draft75)", () => {
  test("hold for what a client sends", () => {
    checkDraft75(headOf(
      "GET /demo HTTP/1.1\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\nHost: example.com\r\n" +
        "Origin: http://example.com\r\nWebSocket-Protocol: a sample, too\r\n\r\n",
    ));
    checkDraft75(requestOf({ ...good, Upgrade: "websocket", Connection: "upgrade" }));
    checkDraft75(requestOf({ ...good, Connection: "close, upgrade" }));
  });

  const rows: [name: string, value: string | undefined, because: string][] = [
    ["Upgrade", undefined, "Upgrade must be WebSocket (draft75, server-side requirements)"],
    ["Upgrade", "WebSocket, h2c", "Upgrade must be WebSocket"],
    [
      "Connection",
      undefined,
      "Connection must include Upgrade (draft75, server-side requirements)",
    ],
    ["Connection", "close", "Connection must include Upgrade"],
    ["Connection", "close, upgrades", "Connection must include Upgrade"],
    ["Host", undefined, "Host must be sent"],
    ["Host", "", "Host must be sent"],
    ["Origin", undefined, "Origin must be sent"],
    ["Origin", "", "Origin must be sent"],
    ["WebSocket-Protocol", "", "WebSocket-Protocol must be one or more characters"],
    ["WebSocket-Protocol", "\x80", "WebSocket-Protocol must be one or more characters"],
  ];
  for (const [name, value, because] of rows) {
    test(`${name}: ${JSON.stringify(value)} is refused`, () => {
      const request = requestOf({ ...good, [name]: value });
      const error = assertThrows(() => checkDraft75(request), ProtocolError, because);
      assertEquals(error.code, 1002);
    });
  }

  test("another method is refused", () => {
    const request = requestOf(good, { method: "PUT" });
    assertThrows(() => checkDraft75(request), ProtocolError, "the method must be GET");
  });
});

describe("the answer", () => {
  const start = "HTTP/1.1 101 Web Socket Protocol Handshake\r\n" +
    "Upgrade: WebSocket\r\nConnection: Upgrade\r\n";
  const answer = { origin: "http://Example.com", location: "ws://example.com/demo" };

  test("is the draft's, byte for byte, with the origin in lower case", () => {
    assertEquals(
      draft75Response(answer),
      `${start}WebSocket-Origin: http://example.com\r\n` +
        "WebSocket-Location: ws://example.com/demo\r\n\r\n",
    );
  });

  test("has the subprotocol and what was added behind it", () => {
    assertEquals(
      draft75Response({ ...answer, protocol: "a sample", headers: new Headers({ A: "b" }) }),
      `${start}WebSocket-Origin: http://example.com\r\n` +
        "WebSocket-Location: ws://example.com/demo\r\nWebSocket-Protocol: a sample\r\na: b\r\n\r\n",
    );
  });

  test("can't be made to have another line", () => {
    for (const field of ["origin", "location", "protocol"]) {
      assertThrows(() => draft75Response({ ...answer, [field]: "a\r\nb: c" }), TypeError);
    }
  });
});
