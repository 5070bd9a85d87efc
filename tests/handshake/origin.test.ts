import { assertEquals } from "@std/assert";
import { describe, test } from "node:test";
import { sameOrigin } from "../../src/handshake/origin.ts";

type Row = [origin: string, scheme: "http" | "https", host: string];

describe("sameOrigin", () => {
  const same: Row[] = [
    ["http://a.example", "http", "a.example"],
    ["http://a.example:80", "http", "a.example"],
    ["http://a.example", "http", "a.example:80"],
    ["http://a.example", "http", "a.example:"],
    ["https://a.example", "https", "a.example:"],
    ["http://a.example:8888", "http", "a.example:8888"],
    ["http://a.example:08888", "http", "a.example:8888"],
    ["https://a.example", "https", "a.example:443"],
    ["https://a.example:443", "https", "a.example"],
    ["HTTP://A.Example", "http", "a.eXample"],
    ["ws://a.example", "http", "a.example"],
    ["wss://a.example:443", "https", "a.example"],
    ["http://127.0.0.1:1", "http", "127.0.0.1:1"],
    ["http://[::1]", "http", "[::1]:80"],
    ["http://[2001:DB8::1]:81", "http", "[2001:db8::1]:81"],
    ["http://under_score", "http", "under_score"],
  ];
  const other: Row[] = [
    ["https://a.example", "http", "a.example"],
    ["http://a.example", "https", "a.example"],
    ["http://a.example", "https", "a.example:80"],
    ["http://a.example:81", "http", "a.example"],
    ["http://a.example", "http", "a.example:81"],
    ["http://b.example", "http", "a.example"],
    ["http://a.example.evil", "http", "a.example"],
    ["http://evil.a.example", "http", "a.example"],
    ["http://a.example.", "http", "a.example"],
    ["http://a.example/", "http", "a.example"],
    ["http://a.example?", "http", "a.example"],
    ["http://a.example#", "http", "a.example"],
    ["http://a.example\\", "http", "a.example"],
    ["http://u@a.example", "http", "a.example"],
    ["http://a.example@a.example", "http", "a.example"],
    ["http://a.example http://a.example", "http", "a.example"],
    ["http://a.example, http://a.example", "http", "a.example"],
    [" http://a.example", "http", "a.example"],
    ["http://a.example\n", "http", "a.example"],
    ["a.example", "http", "a.example"],
    ["//a.example", "http", "a.example"],
    ["http:a.example", "http", "a.example"],
    ["ftp://a.example", "http", "a.example"],
    ["file://", "http", ""],
    ["file://a.example", "http", "a.example"],
    ["null", "http", "null"],
    ["null", "https", "a.example"],
    ["https://a.example", "https", "a b"],
    ["", "http", ""],
    ["http://", "http", ""],
    ["http://:80", "http", ":80"],
    ["http://a b", "http", "a b"],
    ["http://a/", "http", "a/"],
    ["http://a:", "http", "a"],
    ["http://a:b", "http", "a:b"],
    ["http://a:123456", "http", "a:123456"],
    ["http://a:80:80", "http", "a:80:80"],
    ["http://::1", "http", "::1"],
    ["http://[::1", "http", "[::1"],
    ["http://\xe9", "http", "\xe9"],
  ];
  for (const row of same) {
    test(`${row.join(" ")}: the same`, () => assertEquals(sameOrigin(...row), true));
  }
  for (const row of other) {
    test(`${JSON.stringify(row)}: another`, () => assertEquals(sameOrigin(...row), false));
  }
});
