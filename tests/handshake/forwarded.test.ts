import { assertEquals } from "@std/assert";
import { describe, test } from "node:test";
import { type Hop, parseForwardedField, parseXForwarded } from "../../src/handshake/forwarded.ts";

/** Hops as `address scheme`. */
function show(hops: readonly Hop[]): string[] {
  return hops.map(({ address = "-", scheme = "-" }) => `${address} ${scheme}`);
}

describe("X-Forwarded-For and X-Forwarded-Proto", () => {
  const rows: [addresses: string | undefined, schemes: string | undefined, hops: string[]][] = [
    [undefined, undefined, ["- -"]],
    ["", "", ["- -"]],
    [undefined, "https", ["- https"]],
    [undefined, "https, http", ["- http"]],
    ["1.2.3.4", undefined, ["1.2.3.4 -"]],
    ["1.2.3.4", "https", ["1.2.3.4 https"]],
    ["1.2.3.4, 10.0.0.1", "https", ["1.2.3.4 https", "10.0.0.1 https"]],
    ["1.2.3.4, 10.0.0.1", "https, http", ["1.2.3.4 https", "10.0.0.1 http"]],
    ["6.6.6.6, 1.2.3.4, 10.0.0.1", "https, http", [
      "6.6.6.6 https",
      "1.2.3.4 https",
      "10.0.0.1 http",
    ]],
    ["1.2.3.4, 10.0.0.1", "ftp, https, http", ["1.2.3.4 https", "10.0.0.1 http"]],
    ["1.2.3.4,,\t10.0.0.1 ,", ",https", ["1.2.3.4 https", "10.0.0.1 https"]],
    ["1.2.3.4:5678, [2001:DB8::1]:80, [::1], 2001:db8::2", undefined, [
      "1.2.3.4 -",
      "2001:db8::1 -",
      "::1 -",
      "2001:db8::2 -",
    ]],
    ["::ffff:1.2.3.4, [::ffff:1.2.3.4]:80", undefined, ["1.2.3.4 -", "1.2.3.4 -"]],
    ["unknown, _hidden, example.com, 1.2.3, 1.2.3.4:, a 1.2.3.4", undefined, Array(6).fill("- -")],
    ["1.2.3.4:123456, 1.2.3.4:x, [::1]x, [1.2.3.4, <b>", undefined, Array(5).fill("- -")],
    ["\xa01.2.3.4, 1.2.3.4\x7f, '1.2.3.4'", undefined, Array(3).fill("- -")],
  ];
  for (const [addresses, schemes, hops] of rows) {
    test(`${addresses} and ${schemes}`, () => {
      assertEquals(show(parseXForwarded(addresses, schemes)), hops);
    });
  }
});

describe("Forwarded (RFC 7239)", () => {
  const rows: [value: string, hops: string[]][] = [
    ["for=192.0.2.60;proto=http;by=203.0.113.43", ["192.0.2.60 http"]],
    ['For="[2001:db8:cafe::17]:4711"', ["2001:db8:cafe::17 -"]],
    ["for=192.0.2.43, for=198.51.100.17", ["192.0.2.43 -", "198.51.100.17 -"]],
    ['for=192.0.2.43,for="[2001:DB8:cafe::17]";PROTO=HTTPS,for=unknown', [
      "192.0.2.43 -",
      "2001:db8:cafe::17 HTTPS",
      "- -",
    ]],
    ['for="_gazonk"', ["- -"]],
    ['for="192.0.2.43:47011"', ["192.0.2.43 -"]],
    ['for="192.0.2.43:_port"', ["192.0.2.43 -"]],
    ["for=192.0.2.43:47011", ["192.0.2.43 -"]],
    ["for=[::1]", ["::1 -"]],
    ['for="1\\.2.3.4";host="a,b;for=6.6.6.6"', ["1.2.3.4 -"]],
    ["proto=https", ["- https"]],
    ["secret=x", ["- -"]],
    ["by=203.0.113.43;proto=https;ext=1", ["- https"]],
    [" \tfor=1.2.3.4 ;\tproto=https , for=10.0.0.1 ", ["1.2.3.4 https", "10.0.0.1 -"]],
    [";;for=1.2.3.4;,,;", ["1.2.3.4 -"]],
    ["", []],
    [" , ", []],
    // Malformed: all of it is ignored.
    ["for", []],
    ["for=", []],
    ["for=1.2.3.4, for=1.2.3.5;", []],
    ["=1.2.3.4", []],
    ["for = 1.2.3.4", []],
    ["for=1.2.3.4 proto=https", []],
    ['for="1.2.3.4', []],
    ['for="6.6.6.6, for=1.2.3.4', []],
    ['for="1.2.3.4"x', []],
    ["for=1.2.3.4;for=6.6.6.6", []],
    ["for=1.2.3.4;FOR=6.6.6.6, for=10.0.0.1", []],
    ["for(=1.2.3.4", []],
  ];
  for (const [value, hops] of rows) {
    test(JSON.stringify(value), () => assertEquals(show(parseForwardedField(value)), hops));
  }
});
