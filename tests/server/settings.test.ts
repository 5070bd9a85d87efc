import { describe, test } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import { defaultSettings, resolveSettings, type Settings } from "../../src/server/settings.ts";

describe("settings", () => {
  test("are the defaults where they are not told", () => {
    assertEquals(resolveSettings({}), defaultSettings);
    assertEquals(resolveSettings({ maxMessageSize: undefined } as never), defaultSettings);
    assertEquals(resolveSettings({ maxMessageSize: 5 }).maxMessageSize, 5);
  });

  test("of an unknown name are a TypeError", () => {
    for (const name of ["maxMesageSize", "toString", "__proto__x", "constructor"]) {
      assertThrows(() => resolveSettings({ [name]: 1 }), TypeError, `"${name}": unknown`);
    }
  });

  const limits = Object.entries(defaultSettings).filter(([, value]) => typeof value === "number");
  for (const [name] of limits) {
    test(`${name} is an integer from 0 on`, () => {
      for (const value of [-1, 1.5, NaN, Infinity, "5", null]) {
        assertThrows(() => resolveSettings({ [name]: value }), RangeError, `Cannot use ${name}`);
      }
    });
  }

  for (const name of ["versions", "allowedOrigins", "allowedHosts", "trustProxy"] as const) {
    test(`${name} is a list: a string would match by any part of it`, () => {
      for (const value of ["10.0.0.1", [5], null, {}]) {
        const settings = { [name]: value } as unknown as Partial<Settings>;
        assertThrows(() => resolveSettings(settings), TypeError, `Cannot use ${name}`);
      }
    });
  }

  test("versions are those that there are", () => {
    const settings = { versions: ["rfc6455", "hixie-76"] } as unknown as Partial<Settings>;
    assertThrows(() => resolveSettings(settings), TypeError, 'Cannot use version "hixie-76"');
  });

  test("highWaterMark is not above maxBufferedAmount", () => {
    resolveSettings({ highWaterMark: 1000, maxBufferedAmount: 1000 });
    assertThrows(
      () => resolveSettings({ highWaterMark: 1001, maxBufferedAmount: 1000 }),
      RangeError,
      "Cannot use highWaterMark 1001: above maxBufferedAmount, 1000",
    );
  });
});
