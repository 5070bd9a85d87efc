import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { describe, test } from "node:test";
import { parseWebSocketUrl, type WebSocketUrl } from "../../src/handshake/web_socket_url.ts";

const good: readonly (readonly [url: string, parts: Partial<WebSocketUrl>])[] = [
  ["ws://example.com", { hostname: "example.com", port: 80, host: "example.com", secure: false }],
  ["ws://example.com", { resourceName: "/", href: "ws://example.com/" }],
  ["wss://example.com/a", {
    hostname: "example.com",
    port: 443,
    host: "example.com",
    secure: true,
  }],
  ["ws://example.com:8080/a?b=c&d", { port: 8080, host: "example.com:8080" }],
  ["ws://example.com:8080/a?b=c&d", { resourceName: "/a?b=c&d" }],
  ["ws://example.com:80/", { port: 80, host: "example.com" }],
  ["wss://example.com:443/", { port: 443, host: "example.com" }],
  ["ws://example.com:443/", { port: 443, host: "example.com:443" }],
  ["WS://Example.COM/A", { host: "example.com", resourceName: "/A" }],
  ["ws://[::1]:8080/", { hostname: "::1", host: "[::1]:8080" }],
  ["ws://example.com/ü?ü", { resourceName: "/%C3%BC?%C3%BC" }],
  ["ws://example.com/a b", { resourceName: "/a%20b" }],
  ["http://example.com/a", { secure: false, port: 80, href: "ws://example.com/a" }],
  ["https://example.com/a", { secure: true, port: 443, href: "wss://example.com/a" }],
];

const bad: readonly (readonly [url: string, because: string])[] = [
  ["/chat", "not an absolute URL"],
  ["", "not an absolute URL"],
  ["ws://", "not an absolute URL"],
  ["ws://example.com:70000/", "not an absolute URL"],
  ["ftp://example.com/", "ws or wss (RFC 6455 §3)"],
  ["ws://example.com/#a", "a fragment is not allowed (RFC 6455 §3)"],
  ["ws://example.com/#", "a fragment"],
  ["ws://user@example.com/", "a user name"],
];

describe("a WebSocket URL", () => {
  for (const [url, expected] of good) {
    test(`${url} has ${JSON.stringify(expected)}`, () => {
      const parsed = parseWebSocketUrl(url);
      for (const [name, value] of Object.entries(expected)) {
        assertEquals(parsed[name as keyof WebSocketUrl], value);
      }
    });
  }

  for (const [url, because] of bad) {
    test(`${JSON.stringify(url)} is refused`, () => {
      const error = assertThrows(() => parseWebSocketUrl(url), TypeError, because);
      assertStringIncludes(error.message, JSON.stringify(url.replace("user@", "")));
    });
  }

  test("is refused without its password", () => {
    const error = assertThrows(() => parseWebSocketUrl("ws://user:secret@example.com/"), TypeError);
    assertEquals(error.message.includes("secret"), false);
  });
});
