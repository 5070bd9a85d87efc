import { assertEquals } from "@std/assert";
import { describe, test } from "node:test";
import { bypassesProxy } from "../../src/handshake/no_proxy.ts";

/** A list, and hosts that match it; hosts with `!` do not match. The default port is 443. */
const rows: readonly (readonly [list: string, hosts: string])[] = [
  ["", "!a.example !127.0.0.1 !::1"],
  [" , ,", "!a.example"],
  ["*", "a.example 127.0.0.1 ::1 localhost"],
  ["b.example,*", "a.example"],
  [
    "example.com",
    "example.com a.example.com b.a.example.com !myexample.com !example.com.evil !com",
  ],
  [".example.com", "example.com a.example.com !myexample.com"],
  ["*.example.com", "example.com a.example.com !myexample.com"],
  ["*example.com", "!example.com !myexample.com"],
  ["a.*", "!a.example"],
  ["Example.COM", "example.com EXAMPLE.com"],
  ["example.com.", "example.com example.com."],
  ["a.example, b.example", "a.example b.example !c.example"],
  ["a.example b.example", "a.example b.example"],
  ["a.example\t\n,b.example", "a.example b.example"],
  ["localhost", "localhost a.localhost !127.0.0.1"],
  ["com", "a.com com !xcom"],
  [".", "!a.example"],
  ["example.com:443", "example.com a.example.com"],
  ["example.com:8080", "!example.com example.com|8080 a.example.com|8080 !b.example|8080"],
  ["*:8080", "a.example|8080 !a.example"],
  ["example.com:", "!example.com"],
  ["127.0.0.1", "127.0.0.1 !127.0.0.2"],
  ["10.0.0.0/8", "10.1.2.3 !11.0.0.1 !a.10.0.0.0"],
  ["10.1.2.3/8", "!10.1.2.3"],
  ["0.0.0.0/0", "10.1.2.3 !::1 !a.example"],
  ["127.0.0.1:80", "127.0.0.1|80 !127.0.0.1"],
  ["::1", "::1 !::2"],
  ["[::1]", "::1 !::2"],
  ["[::1]:80", "::1|80 !::1"],
  ["2001:DB8::/32", "2001:db8::7 !2001:db9::7"],
  ["[2001:db8::]/32", "!2001:db8::7"],
  ["::ffff:10.0.0.1", "10.0.0.1"],
  [".0.0.1", "!127.0.0.1"],
  ["a.example/8", "!a.example"],
];

describe("NO_PROXY", () => {
  for (const [list, hosts] of rows) {
    test(JSON.stringify(list), () => {
      const found = hosts.split(" ").map((shown) => {
        const [hostname = "", port = 443] = shown.replace(/^!/, "").split("|");
        const named = bypassesProxy(list, { hostname, port: Number(port) });
        return `${named ? "" : "!"}${shown.replace(/^!/, "")}`;
      });
      assertEquals(found.join(" "), hosts);
    });
  }
});
