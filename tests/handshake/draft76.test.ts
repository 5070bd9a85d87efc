import { assert, assertEquals, assertThrows } from "@std/assert";
import { describe, test } from "node:test";
import { ProtocolError } from "../../src/errors.ts";
import { challengeResponse, keyPart } from "../../src/handshake/challenge.ts";
import { checkDraft76, draft76Response } from "../../src/handshake/draft76.ts";
import { webSocketLocation } from "../../src/handshake/web_socket_url.ts";
import { latin1Bytes } from "../support/bytes.ts";
import { DRAFT76, fromHex, headOf, readPieces, requestOf, textOf, vectors } from "./support.ts";

const good = {
  Upgrade: "WebSocket",
  Connection: "Upgrade",
  Host: "example.com",
  Origin: "http://example.com",
  "Sec-WebSocket-Key1": "4 @1  46546xW%0l 1 5",
  "Sec-WebSocket-Key2": "12998 5 Y3 1  .P00",
};

/** The bytes of a request with the keys, followed by key3. */
function requestBytes(key1: string, key2: string, key3: Uint8Array): Uint8Array {
  const fields = { ...good, "Sec-WebSocket-Key1": key1, "Sec-WebSocket-Key2": key2 };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`).join("");
  return latin1Bytes(`GET /demo HTTP/1.1\r\n${lines}\r\n${textOf(key3)}`);
}

describe("the challenge", () => {
  for (
    const { key1, key2, key3_hex, response_hex } of [
      ...vectors("draft76_vectors"),
      ...vectors("draft76_vectors_generated"),
    ]
  ) {
    test(`of ${key1} and ${key2} and ${key3_hex}`, () => {
      const key3 = fromHex(key3_hex);
      const outcome = readPieces([requestBytes(key1, key2, key3)]);
      assert(outcome !== "incomplete" && "head" in outcome);
      const parts = checkDraft76(outcome.head);
      assertEquals(challengeResponse(parts, latin1Bytes(outcome.rest)), fromHex(response_hex));
    });
  }

  for (const { key1, key2, key3_hex, reason } of vectors("draft76_reject")) {
    test(`is refused: ${reason}`, () => {
      const key3 = fromHex(key3_hex);
      const outcome = readPieces([requestBytes(key1, key2, key3)]);
      assert(outcome !== "incomplete" && "head" in outcome);
      const { head } = outcome;
      if (key3.length === 8) assertThrows(() => checkDraft76(head), ProtocolError, "draft76 §");
      else {assertThrows(
          () => challengeResponse(checkDraft76(head), key3),
          TypeError,
          "got 7 (draft76 §5.2)",
        );}
    });
  }

  test("of PhantomJS 1.9.8", () => {
    const parts = checkDraft76(headOf(DRAFT76));
    const answer = challengeResponse(parts, latin1Bytes(DRAFT76.slice(-8)));
    assertEquals(answer, fromHex("0f9760a41ef440e6998b127214c2e01d"));
  });

  test("of a Java-WebSocket 1.3, which draws DELs into its keys", () => {
    const outcome = readPieces([
      requestBytes("4 @1  46546xW%0l\x7f 1 5", "12998 5 Y3 1  .P00", latin1Bytes("^n:ds[4U")),
    ]);
    assert(outcome !== "incomplete" && "head" in outcome);
    const answer = challengeResponse(checkDraft76(outcome.head), latin1Bytes(outcome.rest));
    assertEquals(textOf(answer), "8jKS'y:G*Co,Wxa-");
  });

  test("has 8 bytes in key3", () => {
    for (const length of [0, 7, 9]) {
      assertThrows(
        () => challengeResponse({ part1: 1, part2: 1 }, new Uint8Array(length)),
        TypeError,
        `Cannot answer a challenge: key3 must have 8 bytes, got ${length}`,
      );
    }
  });
});

describe("the number of a key (draft76 §5.2)", () => {
  const accepted: [key: string, part: number][] = [
    ["1 0", 10],
    [" 10", 10],
    ["a0b c", 0],
    ["4294967295 ", 4294967295],
    ["4294967294  ", 2147483647],
    ["0000000000000000000000000012 ", 12],
    ["1\t2 ", 12],
    ["\xa0 7\u0663", 7],
    ["1 2 ", 6],
  ];
  for (const [key, part] of accepted) {
    test(`of ${JSON.stringify(key)} is ${part}`, () => assertEquals(keyPart(key), part));
  }

  const refused: [key: string, because: string][] = [
    ["", "no digit (draft76 §5.2)"],
    ["a b", "no digit"],
    ["\u0661 \xb2", "no digit"],
    ["12", "no space (draft76 §5.2)"],
    ["1\t2", "no space"],
    ["1\xa02\u30003", "no space"],
    ["4294967296 ", "above 2^32-1 (draft76 §4.1)"],
    ["18446744073709551616 ", "above 2^32-1"],
    [`${"9".repeat(400)} `, "above 2^32-1"],
    ["3 1 ", "is not a multiple of its spaces (draft76 §5.2)"],
  ];
  for (const [key, because] of refused) {
    test(`is refused in ${JSON.stringify(key.slice(0, 30))}`, () => {
      const error = assertThrows(() => keyPart(key), ProtocolError, because);
      assertEquals(error.code, 1002);
      assert(error.message.length < 200, error.message);
    });
  }
});

test("a refused key is shown up to its 64th character", () => {
  const error = assertThrows(() => keyPart("x".repeat(65)), ProtocolError);
  assertEquals(
    error.message.includes(`the key "${"x".repeat(64)}" is refused`),
    true,
    error.message,
  );
});

describe("the rules of the handshake (draft76 §5.1)", () => {
  test("hold for what a client sends, whatever its case", () => {
    checkDraft76(requestOf(good));
    checkDraft76(requestOf({ ...good, Upgrade: "websocket", Connection: "upgrade" }));
    for (const connection of ["close, upgrade", "keep-alive, Upgrade", "Upgrade ,close"]) {
      checkDraft76(requestOf({ ...good, Connection: connection }));
    }
    checkDraft76(requestOf({ ...good, "Content-Length": "8", Origin: "null" }));
    checkDraft76(requestOf({ ...good, Origin: undefined }));
    checkDraft76(requestOf({ ...good, "Sec-WebSocket-Protocol": "a, b c~ " }));
    checkDraft76(requestOf(good, { httpVersion: "1.0" }));
  });

  const rows: [name: string, value: string | undefined, because: string][] = [
    ["Upgrade", undefined, "Upgrade must be WebSocket"],
    ["Upgrade", "h2c", "Upgrade must be WebSocket"],
    ["Upgrade", "WebSocket, h2c", "Upgrade must be WebSocket"],
    ["Connection", undefined, "Connection must include Upgrade (draft76 §5.1)"],
    ["Connection", "close", "Connection must include Upgrade"],
    ["Connection", "keep-alive Upgrade", "Connection must include Upgrade"],
    ["Host", undefined, "Host must be sent"],
    ["Host", "", "Host must be sent"],
    ["Sec-WebSocket-Protocol", "", "Sec-WebSocket-Protocol must be one or more characters"],
    ["Sec-WebSocket-Protocol", "a\tb", "Sec-WebSocket-Protocol must be one or more characters"],
    ["Sec-WebSocket-Protocol", "\xe9", "Sec-WebSocket-Protocol must be one or more characters"],
    ["Sec-WebSocket-Key1", undefined, "Sec-WebSocket-Key1 must be sent"],
    ["Sec-WebSocket-Key2", undefined, "Sec-WebSocket-Key2 must be sent"],
    ["Sec-WebSocket-Key1", "1", "no space"],
    ["Sec-WebSocket-Key2", "1", "no space"],
  ];
  for (const [name, value, because] of rows) {
    test(`${name}: ${JSON.stringify(value)} is refused`, () => {
      const request = requestOf({ ...good, [name]: value });
      const error = assertThrows(() => checkDraft76(request), ProtocolError, because);
      assertEquals(error.code, 1002);
    });
  }

  test("another method is refused", () => {
    const request = requestOf(good, { method: "POST" });
    assertThrows(
      () => checkDraft76(request),
      ProtocolError,
      "the method must be GET (draft76 §5.1)",
    );
  });
});

describe("the answer", () => {
  test("has no origin where none was sent", () => {
    const answer = draft76Response({ origin: undefined, location: "ws://a/" });
    assertEquals(/origin/i.test(answer), false);
  });

  test("has the origin as it was sent, with control characters too", () => {
    const answer = draft76Response({ origin: "http://a\x7f\x01", location: "ws://a/" });
    assertEquals(answer.includes("\r\nSec-WebSocket-Origin: http://a\x7f\x01\r\n"), true);
  });

  const answer = { origin: "http://example.com", location: "ws://example.com/demo" };

  test("has the draft's fields", () => {
    assertEquals(
      draft76Response(answer),
      "HTTP/1.1 101 WebSocket Protocol Handshake\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\n" +
        "Sec-WebSocket-Origin: http://example.com\r\n" +
        "Sec-WebSocket-Location: ws://example.com/demo\r\n\r\n",
    );
  });

  test("has the subprotocol and what was added behind them, verbatim", () => {
    assertEquals(
      draft76Response({
        origin: "FILE://\xe9",
        location: "wss://a:1/?b",
        protocol: "a, b",
        headers: [["Set-Cookie", "a"], ["Set-Cookie", "b"]],
      }),
      "HTTP/1.1 101 WebSocket Protocol Handshake\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\n" +
        "Sec-WebSocket-Origin: FILE://\xe9\r\nSec-WebSocket-Location: wss://a:1/?b\r\n" +
        "Sec-WebSocket-Protocol: a, b\r\nSet-Cookie: a\r\nSet-Cookie: b\r\n\r\n",
    );
  });

  test("can't be made to have another line", () => {
    const bad = "a\r\nSet-Cookie: b";
    assertThrows(() => draft76Response({ ...answer, origin: bad }), TypeError);
    assertThrows(() => draft76Response({ ...answer, location: bad }), TypeError);
    assertThrows(() => draft76Response({ ...answer, protocol: bad }), TypeError);
    assertThrows(() => draft76Response({ ...answer, headers: [["A", bad]] }), TypeError);
    assertThrows(() => draft76Response({ ...answer, headers: [[bad, "a"]] }), TypeError);
  });

  test("has the URL that the client used as its location", () => {
    const head = headOf("GET /demo?a=b HTTP/1.1\r\nHost: example.com:81\r\n\r\n");
    assertEquals(webSocketLocation("ws", head), "ws://example.com:81/demo?a=b");
    assertEquals(webSocketLocation("wss", head), "wss://example.com:81/demo?a=b");
  });

  // A client's URL never includes the default port (draft76 §3.2), even if a proxy adds it to Host.
  const locations: [scheme: "ws" | "wss", host: string, location: string][] = [
    ["ws", "example.com:80", "ws://example.com/"],
    ["wss", "example.com:443", "wss://example.com/"],
    ["ws", "example.com:443", "ws://example.com:443/"],
    ["wss", "example.com:80", "wss://example.com:80/"],
    ["ws", "example.com:8080", "ws://example.com:8080/"],
    ["ws", "example.com:180", "ws://example.com:180/"],
    ["ws", "example.com:", "ws://example.com/"],
    ["wss", "example.com:0443", "wss://example.com/"],
    ["ws", "[::1]:80", "ws://[::1]/"],
    ["ws", "[::80]", "ws://[::80]/"],
    ["wss", "[2001:db8::443]", "wss://[2001:db8::443]/"],
  ];
  for (const [scheme, host, location] of locations) {
    test(`has the location ${location} for ${scheme} and the Host ${host}`, () => {
      assertEquals(webSocketLocation(scheme, { host, resourceName: "/" }), location);
    });
  }
});
