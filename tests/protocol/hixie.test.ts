import { assertEquals, assertStrictEquals } from "@std/assert";
import { describe, test } from "node:test";
import { text as conversions } from "../../src/protocol/text_codec.ts";
import { bytes, hex, hixieCases, type HixieEvent, lengthFrame, textFrame } from "./hixie_cases.ts";
import { chopped, everySplit, hixie, receiveAll, recorder } from "./hixie_receive.ts";
import { checkRows } from "../support/rows.ts";

test("receives, whole, byte by byte and split everywhere", () => {
  const rows = hixieCases.flatMap((one) => one.versions.map((version) => ({ ...one, version })));
  checkRows(
    rows,
    ({ version, name }) => `${version}: ${name}`,
    ({ version, maxMessageSize, bytes, events }) => {
      for (const pieces of everySplit(bytes)) {
        const got = receiveAll(hixie(version, maxMessageSize), pieces);
        assertEquals(got, events, `pieces of ${pieces.map(({ length }) => length)} bytes`);
      }
    },
  );
});

describe("frames of every type", () => {
  const payload = bytes(hex("00 61 80 90"), "text", new Uint8Array(140));

  for (const version of ["draft75", "draft76"] as const) {
    test(`${version}: only type 00 is a message, and the next frame is found`, () => {
      for (let type = 0x00; type <= 0xff; type++) {
        const frame = type < 0x80
          ? bytes(Uint8Array.of(type), payload, hex("FF"))
          : lengthFrame(type, bytes(payload, hex("FF 00 FF")));
        const events: HixieEvent[] = [["text", "behind"]];
        if (type === 0x00) events.unshift(["text", new TextDecoder().decode(payload)]);
        const sent = bytes(frame, textFrame("behind"));
        for (const size of [1, 2, 3, sent.length]) {
          const got = receiveAll(hixie(version), chopped(sent, size));
          assertEquals(got, events, `type ${type.toString(16)}, pieces of ${size}`);
        }
      }
    });
  }

  test("a long frame is skipped without storing it", () => {
    const protocol = hixie("draft76", 1 << 24);
    const chunk = new Uint8Array(1 << 16);
    assertEquals(receiveAll(protocol, [hex("80 88 80 80 00")]), []); // 16 MiB
    for (let i = 0; i < 256; i++) assertEquals(receiveAll(protocol, [chunk]), []);
    assertEquals(receiveAll(protocol, [textFrame("a")]), [["text", "a"]]);
  });
});

describe("a sink that says stop", () => {
  test("stops receiving after each event, and the other bytes give the other events", () => {
    for (const { name, versions, maxMessageSize, bytes, events } of hixieCases) {
      if (events.some(([kind]) => kind === "error")) continue;
      for (const version of versions) {
        const protocol = hixie(version, maxMessageSize);
        const got: HixieEvent[] = [];
        const sink = recorder(got, () => false);
        let rest = bytes;
        while (rest.length > 0) {
          const before = got.length;
          rest = rest.subarray(protocol.receive(rest, false, sink));
          if (rest.length > 0) assertStrictEquals(got.length, before + 1, name);
        }
        assertEquals(got, events, `${version}: ${name}`);
      }
    }
  });

  test("makes receive return the offset behind the event", () => {
    const sink = recorder([], () => false);
    const long = textFrame("x".repeat(5000));
    assertStrictEquals(hixie().receive(hex("00 61 FF 00 62 FF"), false, sink), 3);
    assertStrictEquals(hixie().receive(hex("80 01 78 00 61 FF 00"), false, sink), 6);
    assertStrictEquals(hixie().receive(hex("FF 00 00 61 FF"), false, sink), 2);
    assertStrictEquals(hixie().receive(bytes(long, long), false, sink), long.length);

    const protocol = hixie();
    protocol.receive(hex("00 61"), false, sink);
    assertStrictEquals(protocol.receive(hex("62 FF 00 63 FF"), false, sink), 2);
  });

  test("after the close frame, all bytes are discarded", () => {
    const protocol = hixie();
    const events: HixieEvent[] = [];
    const sink = recorder(events, () => false);
    assertStrictEquals(protocol.receive(hex("FF 00 00 61 FF"), false, sink), 2);
    assertStrictEquals(protocol.receive(hex("00 61 FF"), false, sink), 3);
    assertStrictEquals(protocol.receive(new Uint8Array(1 << 16), false, sink), 1 << 16);
    assertEquals(events, [["close"]]);
  });
});

describe("chunks with long messages", () => {
  // Sizes near those at which the search or the decoder takes another code path.
  const sizes = [
    0,
    1,
    12,
    13,
    191,
    192,
    193,
    1023,
    1024,
    1025,
    4094,
    4095,
    4096,
    4097,
    8192,
    33000,
  ];

  for (const [kind, filler] of [["ASCII", "abcdefghijk"], ["mixed", "aé世😀 "]] as const) {
    const messages = sizes.map((size) =>
      filler.repeat(size / filler.length + 1).slice(0, size).toWellFormed()
    );

    test(`${kind}: each size whole and in pieces`, () => {
      for (const message of messages) {
        const frame = textFrame(message);
        for (const size of [1, 7, 64, 191, 1000, 1023, 1024, 1460, 4096, 1 << 20]) {
          const got = receiveAll(hixie(), chopped(frame, size));
          assertEquals(got, [["text", message]], `${message.length} in pieces of ${size}`);
        }
      }
    });

    test(`${kind}: each size before and after each other, in one chunk`, () => {
      for (const first of messages) {
        for (const second of messages) {
          const sent = bytes(textFrame(first), textFrame(second), textFrame(first));
          const got = receiveAll(hixie(), [sent]);
          assertEquals(got, [["text", first], ["text", second], ["text", first]]);
        }
      }
    });
  }

  test("a message that has begun ends in a long chunk, and others follow", () => {
    for (const filler of ["x", "é"]) {
      for (const size of [0, 1, 500, 1023, 1024, 5000, 40_000]) {
        const message = filler.repeat(size);
        const behind = "behind".repeat(20_000);
        const sent = bytes(textFrame(message), textFrame("é"), textFrame(behind));
        const got = receiveAll(hixie(), [sent.subarray(0, 1), sent.subarray(1)]);
        assertEquals(got, [["text", message], ["text", "é"], ["text", behind]]);
      }
    }
  });

  // The lengths of the texts, and how many bytes are decoded at a time. A substring keeps the whole
  // string in memory. So a text is decoded by itself, or is a substring of a string that is not much
  // longer.
  const decoded: readonly (readonly [name: string, texts: number[], decoded: number[]])[] = [
    ["half of the window", [2048, 2100], [4096, 2101]],
    ["less than half of the window", [2047, 2100], [4096, 2047, 2101]],
    ["half of a small chunk", [300, 297], [600, 297]],
    ["less than half of a small chunk", [300, 298], [601, 300, 298]],
    ["two in a window", [300, 300], [603, 300, 300]],
    ["a short text alone", [10], [10]],
    ["short texts, the first by itself", [10, 10, 10], [10, 23]],
    ["short texts in two windows", Array(61).fill(100), [100, 4096, 2039]],
    ["short texts behind a long one, in a larger window", [5000, 10, 10], [4096, 5025, 10, 10]],
    ["short texts behind a long one, in its window", [4000, 10, 81], [4096, 10]],
  ];
  for (const [name, lengths, sizes] of decoded) {
    test(`are decoded in few steps, and keep little memory: ${name}`, () => {
      const messages = lengths.map((length, i) => `${i % 10}`.repeat(length));
      const { latin1 } = conversions;
      const got: number[] = [];
      conversions.latin1 = (bytes, start, end) => {
        got.push(end - start);
        return latin1(bytes, start, end);
      };
      try {
        const events = receiveAll(hixie(), [bytes(...messages.map(textFrame))]);
        assertEquals(events, messages.map((message) => ["text", message] as const));
      } finally {
        conversions.latin1 = latin1;
      }
      assertEquals(got, sizes);
    });
  }

  test("more short messages than are decoded at once", () => {
    const messages = Array.from({ length: 3000 }, (_, i) => `message ${i}, ${"x".repeat(i % 40)}`);
    const sent = bytes(...messages.map(textFrame));
    const events = messages.map((message) => ["text", message] as const);
    for (const size of [1, 100, 4095, 65536, sent.length]) {
      assertEquals(receiveAll(hixie(), chopped(sent, size)), events, `pieces of ${size}`);
    }
  });
});
