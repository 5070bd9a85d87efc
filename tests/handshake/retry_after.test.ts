import { assertEquals } from "@std/assert";
import { describe, test } from "node:test";
import { retryAfter } from "../../src/handshake/retry_after.ts";

const NOW = Date.UTC(1994, 10, 6, 8, 49, 30);

/** `Retry-After`, `Date`, and the time to wait. */
const rows: readonly (readonly [
  value: string | undefined,
  date: string | undefined,
  time: number | undefined,
])[] = [
  [undefined, undefined, undefined],
  ["0", undefined, 0],
  ["120", undefined, 120_000],
  ["007", undefined, 7_000],
  ["-1", undefined, undefined],
  ["1.5", undefined, undefined],
  ["1e3", undefined, undefined],
  ["", undefined, undefined],
  ["soon", undefined, undefined],
  ["2030", undefined, 2_030_000],
  ["Sun, 06 Nov 1994 08:49:37 GMT", undefined, 7_000],
  ["Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:36 GMT", 1_000],
  ["Sun, 06 Nov 1994 08:49:37 GMT", "yesterday", 7_000],
  ["Sun, 06 Nov 1994 08:49:29 GMT", undefined, 0],
  ["Sun, 99 Foo 1994", undefined, undefined],
  ["6 Nov 1994", undefined, undefined],
];

describe("Retry-After", () => {
  for (const [value, date, time] of rows) {
    test(`${value} at ${date ?? "the client's time"}`, () => {
      const headers = new Headers();
      if (value !== undefined) headers.set("Retry-After", value);
      if (date !== undefined) headers.set("Date", date);
      assertEquals(retryAfter(headers, NOW), time);
    });
  }
});
