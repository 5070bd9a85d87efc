import { assertEquals, assertThrows } from "@std/assert";
import { describe, test } from "node:test";
import { parseProxyUrl } from "../../src/handshake/proxy_url.ts";

/** URLs with their protocol, TLS, host, port and credentials. */
const valid: readonly (readonly [url: string, parts: string, href: string])[] = [
  ["http://a.example:3128", "http - a.example 3128", "http://a.example:3128"],
  ["http://a.example", "http - a.example 80", "http://a.example:80"],
  ["HTTP://A.example/", "http - a.example 80", "http://a.example:80"],
  ["https://a.example", "http TLS a.example 443", "https://a.example:443"],
  ["https://a.example:80", "http TLS a.example 80", "https://a.example:80"],
  ["socks5://a.example", "socks5 - a.example 1080", "socks5://a.example:1080"],
  ["socks5h://a.example:80/", "socks5 - a.example 80", "socks5h://a.example:80"],
  ["socks5://[::1]:9", "socks5 - ::1 9", "socks5://[::1]:9"],
  ["http://[2001:DB8::1]", "http - 2001:db8::1 80", "http://[2001:db8::1]:80"],
  [
    "socks5://bücher.example",
    "socks5 - xn--bcher-kva.example 1080",
    "socks5://xn--bcher-kva.example:1080",
  ],
  ["http://ada:pw@a.example", "http - a.example 80 ada|pw", "http://a.example:80"],
  ["http://ada@a.example", "http - a.example 80 ada|", "http://a.example:80"],
  ["http://:pw@a.example", "http - a.example 80 |pw", "http://a.example:80"],
  [
    "socks5://a%40b:%C3%A4%3A%2F@a.example:1",
    "socks5 - a.example 1 a@b|ä:/",
    "socks5://a.example:1",
  ],
  ["socks5://a:80@a.example", "socks5 - a.example 1080 a|80", "socks5://a.example:1080"],
  [
    `socks5://a:${"b".repeat(255)}@a.example:1`,
    `socks5 - a.example 1 a|${"b".repeat(255)}`,
    "socks5://a.example:1",
  ],
];

describe("the URL of a proxy", () => {
  for (const [url, parts, href] of valid) {
    test(url, () => {
      const { protocol, secure, hostname, port, credentials, ...rest } = parseProxyUrl(url);
      const user = credentials && `${credentials.username}|${credentials.password}`;
      const found = [protocol, secure ? "TLS" : "-", hostname, port, user];
      assertEquals(found.filter((part) => part !== undefined).join(" "), parts);
      assertEquals(rest, { href });
    });
  }

  test("may be a URL object", () => {
    assertEquals(parseProxyUrl(new URL("socks5://a.example:80")).port, 80);
  });
});

const invalid: readonly (readonly [url: string, says: string])[] = [
  ["a.example:3128", `"a.example:3128": the scheme must be http, https, socks5 or socks5h`],
  ["socks4://a.example", "the scheme must be"],
  ["toString://a.example", "the scheme must be"],
  ["http:a.example", "the scheme must be"],
  ["http://", "not a URL with a host"],
  ["http://a b", "not a URL with a host"],
  ["socks5://a%00", "not a URL with a host"],
  ["http://a.example:70000", "not a URL with a host"],
  ["http://a.example:0", "the port must be from 1 to 65535"],
  ["http://a.example/proxy", "a path, a query or a fragment is not allowed"],
  ["http://a.example?b", "a path, a query or a fragment is not allowed"],
  ["http://a.example#b", "a path, a query or a fragment is not allowed"],
  ["http://ada:secret@a.example/x", `Cannot use proxy "http://a.example/x": a path`],
  ["http://ada:sec@ret@a b", `Cannot use proxy "http://a b": not a URL`],
  ["ada:secret@a.example", `Cannot use proxy "a.example": the scheme`],
  ["http://%FF@a.example", "must be percent-encoded UTF-8"],
  ["http://a%3Ab:c@a.example", "the user name must not have a colon (RFC 7617 §2)"],
  ["socks5://ada@a.example", "must have 1 to 255 bytes (RFC 1929 §2)"],
  [`socks5://a:${"b".repeat(256)}@a.example`, "must have 1 to 255 bytes (RFC 1929 §2)"],
];

describe("a wrong URL of a proxy is a TypeError without its password", () => {
  for (const [url, says] of invalid) {
    test(url.slice(0, 60), () => {
      const error = assertThrows(() => parseProxyUrl(url), TypeError, says);
      assertEquals(/secret|ret@/.test(error.message), false);
    });
  }
});
