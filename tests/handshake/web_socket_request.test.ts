import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { describe, test } from "node:test";
import { ProtocolError } from "../../src/errors.ts";
import { WebSocketRequest } from "../../src/handshake/web_socket_request.ts";
import { latin1Bytes } from "../support/bytes.ts";
import { DRAFT76, fromHex, headOf, vectors } from "./support.ts";

const good = {
  Upgrade: "WebSocket",
  Connection: "Upgrade",
  Host: "example.com",
  Origin: "http://example.com",
};

function requestOf(fields: Record<string, string>, method = "GET"): Request {
  return new Request("http://example.com/demo", { method, headers: { ...good, ...fields } });
}

describe("WebSocketRequest", () => {
  for (
    const { key1, key2, key3_hex, response_hex } of [
      ...vectors("draft76_vectors"),
      ...vectors("draft76_vectors_generated"),
    ]
  ) {
    test(`answers the challenge of ${key1} and ${key2} and ${key3_hex}`, () => {
      const request = requestOf({ "Sec-WebSocket-Key1": key1, "Sec-WebSocket-Key2": key2 });
      const webSocketRequest = new WebSocketRequest(request);
      assertStrictEquals(webSocketRequest.request, request);
      assertEquals(webSocketRequest.challengeResponse(fromHex(key3_hex)), fromHex(response_hex));
    });
  }

  for (const { key1, key2, key3_hex, reason } of vectors("draft76_reject")) {
    if (key3_hex.length !== 16) continue;
    test(`refuses: ${reason}`, () => {
      const request = requestOf({ "Sec-WebSocket-Key1": key1, "Sec-WebSocket-Key2": key2 });
      assertThrows(() => new WebSocketRequest(request), ProtocolError, "draft76");
    });
  }

  test("takes a key with a DEL, as Java-WebSocket draws it", () => {
    const request = new WebSocketRequest(requestOf({
      "Sec-WebSocket-Key1": "4 @1  46546xW%0l\x7f 1 5",
      "Sec-WebSocket-Key2": "12998 5 Y3 1  .P00",
    }));
    const answer = request.challengeResponse(latin1Bytes("^n:ds[4U"));
    assertEquals(answer, latin1Bytes("8jKS'y:G*Co,Wxa-"));
  });

  test("takes the Request of a head", () => {
    const request = new WebSocketRequest(headOf(DRAFT76).toRequest("http"));
    const answer = request.challengeResponse(latin1Bytes(DRAFT76.slice(-8)));
    assertEquals(answer, fromHex("0f9760a41ef440e6998b127214c2e01d"));
  });

  test("refuses a request that lacks a field, or is no GET", () => {
    const keys = { "Sec-WebSocket-Key1": "1 0", "Sec-WebSocket-Key2": "1 0" };
    new WebSocketRequest(requestOf(keys));
    for (const name of [...Object.keys(good), ...Object.keys(keys)]) {
      const request = requestOf(keys);
      const headers = new Headers(request.headers);
      headers.delete(name);
      const without = new Request(request.url, { headers });
      const make = () => new WebSocketRequest(without);
      assertEquals(assertThrows(make, ProtocolError, `${name} must `).code, 1002);
    }
    assertThrows(() => new WebSocketRequest(requestOf(keys, "POST")), ProtocolError, "GET");
  });

  test("refuses a challenge that has not 8 bytes", () => {
    const keys = { "Sec-WebSocket-Key1": "1 0", "Sec-WebSocket-Key2": "1 0" };
    const request = new WebSocketRequest(requestOf(keys));
    for (const length of [0, 7, 9, 16]) {
      assertThrows(
        () => request.challengeResponse(new Uint8Array(length)),
        TypeError,
        "key3 must have 8 bytes",
      );
    }
  });
});
