import { assertEquals, assertInstanceOf, assertRejects, assertThrows } from "@std/assert";
import { describe, test } from "node:test";
import { type ConnectOptions, websocketConnect } from "../../src/client/mod.ts";
import { resolveOptions, toHandshakeOptions } from "../../src/client/options.ts";
import { memoryPair } from "../../src/transport/memory.ts";
import { show } from "../../src/validation.ts";

const URL = "ws://example.com/";

const LIMIT = "must be a positive integer, or Infinity for no limit";
const TIME = "must be an integer from 0 (off) to 2147483647";

/** Wrong options, and their errors. */
const bad: readonly (readonly [
  options: Record<string, unknown>,
  type: typeof TypeError | typeof RangeError,
  says: string,
])[] = [
  [{ verison: "draft76" }, TypeError, `option "verison": unknown`],
  [{ version: "14" }, TypeError, `version "14": must be one of rfc6455`],
  [{ maxMessageSize: -1 }, RangeError, `maxMessageSize: ${LIMIT}, got -1`],
  [{ maxMessageSize: 0 }, RangeError, `maxMessageSize: ${LIMIT}, got 0`],
  [{ maxHeaderCount: 0 }, RangeError, `maxHeaderCount: ${LIMIT}, got 0`],
  [{ handshakeTimeout: 0.5 }, RangeError, `handshakeTimeout: ${TIME}, got 0.5`],
  [{ pingInterval: Infinity }, RangeError, `pingInterval: ${TIME}, got Infinity`],
  [{ maxBodySize: NaN }, RangeError, `maxBodySize: ${LIMIT}, got NaN`],
  [{ subprotocols: ["a b"] }, TypeError, "must be a token (RFC 6455 §4.1)"],
  [{ subprotocols: [""] }, TypeError, "must be a token"],
  [{ subprotocols: ["a", "a"] }, TypeError, "twice: a, a"],
  [{ version: "draft76", subprotocols: ["a", "b"] }, TypeError, "allow only one"],
  [{ version: "draft75", subprotocols: ["\t"] }, TypeError, "draft76 §4.1"],
  [{ headers: { Upgrade: "h2c" } }, TypeError, "upgrade: the handshake itself sends it"],
  [{ headers: { "Sec-WebSocket-Key": "a" } }, TypeError, "sec-websocket-key"],
  [{ headers: { "Content-Length": "8" } }, TypeError, "content-length"],
  [{ headers: { "A": "\u0001" } }, TypeError, ""],
  [{ origin: "a\r\nb: c" }, TypeError, "must not have control characters"],
  [{ origin: "\u20ac" }, TypeError, "above U+00FF"],
  [{ compression: { level: 10 } }, RangeError, "level must be an integer from 1 to 9, got 10"],
  [{ compression: { window: 9 } }, TypeError, `compression option "window": unknown`],
  [{ verison: "draft76" }, TypeError, "did you mean version?"],
  [{ maxPayload: 5 }, TypeError, "did you mean maxMessageSize?"],
  [{ perMessageDeflate: true }, TypeError, "did you mean compression?"],
  [{ protocols: ["a"] }, TypeError, "did you mean subprotocols?"],
  [{ timeout: 5 }, TypeError, "did you mean handshakeTimeout?"],
  [{ insecure: true }, TypeError, `option "insecure": unknown; it belongs to tls`],
  [{ maxMessageSize: "5" }, TypeError, `maxMessageSize: ${LIMIT}, got "5"`],
  [{ subprotocols: "chat" }, TypeError, `subprotocols: must be an array of strings, got "chat"`],
  [{ compression: true }, TypeError, "compression: must be an object, got true"],
  [{ origin: 5 }, TypeError, "origin: must be a string that is not empty, got 5"],
  [{ signal: {} }, TypeError, "signal: must be an AbortSignal, got an object"],
  [{ onPing: 5 }, TypeError, "onPing: must be a function, got 5"],
  [{ onPong: {} }, TypeError, "onPong: must be a function, got an object"],
  [{ clock: {} }, TypeError, "clock: must be an object with now(), setTimeout(), clearTimeout()"],
  [
    { path: "/tmp/a" },
    TypeError,
    "Cannot use path: not with transport, which is already connected",
  ],
  [{ tls: {} }, TypeError, "Cannot use tls: not with transport, which is already connected"],
  [{ tls: undefined }, TypeError, "Cannot use tls: not with transport, which is already connected"],
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

  for (const options of ["chat", ["chat"], 5, null, () => {}]) {
    test(`are an object, not ${show(options)}`, async () => {
      const connecting = () => websocketConnect(URL, options as unknown as ConnectOptions);
      await assertRejects(connecting, TypeError, `got ${show(options)}`);
    });
  }

  test("have the defaults of an application, except for the body of a refusal", () => {
    const settings = resolveOptions({});
    assertEquals(settings.maxMessageSize, 16 * 1024 * 1024);
    assertEquals([settings.handshakeTimeout, settings.closeTimeout], [10_000, 5_000]);
    assertEquals([settings.pingInterval, settings.pingTimeout], [20_000, 20_000]);
    assertEquals([settings.maxQueuedSize, settings.highWaterMark], [65_536, 65_536]);
    assertEquals(settings.maxBodySize, 4096);
    assertEquals(resolveOptions({ maxBodySize: Infinity }).maxBodySize, Infinity);
  });

  test("may be undefined", () => {
    const options = { maxMessageSize: undefined, version: undefined } as unknown as ConnectOptions;
    assertEquals(resolveOptions(options).maxMessageSize, 16 * 1024 * 1024);
    assertEquals(toHandshakeOptions({ url: URL }, options).version, "rfc6455");
  });

  test("accept everything that Headers accepts as fields, and those of a Request", () => {
    const request = new Request("http://example.com/a", { headers: { A: "1", B: "1" } });
    const { url, headers } = toHandshakeOptions(request, { headers: [["b", "2"], ["c", "2"]] });
    assertEquals(url.href, "ws://example.com/a");
    assertEquals(headers, [["a", "1"], ["b", "2"], ["c", "2"]]);
  });

  test("may set the host and the origin as fields", () => {
    const headers = { Host: "other.example", Origin: "http://example.org" };
    const asked = toHandshakeOptions({ url: URL }, { headers });
    assertEquals([asked.url.host, asked.url.hostname], ["other.example", "example.com"]);
    assertEquals([asked.origin, asked.headers.length], ["http://example.org", 0]);
    assertEquals(toHandshakeOptions({ url: URL }, { headers, origin: "null" }).origin, "null");
  });

  test("offer no compression in the drafts, which have no extensions", () => {
    for (const version of ["draft75", "draft76"] as const) {
      assertEquals(
        toHandshakeOptions({ url: URL }, { version, compression: {} }).deflate,
        undefined,
      );
    }
  });
});

/** The value of an unset environment variable, and other wrong TLS options. */
const badTls: readonly (readonly [tls: unknown, says: string])[] = [
  [undefined, "Cannot use tls: must be an object, got undefined"],
  [null, "Cannot use tls: must be an object, got null"],
  [true, "Cannot use tls: must be an object, got true"],
  [
    { cert: "a", key: undefined },
    "Cannot connect with TLS: key must be a string in PEM, got undefined",
  ],
  [{ cert: undefined, key: "a" }, "cert must be a string in PEM, got undefined"],
  [{ cert: undefined, key: undefined }, "cert must be a string in PEM, got undefined"],
  [{ cert: "a" }, "expected both cert and key, got only cert"],
  [{ key: "a" }, "expected both cert and key, got only key"],
  [{ cert: "", key: "" }, `cert must be a string in PEM, got ""`],
  [{ cert: "a", key: " " }, `key must be a string in PEM, got " "`],
  [{ ca: undefined }, "ca must be a string in PEM, got undefined"],
  [{ ca: "" }, `ca must be a string in PEM, got ""`],
  [{ ca: ["a"] }, "ca must be a string in PEM, got an array"],
  [{ insecure: undefined }, "insecure must be a boolean, got undefined"],
  [{ insecure: "no" }, `insecure must be a boolean, got "no"`],
  [{ serverName: undefined }, "serverName must be a string that is not empty, got undefined"],
  [{ serverName: "" }, `serverName must be a string that is not empty, got ""`],
  [{ servername: "a" }, `tls option "servername": unknown; did you mean serverName?`],
  [{ rejectUnauthorized: false }, "did you mean insecure?"],
  [{ passphrase: "a" }, `tls option "passphrase": unknown`],
];

describe("TLS options that cannot be used", () => {
  for (const [tls, says] of badTls) {
    test(`is a TypeError: ${says}`, async () => {
      // Nothing listens on port 1, so an attempt to connect would reject with a HandshakeError.
      const options = { tls } as unknown as ConnectOptions;
      const connecting = () => websocketConnect("wss://127.0.0.1:1/", options);
      await assertRejects(connecting, TypeError, says);
    });
  }

  test("are a TypeError if the URL has no TLS", async () => {
    for (const url of ["ws://127.0.0.1:1/", "http://127.0.0.1:1/"]) {
      for (const tls of [{}, { insecure: true }, { ca: "a" }]) {
        const connecting = () => websocketConnect(url, { tls });
        const says = "Cannot connect to ws://127.0.0.1:1/: the option tls needs a wss URL";
        await assertRejects(connecting, TypeError, says);
      }
    }
  });
});

describe("a value that is neither a URL nor a request", () => {
  for (const request of [undefined, null, 5, {}, { url: 5 }, []]) {
    test(`is a TypeError: ${JSON.stringify(request)}`, async () => {
      const connecting = () => websocketConnect(request as unknown as string);
      await assertRejects(connecting, TypeError, "expected a URL or a request, got ");
    });
  }
});

describe("an invalid URL", () => {
  test("rejects instead of throwing", async () => {
    const promise = websocketConnect("ftp://example.com/");
    assertInstanceOf(promise, Promise);
    await assertRejects(() => promise, TypeError, "the scheme must be ws or wss");
    assertThrows(() => toHandshakeOptions({ url: "ftp://example.com/" }, {}), TypeError);
  });
});
