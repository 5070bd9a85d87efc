import { describe, test } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import { defaultSettings, resolveSettings, type Settings } from "../../src/server/settings.ts";

describe("settings", () => {
  test("have defaults", () => {
    assertEquals(resolveSettings({}), defaultSettings);
    assertEquals(resolveSettings({ maxMessageSize: undefined } as never), defaultSettings);
    assertEquals(resolveSettings({ maxMessageSize: 5 }).maxMessageSize, 5);
  });

  test("with an unknown name are a TypeError", () => {
    for (const name of ["maxMesageSize", "toString", "__proto__x", "constructor"]) {
      assertThrows(() => resolveSettings({ [name]: 1 }), TypeError, `"${name}": unknown`);
    }
  });

  const meant: Readonly<Record<string, string>> = {
    maxPayload: "did you mean maxMessageSize?",
    maxPayloadLength: "did you mean maxMessageSize?",
    websocket_max_message_size: "did you mean maxMessageSize?",
    max_message_size: "did you mean maxMessageSize?",
    MaxMessageSize: "did you mean maxMessageSize?",
    maxMesageSize: "did you mean maxMessageSize?",
    websocket_ping_interval: "did you mean pingInterval?",
    perMessageDeflate: "did you mean compression?",
    compresion: "did you mean compression?",
    backpressureLimit: "did you mean maxBufferedAmount?",
    origin: "did you mean allowedOrigins?",
    allowedOrigin: "did you mean allowedOrigins?",
    trustedProxy: "did you mean trustProxy?",
    timeout: "did you mean handshakeTimeout?",
    port: "it belongs to the options of listen",
    cert: "it belongs to the options of listen",
  };
  for (const [name, hint] of Object.entries(meant)) {
    test(`${name}: ${hint}`, () => {
      const error = assertThrows(() => resolveSettings({ [name]: 1 }), TypeError);
      assertEquals(error.message, `Cannot use setting "${name}": unknown; ${hint}`);
    });
  }

  test("with a name that resembles none are just unknown", () => {
    for (const name of ["x", "db", "verbose", "fatch-all-the-things"]) {
      const error = assertThrows(() => resolveSettings({ [name]: 1 }), TypeError);
      assertEquals(error.message, `Cannot use setting "${name}": unknown`);
    }
  });

  test("are an object", () => {
    for (const settings of [null, 5, "compression", [], () => {}]) {
      assertThrows(
        () => resolveSettings(settings as unknown as Partial<Settings>),
        TypeError,
        "Cannot use settings: must be an object, got ",
      );
    }
  });

  const wrong: readonly (readonly [name: keyof Settings, values: readonly unknown[]])[] = [
    ["secureDraftsOnly", ["yes", 1, null]],
    ["compression", [true, "on", null, []]],
    ["cookieSecret", ["", {}, { 0: "" }, { one: "x" }, { 0: 5 }, [], null, 5]],
    ["fetch", [{}, "x", null, new Response()]],
    ["broker", [{}, Promise.resolve(), "redis://localhost", null]],
    ["onBrokerStatus", [{}, null]],
    ["log", [console, null, false]],
    ["clock", [Date, {}, null]],
  ];
  for (const [name, values] of wrong) {
    test(`${name} of a wrong type is a TypeError`, () => {
      for (const value of values) {
        const settings = { [name]: value } as unknown as Partial<Settings>;
        assertThrows(() => resolveSettings(settings), TypeError, `Cannot use ${name}: must be `);
      }
    });
  }

  test("of compression are checked", () => {
    const rows: readonly (readonly [object, typeof TypeError | typeof RangeError, string])[] = [
      [{ windowbits: 10 }, TypeError, "did you mean windowBits?"],
      [{ windowBits: 8 }, RangeError, "windowBits must be an integer from 9 to 15, got 8"],
      [{ memlevel: 8 }, TypeError, "did you mean memLevel?"],
      [{ level: "6" }, TypeError, 'Cannot compress: level must be an integer from 1 to 9, got "6"'],
      [{ level: 0 }, RangeError, "level must be an integer from 1 to 9, got 0"],
      [{ level: 10 }, RangeError, "level must be an integer from 1 to 9, got 10"],
      [{ threshold: -1 }, RangeError, "threshold must be a non-negative integer, got -1"],
      [{ contextTakeover: 1 }, TypeError, "contextTakeover must be a boolean, got 1"],
    ];
    for (const [compression, type, message] of rows) {
      assertThrows(() => resolveSettings({ compression }), type, message);
    }
    resolveSettings({ compression: { level: 1, memLevel: 9, threshold: 0, windowBits: 9 } });
  });

  const limits = Object.entries(defaultSettings).filter(([, value]) => typeof value === "number");
  for (const [name] of limits) {
    // It can neither be 0 nor Infinity: tests/pubsub/presence.test.ts.
    if (name === "presenceTtl") continue;
    const isTime = /Interval$|Timeout$/.test(name);
    const [range, outside, inside] = isTime
      ? ["an integer from 0 (off) to 2147483647", [Infinity, 2 ** 31], [0, 1, 2 ** 31 - 1]]
      : ["a positive integer, or Infinity for no limit", [0, 2 ** 53], [Infinity]];
    test(`${name} is ${range}`, () => {
      const message = `Cannot use ${name}: must be ${range}, got `;
      for (const value of [-1, 1.5, NaN, -Infinity, ...outside]) {
        assertThrows(() => resolveSettings({ [name]: value }), RangeError, `${message}${value}`);
      }
      for (const value of ["5", null, true, [5]]) {
        const settings = { [name]: value } as unknown as Partial<Settings>;
        assertThrows(() => resolveSettings(settings), TypeError, message);
      }
      for (const value of inside) {
        const others = name === "highWaterMark" ? { maxBufferedAmount: Infinity } : {};
        assertEquals(Reflect.get(resolveSettings({ ...others, [name]: value }), name), value);
      }
    });
  }

  for (const name of ["versions", "allowedOrigins", "allowedHosts", "trustProxy"] as const) {
    test(`${name} is a list: a string would match any part of it`, () => {
      for (const value of ["10.0.0.1", [5], null, {}]) {
        const settings = { [name]: value } as unknown as Partial<Settings>;
        assertThrows(() => resolveSettings(settings), TypeError, `Cannot use ${name}`);
      }
    });
  }

  test("versions must be known", () => {
    const settings = { versions: ["rfc6455", "hixie-76"] } as unknown as Partial<Settings>;
    assertThrows(() => resolveSettings(settings), TypeError, 'Cannot use version "hixie-76"');
  });

  test("highWaterMark must not exceed maxBufferedAmount", () => {
    resolveSettings({ highWaterMark: 1000, maxBufferedAmount: 1000 });
    assertThrows(
      () => resolveSettings({ highWaterMark: 1001, maxBufferedAmount: 1000 }),
      RangeError,
      "Cannot use highWaterMark: must not exceed maxBufferedAmount (1000), got 1001",
    );
  });
});
