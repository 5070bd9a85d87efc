import { assertEquals, assertThrows } from "@std/assert";
import { describe, test } from "node:test";
import { proxyFromEnvironment } from "../../src/client/mod.ts";

/** An environment, a URL, and its proxy. */
const rows: readonly (readonly [
  environment: Record<string, string>,
  url: string,
  proxy: string | undefined,
])[] = [
  [{}, "wss://a.example/", undefined],
  [{ HTTPS_PROXY: "http://p:1" }, "wss://a.example/", "http://p:1"],
  [{ HTTPS_PROXY: "http://p:1" }, "https://a.example/", "http://p:1"],
  [{ HTTPS_PROXY: "http://p:1" }, "ws://a.example/", undefined],
  [{ HTTP_PROXY: "http://p:1" }, "ws://a.example/", "http://p:1"],
  [{ HTTP_PROXY: "http://p:1" }, "wss://a.example/", undefined],
  [{ ALL_PROXY: "socks5://p:1" }, "ws://a.example/", "socks5://p:1"],
  [{ all_proxy: "socks5://p:1" }, "wss://a.example/", "socks5://p:1"],
  [{ ALL_PROXY: "http://p:1", HTTPS_PROXY: "http://q:1" }, "wss://a.example/", "http://q:1"],
  [{ https_proxy: "http://p:1", HTTPS_PROXY: "http://q:1" }, "wss://a.example/", "http://p:1"],
  [{ https_proxy: "", HTTPS_PROXY: "http://q:1" }, "wss://a.example/", "http://q:1"],
  [{ HTTPS_PROXY: "" }, "wss://a.example/", undefined],
  [{ HTTPS_PROXY: "p:3128" }, "wss://a.example/", "http://p:3128"],
  // A request with the field `Proxy` sets HTTP_PROXY of a CGI program.
  [{ HTTP_PROXY: "http://p:1", REQUEST_METHOD: "GET" }, "ws://a.example/", undefined],
  [{ http_proxy: "http://p:1", REQUEST_METHOD: "GET" }, "ws://a.example/", "http://p:1"],
  [{ HTTPS_PROXY: "http://p:1", NO_PROXY: "a.example" }, "wss://a.example/", undefined],
  [{ HTTPS_PROXY: "http://p:1", NO_PROXY: "a.example" }, "wss://b.example/", "http://p:1"],
  [{ HTTPS_PROXY: "http://p:1", NO_PROXY: "a.example:443" }, "wss://a.example/", undefined],
  [{ HTTPS_PROXY: "http://p:1", NO_PROXY: "a.example:80" }, "wss://a.example/", "http://p:1"],
  [{ HTTP_PROXY: "http://p:1", NO_PROXY: "::1" }, "ws://[::1]:8080/", undefined],
  [{ ALL_PROXY: "http://p:1", no_proxy: "*", NO_PROXY: "b" }, "ws://a.example/", undefined],
];

describe("the proxy of an environment", () => {
  for (const [environment, url, proxy] of rows) {
    test(`${JSON.stringify(environment)} for ${url}`, () => {
      assertEquals(proxyFromEnvironment(url, environment), proxy);
    });
  }

  test("needs a URL of a WebSocket", () => {
    assertThrows(() => proxyFromEnvironment("ftp://a.example/", {}), TypeError, "the scheme must");
  });

  test("is that of the process without another", () => {
    const { process } = globalThis as unknown as { process: { env: Record<string, string> } };
    const before = process.env.https_proxy;
    process.env.https_proxy = "http://127.0.0.1:7";
    try {
      assertEquals(proxyFromEnvironment("wss://probe.invalid/"), "http://127.0.0.1:7");
    } finally {
      if (before === undefined) delete process.env.https_proxy;
      else process.env.https_proxy = before;
    }
  });
});
