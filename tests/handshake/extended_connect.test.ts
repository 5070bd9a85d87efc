import { assert, assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import { describe, test } from "node:test";
import { ProtocolError, Refusal } from "../../src/errors.ts";
import type { HandshakeOptions } from "../../src/handshake/client_handshake.ts";
import {
  asksForWebSocket,
  checkExtendedConnect,
  extendedConnectResponse,
  type Http2Fields,
  streamHandshake,
  streamRequestHead,
  streamResponse,
  streamResponseHead,
} from "../../src/handshake/extended_connect.ts";
import { SharedHeads } from "../../src/handshake/shared_heads.ts";
import { parseWebSocketUrl } from "../../src/handshake/web_socket_url.ts";

const LIMITS = { maxHeaderSize: 16 * 1024, maxHeaderCount: 100 };

/** A valid request. */
const GOOD: Http2Fields = {
  ":method": "CONNECT",
  ":protocol": "websocket",
  ":scheme": "https",
  ":authority": "example.com:8443",
  ":path": "/chat?room=1",
  "sec-websocket-version": "13",
};

function headOf(fields: Http2Fields, limits = LIMITS) {
  return streamRequestHead(fields, { method: "GET", limits });
}

/** Returns the refusal of a request. */
function refusalOf(fields: Http2Fields, limits = LIMITS): Refusal {
  return assertThrows(() => checkExtendedConnect(headOf(fields, limits)), Refusal);
}

describe("a request for a WebSocket on a stream", () => {
  test("is a CONNECT whose protocol is websocket, in any case", () => {
    const rows: readonly [Http2Fields, boolean][] = [
      [GOOD, true],
      [{ ...GOOD, ":protocol": "WebSocket" }, true],
      [{ ...GOOD, ":protocol": "connect-udp" }, false],
      [{ ...GOOD, ":protocol": undefined }, false],
      [{ ...GOOD, ":method": "GET" }, false],
      [{ ...GOOD, ":method": "connect" }, false],
    ];
    for (const [fields, expected] of rows) assertEquals(asksForWebSocket(fields), expected);
  });

  test("has a head like that of HTTP/1.1, with :authority as Host", () => {
    const head = headOf({ ...GOOD, cookie: "a=1; b=2", "x-latin": "é", "x-list": ["1", "2"] });
    assertEquals(
      head.text,
      "GET /chat?room=1 HTTP/2.0\r\nhost: example.com:8443\r\nsec-websocket-version: 13\r\n" +
        "cookie: a=1; b=2\r\nx-latin: é\r\nx-list: 1\r\nx-list: 2\r\n\r\n",
    );
    assertEquals(
      [head.method, head.target, head.path, head.query, head.httpVersion, head.host],
      ["GET", "/chat?room=1", "/chat", "room=1", "2.0", "example.com:8443"],
    );
    assertEquals(head.get("x-list"), "1, 2");
    const request = head.toRequest("https");
    assertEquals(request.url, "https://example.com:8443/chat?room=1");
    assertEquals(request.headers.get("cookie"), "a=1; b=2");
    checkExtendedConnect(head);
  });

  test("may have Host instead of :authority, or both if they are the same", () => {
    const { ":authority": _, ...others } = GOOD;
    assertEquals(headOf({ ...others, host: "a.example" }).host, "a.example");
    assertEquals(headOf({ ...GOOD, host: "example.com:8443" }).host, "example.com:8443");
    assertEquals(headOf({ ...GOOD, te: "trailers" }).get("te"), "trailers");
  });

  test("may have the scheme http", () => {
    assertEquals(headOf({ ...GOOD, ":scheme": "http" }).text, headOf(GOOD).text);
  });

  test("tells a body of unknown length as HTTP/1.1 would", () => {
    const post = { ...GOOD, ":method": "POST", ":protocol": undefined };
    const options = { method: "POST", limits: LIMITS };
    assertEquals(streamRequestHead(post, options).get("transfer-encoding"), undefined);
    const head = streamRequestHead(post, { ...options, chunked: true });
    assertEquals([head.method, head.get("transfer-encoding")], ["POST", "chunked"]);
  });

  test("shares the memory of its head", () => {
    const heads = new SharedHeads();
    const [one, another] = [headOf(GOOD), headOf(GOOD)];
    one.share(heads);
    another.share(heads);
    assertEquals(another.text, headOf(GOOD).text);
    assertEquals(another.get("sec-websocket-version"), "13");
  });

  const cases: readonly [name: string, Http2Fields, status: number, because: string][] = [
    ["no scheme", { ":scheme": undefined }, 400, ":scheme must be sent, and be http or https"],
    ["another scheme", { ":scheme": "ftp" }, 400, ":scheme must be sent, and be http or https"],
    ["no path", { ":path": undefined }, 400, ":path must be sent, and be a path"],
    ["an empty path", { ":path": "" }, 400, ":path must be sent, and be a path"],
    ["a path with a space", { ":path": "/a b" }, 400, ":path must be sent, and be a path"],
    ["a path with a line", { ":path": "/\r\nx: y" }, 400, ":path must be sent, and be a path"],
    ["no authority", { ":authority": undefined }, 400, ":authority must be sent"],
    ["an empty authority", { ":authority": "" }, 400, ":authority must be sent"],
    ["an authority that is no host", { ":authority": "a b" }, 400, "a host with an optional port"],
    ["two hosts", { host: "other.example" }, 400, "Host must be the same as :authority"],
    ...["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"]
      .map((field): typeof cases[number] => [
        `the connection field ${field}`,
        { [field]: "x" },
        400,
        "no field of a connection may be sent",
      ]),
    ["a value with a line", { "x-a": "1\r\nx-b: 2" }, 400, 'the field "x-a" is malformed'],
    ["a character beyond a byte", { "x-a": "€" }, 400, 'the field "x-a" is malformed'],
    ["a name that is no token", { "x a": "1" }, 400, 'the field "x a" is malformed'],
    ["a body", { "content-length": "5" }, 400, "a WebSocket handshake must not have a body"],
  ];
  for (const [name, change, status, because] of cases) {
    test(`is refused with ${name}`, () => {
      const { status: found, reason, message } = refusalOf({ ...GOOD, ...change });
      assertEquals([found, reason], [status, name === "a body" ? "handshake" : "request"]);
      assert(message.includes(because), message);
    });
  }

  test("is refused with another version, and told which one is spoken", () => {
    for (const version of [undefined, "8", "13, 8", "014", ""]) {
      const refusal = refusalOf({ ...GOOD, "sec-websocket-version": version });
      assertEquals([refusal.status, refusal.reason], [400, "version"]);
      assertEquals(refusal.headers.get("sec-websocket-version"), "13");
      assertEquals(refusal.headers.get("upgrade"), null);
    }
  });

  test("obeys the limits of a head, at N and N + 1", () => {
    const { length } = headOf(GOOD).text;
    headOf(GOOD, { ...LIMITS, maxHeaderSize: length });
    headOf(GOOD, { ...LIMITS, maxHeaderCount: 2 });
    const tooLong = refusalOf(GOOD, { ...LIMITS, maxHeaderSize: length - 1 });
    assertEquals(
      [tooLong.status, tooLong.message],
      [431, `the request's head must not exceed maxHeaderSize (${length - 1} bytes)`],
    );
    const tooMany = refusalOf(GOOD, { ...LIMITS, maxHeaderCount: 1 });
    assertEquals(
      [tooMany.status, tooMany.message],
      [431, "the request must not exceed maxHeaderCount (1 fields)"],
    );
  });
});

describe("the response on a stream", () => {
  test("has no field of a connection", () => {
    const names = ["Connection", "Keep-Alive", "Proxy-Connection", "TE", "Transfer-Encoding"];
    const headers = [...names, "Upgrade"].map((name) => [name, "x"] as const);
    assertEquals(streamResponse(200, [...headers, ["Age", "3"]]), { ":status": "200", age: "3" });
    assertEquals(extendedConnectResponse({ headers }), { ":status": "200" });
  });

  test("has no key, and fields in lower case", () => {
    assertEquals(extendedConnectResponse({}), { ":status": "200" });
    assertEquals(
      extendedConnectResponse({
        protocol: "soap",
        extensions: "permessage-deflate",
        headers: [
          ["Set-Cookie", "a=1"],
          ["set-cookie", "b=2"],
          ["Set-Cookie", "c=3"],
          ["Keep-Alive", "timeout=5"],
        ],
      }),
      {
        ":status": "200",
        "sec-websocket-protocol": "soap",
        "sec-websocket-extensions": "permessage-deflate",
        "set-cookie": ["a=1", "b=2", "c=3"],
      },
    );
    assertEquals(streamResponse(404, [["Content-Type", "text/plain"], ["Connection", "close"]]), {
      ":status": "404",
      "content-type": "text/plain",
    });
    assertThrows(() => extendedConnectResponse({ headers: [["a b", "c"]] }), TypeError);
    assertThrows(() => extendedConnectResponse({ headers: [["a", "b\r\n"]] }), TypeError);
  });
});

describe("a client's handshake on a stream", () => {
  const options: HandshakeOptions = {
    version: "rfc6455",
    url: parseWebSocketUrl("wss://example.com/chat?x=1"),
    origin: undefined,
    subprotocols: [],
    headers: [],
    deflate: undefined,
  };

  test("sends the pseudo-header fields of RFC 8441", () => {
    assertEquals(streamHandshake(options).fields, {
      ":method": "CONNECT",
      ":protocol": "websocket",
      ":scheme": "https",
      ":authority": "example.com",
      ":path": "/chat?x=1",
      "sec-websocket-version": "13",
    });
    const { fields } = streamHandshake({
      ...options,
      url: parseWebSocketUrl("ws://example.com/"),
      origin: "https://a.example",
      subprotocols: ["a", "b"],
      deflate: { contextTakeover: true },
      headers: [["Cookie", "a=1"]],
    });
    assertEquals(
      [fields[":scheme"], fields.origin, fields["sec-websocket-protocol"], fields.cookie],
      ["http", "https://a.example", "a, b", "a=1"],
    );
    assertEquals(fields["sec-websocket-extensions"], "permessage-deflate");
  });

  test("checks the subprotocol and the extensions of the response", () => {
    const { fields: sent, check } = streamHandshake({
      ...options,
      subprotocols: ["a"],
      deflate: { contextTakeover: true },
    });
    const respond = (fields: Http2Fields) =>
      streamResponseHead({ ":status": 200, ...fields }, LIMITS);
    assertEquals(sent["sec-websocket-protocol"], "a");
    assertEquals(check(respond({})), { subprotocol: undefined, deflate: undefined });
    assertEquals(check(respond({ "sec-websocket-protocol": "a" })).subprotocol, "a");
    const agreed = check(respond({ "sec-websocket-extensions": "permessage-deflate" }));
    assert(agreed.deflate !== undefined);
    for (const fields of [{ "sec-websocket-protocol": "b" }, { "sec-websocket-extensions": "x" }]) {
      assertInstanceOf(assertThrows(() => check(respond(fields))), ProtocolError);
    }
  });

  test("makes the head of the response within its limits", () => {
    const head = streamResponseHead({ ":status": 404, "x-a": ["1", "2"], age: 3 }, LIMITS);
    assertEquals([head.status, head.statusLine], [404, "HTTP/2.0 404"]);
    assertEquals([head.get("x-a"), head.get("age")], ["1, 2", "3"]);
    const long = { ":status": 200, "x-a": "x".repeat(100) };
    assertThrows(
      () => streamResponseHead(long, { ...LIMITS, maxHeaderSize: 50 }),
      ProtocolError,
      "the response's head must not exceed maxHeaderSize (50 bytes)",
    );
    const malformed = assertThrows(
      () => streamResponseHead({ ":status": 200, "x-a": "1\n" }, LIMITS),
      ProtocolError,
      'the field "x-a" is malformed',
    );
    assertEquals(malformed.code, 1002);
  });
});
