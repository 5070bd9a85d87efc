import { assertEquals, assertInstanceOf } from "@std/assert";
import { describe, test } from "node:test";
import { ProxyConnect, type TunnelTarget } from "../../src/handshake/proxy_connect.ts";
import { ProxyError } from "../../src/handshake/proxy_error.ts";
import type { ProxyCredentials } from "../../src/handshake/proxy_url.ts";
import { latin1Bytes } from "../support/bytes.ts";
import { LIMITS } from "./support.ts";
import { feedTunnel } from "./tunnel_support.ts";

const TARGET: TunnelTarget = { hostname: "a.example", port: 443 };
const CONNECT = "CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n";

const requests: readonly (readonly [
  name: string,
  target: TunnelTarget,
  credentials: ProxyCredentials | undefined,
  request: string,
])[] = [
  ["a name", TARGET, undefined, `${CONNECT}\r\n`],
  [
    "an IPv6 address",
    { hostname: "::1", port: 80 },
    undefined,
    "CONNECT [::1]:80 HTTP/1.1\r\nHost: [::1]:80\r\n\r\n",
  ],
  [
    "credentials",
    TARGET,
    { username: "Aladdin", password: "open sesame" },
    `${CONNECT}Proxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n\r\n`,
  ],
  [
    "credentials in UTF-8 (RFC 7617 §2.1)",
    TARGET,
    { username: "test", password: "123£" },
    `${CONNECT}Proxy-Authorization: Basic dGVzdDoxMjPCow==\r\n\r\n`,
  ],
];

describe("the request for a tunnel has", () => {
  for (const [name, target, credentials, request] of requests) {
    test(name, () => {
      const handshake = new ProxyConnect(target, LIMITS, credentials);
      assertEquals(new TextDecoder().decode(handshake.request), request);
    });
  }
});

const opening: readonly (readonly [name: string, answer: string])[] = [
  ["200", "HTTP/1.1 200 Connection established\r\n\r\n"],
  ["200 of HTTP/1.0 with fields", "HTTP/1.0 200 OK\r\nProxy-agent: tinyproxy/1.11.1\r\n\r\n"],
  ["another 2xx, without a reason", "HTTP/1.1 299\r\n\r\n"],
  ["a Content-Length, which is ignored", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"],
  ["an interim response", "HTTP/1.1 103 \r\nA: b\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"],
];

describe("a tunnel opens after", () => {
  for (const [name, answer] of opening) {
    test(`${name}, and later bytes belong to it`, () => {
      const make = () => new ProxyConnect(TARGET, LIMITS);
      const { sent, end, rest } = feedTunnel(make, latin1Bytes(`${answer}\x16hello`));
      assertEquals([sent, end, rest], [`${CONNECT}\r\n`, "open", "\x16hello"]);
    });
  }
});

const refusing: readonly (readonly [
  answer: string,
  says: string,
  status?: number,
  refusesCredentials?: boolean,
])[] = [
  [
    "HTTP/1.1 403 Filtered\r\nContent-Length: 9\r\n\r\n<p>no</p>",
    'the status must be 2xx, got "HTTP/1.1 403 Filtered" (RFC 9110 §9.3.6)',
    403,
  ],
  [
    "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n\r\n",
    'the status must be 2xx, got "HTTP/1.1 407 Proxy Authentication Required" (RFC 9110 §9.3.6)',
    407,
    true,
  ],
  ["HTTP/1.1 302 \r\nLocation: /\r\n\r\n", 'got "HTTP/1.1 302 " (RFC 9110 §9.3.6)', 302],
  ["SSH-2.0-x", 'the response must begin with "HTTP/1.", got "S" (RFC 9112 §4)'],
  ["HTTP/1.1 20\r\n", "the status line must be that of HTTP/1.1"],
  [`HTTP/1.1 200 OK\r\nA: ${"b".repeat(50)}`, "the response's head must not exceed maxHeaderSize"],
  ["HTTP/1.1 200 \r\na: 1\r\nb: 2\r\nc: 3\r\n\r\n", "must not exceed maxHeaderCount (2 fields)"],
];

describe("a tunnel does not open after", () => {
  for (const [answer, says, status, refusesCredentials = false] of refusing) {
    test(JSON.stringify(answer), () => {
      const limits = { maxHeaderSize: 64, maxHeaderCount: 2 };
      const wide = { ...limits, maxHeaderSize: 100 };
      const make = () => new ProxyConnect(TARGET, says.includes("Size") ? limits : wide);
      const { end } = feedTunnel(make, latin1Bytes(answer));
      assertInstanceOf(end, ProxyError);
      assertEquals(end.message.includes(says), true, end.message);
      assertEquals([end.status, end.refusesCredentials], [status, refusesCredentials]);
    });
  }

  test("half an answer", () => {
    const make = () => new ProxyConnect(TARGET, LIMITS);
    assertEquals(feedTunnel(make, latin1Bytes("HTTP/1.1 200 OK\r\n\r")).end, "waiting");
  });
});
