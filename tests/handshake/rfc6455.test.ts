import { assertEquals, assertThrows } from "@std/assert";
import { describe, test } from "node:test";
import { HttpError } from "../../src/errors.ts";
import { checkRfc6455, originOf, writeRfc6455Response } from "../../src/handshake/rfc6455.ts";
import { Output } from "../../src/protocol/output.ts";
import { CHROME, headOf, requestOf } from "./support.ts";

const good = {
  Host: "server.example.com",
  Upgrade: "websocket",
  Connection: "Upgrade",
  "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
  "Sec-WebSocket-Version": "13",
};

describe("the rules of the handshake (RFC 6455 §4.2.1)", () => {
  test("hold for what a client sends", () => {
    checkRfc6455(headOf(CHROME));
    checkRfc6455(requestOf(good));
    checkRfc6455(requestOf({ ...good, Connection: "keep-alive, Upgrade" }));
    checkRfc6455(requestOf({ ...good, Connection: "UPGRADE", Upgrade: "h2c,WebSocket" }));
    checkRfc6455(requestOf({ ...good, "Sec-WebSocket-Version": "8" }));
    checkRfc6455(requestOf({ ...good, "Sec-WebSocket-Version": "7" }));
    checkRfc6455(requestOf({ ...good, "Sec-WebSocket-Key": "////////////////////+w==" }));
  });

  const rows: [name: string, value: string | undefined, because: string][] = [
    ["Host", undefined, "Host must be sent"],
    ["Host", "", "Host must be sent"],
    ["Upgrade", undefined, "Upgrade must include websocket"],
    ["Upgrade", "websockets", "Upgrade must include websocket"],
    ["Connection", undefined, "Connection must include Upgrade"],
    ["Connection", "keep-alive", "Connection must include Upgrade"],
    ["Sec-WebSocket-Key", undefined, "Sec-WebSocket-Key must be sent once, as 16 bytes in base64"],
    ["Sec-WebSocket-Key", "", "Sec-WebSocket-Key must be sent once"],
    ["Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ", "Sec-WebSocket-Key must be sent once"],
    ["Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25j", "Sec-WebSocket-Key must be sent once"],
    ["Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZSE=", "Sec-WebSocket-Key must be sent once"],
    ["Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZ-==", "Sec-WebSocket-Key must be sent once"],
    [
      "Sec-WebSocket-Key",
      "dGhlIHNhbXBsZSBub25jZQ==, dGhlIHNhbXBsZSBub25jZQ==",
      "Sec-WebSocket-Key must be sent once",
    ],
    ["Sec-WebSocket-Version", undefined, "Sec-WebSocket-Version must be sent once, and be 13, 8"],
    ["Sec-WebSocket-Version", "14", "Sec-WebSocket-Version must be sent once"],
    ["Sec-WebSocket-Version", "13, 13", "Sec-WebSocket-Version must be sent once"],
  ];
  for (const [name, value, because] of rows) {
    test(`${name}: ${JSON.stringify(value)} is refused`, () => {
      const request = requestOf({ ...good, [name]: value });
      const error = assertThrows(() => checkRfc6455(request), HttpError, because);
      assertEquals(error.status, 400);
      assertEquals(error.message.endsWith(" (RFC 6455 §4.2.1)"), true);
    });
  }

  test("another method is refused", () => {
    const request = requestOf(good, { method: "POST" });
    assertThrows(() => checkRfc6455(request), HttpError, "the method must be GET");
  });

  test("HTTP/1.0 is refused", () => {
    const request = requestOf(good, { httpVersion: "1.0" });
    assertThrows(() => checkRfc6455(request), HttpError, "the request must be HTTP/1.1");
  });
});

/** Returns the response as text. The output already has other bytes before it. */
function rfc6455Response(response: Parameters<typeof writeRfc6455Response>[1]): string {
  const output = new Output();
  output.append(Uint8Array.of(1));
  try {
    writeRfc6455Response(output, response);
  } catch (error) {
    assertEquals(output.length, 1);
    throw error;
  }
  return String.fromCharCode(...output.take().subarray(1));
}

describe("the answer (RFC 6455 §4.2.2)", () => {
  const key = good["Sec-WebSocket-Key"];
  const start =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";

  test("is that of §1.3's example", () => {
    assertEquals(rfc6455Response({ key }), `${start}\r\n`);
  });

  test("fits into an output that is nearly full", () => {
    const expected = `${start}\r\n`;
    for (let room = 0; room <= expected.length; room += 13) {
      const output = new Output();
      output.append(new Uint8Array(output.bytes.length - room));
      writeRfc6455Response(output, { key });
      assertEquals(String.fromCharCode(...output.take().subarray(-expected.length)), expected);
    }
  });

  test("has the subprotocol, what was added and the extensions", () => {
    assertEquals(
      rfc6455Response({
        key,
        protocol: "chat",
        extensions: "permessage-deflate; a=b",
        headers: [["Set-Cookie", "a"]],
      }),
      `${start}Sec-WebSocket-Protocol: chat\r\nSet-Cookie: a\r\n` +
        "Sec-WebSocket-Extensions: permessage-deflate; a=b\r\n\r\n",
    );
  });

  test("can't be made to have another line", () => {
    const bad = "a\r\nb: c";
    assertThrows(() => rfc6455Response({ key, protocol: bad }), TypeError);
    assertThrows(() => rfc6455Response({ key, extensions: bad }), TypeError);
    assertThrows(() => rfc6455Response({ key, headers: [["a", bad]] }), TypeError);
  });
});

describe("the origin", () => {
  const rows: [version: "rfc6455" | "hybi-08" | "hybi-07" | "draft76", ...string[]][] = [
    ["rfc6455", "undefined", "a", "undefined", "a"],
    ["hybi-08", "undefined", "a", "b", "a"],
    ["hybi-07", "undefined", "a", "b", "a"],
    ["draft76", "undefined", "a", "undefined", "a"],
  ];
  for (const [version, ...expected] of rows) {
    test(`of ${version}`, () => {
      const requests = [
        {},
        { Origin: "a" },
        { "Sec-WebSocket-Origin": "b" },
        { Origin: "a", "Sec-WebSocket-Origin": "b" },
      ].map((fields: Record<string, string>) => String(originOf(requestOf(fields), version)));
      assertEquals(requests, expected);
    });
  }

  test("of a Headers, which says null for none", () => {
    const headers = new Headers();
    const request = { ...requestOf({}), get: (name: string) => headers.get(name) };
    assertEquals(originOf(request, "rfc6455"), undefined);
    assertEquals(originOf(request, "hybi-08"), undefined);
  });
});
