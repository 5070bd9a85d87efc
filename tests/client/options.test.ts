import { assertEquals, assertInstanceOf, assertRejects, assertThrows } from "@std/assert";
import { describe, test } from "node:test";
import { type ConnectOptions, websocketConnect } from "../../src/client/mod.ts";
import { resolveOptions, toHandshakeRequest } from "../../src/client/options.ts";
import { memoryPair } from "../../src/transport/memory.ts";

const URL = "ws://example.com/";

/** Options that are a caller's mistake: what they are, and what is said of them. */
const bad: readonly (readonly [
  options: Record<string, unknown>,
  type: typeof TypeError | typeof RangeError,
  says: string,
])[] = [
  [{ verison: "draft76" }, TypeError, `option "verison": unknown`],
  [{ version: "14" }, TypeError, `version "14": not one of rfc6455`],
  [{ maxMessageSize: -1 }, RangeError, "maxMessageSize: -1"],
  [{ handshakeTimeout: 0.5 }, RangeError, "handshakeTimeout: 0.5"],
  [{ maxBodySize: NaN }, RangeError, "maxBodySize: NaN"],
  [{ subprotocols: ["a b"] }, TypeError, "not a token (RFC 6455 §4.1)"],
  [{ subprotocols: [""] }, TypeError, "not a token"],
  [{ subprotocols: ["a", "a"] }, TypeError, "twice: a, a"],
  [{ version: "draft76", subprotocols: ["a", "b"] }, TypeError, "have one at most"],
  [{ version: "draft75", subprotocols: ["\t"] }, TypeError, "draft76 §4.1"],
  [{ headers: { Upgrade: "h2c" } }, TypeError, "upgrade: it is the handshake's own"],
  [{ headers: { "Sec-WebSocket-Key": "a" } }, TypeError, "sec-websocket-key"],
  [{ headers: { "Content-Length": "8" } }, TypeError, "content-length"],
  [{ headers: { "A": "\u0001" } }, TypeError, ""],
  [{ origin: "a\r\nb: c" }, TypeError, "a control character"],
  [{ origin: "\u20ac" }, TypeError, "above U+00FF"],
  [{ compression: { level: 10 } }, RangeError, "level 10"],
];

describe("the options of a connection", () => {
  for (const [options, type, says] of bad) {
    test(`${JSON.stringify(options)} are a ${type.name}, and nothing is sent`, async () => {
      const [transport] = memoryPair();
      let written = 0;
      transport.write = () => written++;
      await assertRejects(() => websocketConnect(URL, { ...options, transport }), type, says);
      assertEquals(written, 0);
    });
  }

  test("have an application's defaults, but for the body of a refusal", () => {
    const settings = resolveOptions({});
    assertEquals(settings.maxMessageSize, 16 * 1024 * 1024);
    assertEquals([settings.handshakeTimeout, settings.closeTimeout], [10_000, 5_000]);
    assertEquals([settings.pingInterval, settings.pingTimeout], [20_000, 20_000]);
    assertEquals([settings.maxQueuedSize, settings.highWaterMark], [65_536, 65_536]);
    assertEquals(settings.maxBodySize, 4096);
    assertEquals(resolveOptions({ maxBodySize: 0, pingInterval: 0 }).maxBodySize, 0);
  });

  test("may be undefined", () => {
    const options = { maxMessageSize: undefined, version: undefined } as unknown as ConnectOptions;
    assertEquals(resolveOptions(options).maxMessageSize, 16 * 1024 * 1024);
    assertEquals(toHandshakeRequest({ url: URL }, options).version, "rfc6455");
  });

  test("take fields as anything that Headers takes, and those of a Request", () => {
    const request = new Request("http://example.com/a", { headers: { A: "1", B: "1" } });
    const { target, headers } = toHandshakeRequest(request, { headers: [["b", "2"], ["c", "2"]] });
    assertEquals(target.href, "ws://example.com/a");
    assertEquals(headers, [["a", "1"], ["b", "2"], ["c", "2"]]);
  });

  test("may name another host and the origin among the fields", () => {
    const headers = { Host: "other.example", Origin: "http://example.org" };
    const asked = toHandshakeRequest({ url: URL }, { headers });
    assertEquals([asked.target.host, asked.target.hostname], ["other.example", "example.com"]);
    assertEquals([asked.origin, asked.headers.length], ["http://example.org", 0]);
    assertEquals(toHandshakeRequest({ url: URL }, { headers, origin: "null" }).origin, "null");
  });

  test("offer no compression on the drafts without extensions", () => {
    for (const version of ["draft75", "draft76"] as const) {
      assertEquals(
        toHandshakeRequest({ url: URL }, { version, compression: {} }).compression,
        undefined,
      );
    }
  });
});

describe("a URL that cannot be", () => {
  test("is a rejection, not an exception", async () => {
    const promise = websocketConnect("ftp://example.com/");
    assertInstanceOf(promise, Promise);
    await assertRejects(() => promise, TypeError, "its scheme");
    assertThrows(() => toHandshakeRequest({ url: "ftp://example.com/" }, {}), TypeError);
  });
});
