import { assertEquals, assertExists, assertStrictEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import { describe, test } from "node:test";
import { Output } from "../../src/protocol/output.ts";
import {
  appendText,
  encodeInto,
  longestLoop,
  nodeBuffer,
  text,
  textFunctions,
} from "../../src/protocol/text_codec.ts";
import { count } from "../support/counting.ts";
import { bytes, hixieCases } from "./hixie_cases.ts";
import { chopped, dice, hixie, receiveAll } from "./hixie_receive.ts";

const implementations = {
  "node:buffer": textFunctions(nodeBuffer()),
  "the Web's": textFunctions(undefined),
  "a node:buffer without the functions": textFunctions({ Buffer: { prototype: {} } }),
};

describe("node:buffer", () => {
  test("is found if process has it", () => {
    assertExists(nodeBuffer());
  });

  test("is undefined if there is none", () => {
    assertStrictEquals(nodeBuffer({}), undefined);
    assertStrictEquals(nodeBuffer({ process: {} }), undefined);
    assertStrictEquals(
      nodeBuffer({ process: { getBuiltinModule: () => undefined } }),
      undefined,
    );
  });
});

for (const [name, { latin1, isAscii, decode, encode }] of Object.entries(implementations)) {
  describe(`text by ${name}`, () => {
    test("latin1: ASCII and FF keep their value, and no other byte becomes one of these", () => {
      const all = Uint8Array.from({ length: 256 }, (_, byte) => byte);
      const string = latin1(all, 0, 256);
      assertStrictEquals(string.length, 256);
      for (let byte = 0; byte < 0x80; byte++) assertStrictEquals(string.charCodeAt(byte), byte);
      assertStrictEquals(string.indexOf("\xff"), 255);
      for (let byte = 0x80; byte < 0x100; byte++) {
        assertStrictEquals(string.charCodeAt(byte) >= 0x80, true);
      }
      assertStrictEquals(latin1(all, 0x61, 0x64), "abc");
      assertStrictEquals(latin1(all, 5, 5), "");
    });

    test("isAscii", () => {
      assertStrictEquals(isAscii(bytes("")), true);
      assertStrictEquals(isAscii(bytes("\0abc\x7f")), true);
      assertStrictEquals(isAscii(Uint8Array.of(0x61, 0x80)), false);
      assertStrictEquals(isAscii(Uint8Array.of(0xff, 0x61)), false);
    });

    test("decode: as TextDecoder does, with the byte order mark", () => {
      const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
      const roll = dice(75);
      const edges = bytes("\ufeffaé世😀", Uint8Array.of(0x80, 0xc0, 0xe0, 0xed, 0xf4, 0xf8, 0xfe));
      for (let round = 0; round < 3000; round++) {
        const random = Uint8Array.from({ length: 12 }, () => edges[roll(edges.length)] as number);
        const start = roll(6);
        const end = start + roll(7);
        assertStrictEquals(decode(random, start, end), decoder.decode(random.slice(start, end)));
      }
      assertStrictEquals(decode(bytes("\ufeffa"), 0, 4), "\ufeffa");
    });

    test("encode: as TextEncoder does, with lone surrogates replaced", () => {
      const roll = dice(77);
      const edges = "aé世😀\ud800\udfff\uffff\0";
      for (let round = 0; round < 3000; round++) {
        let message = "";
        for (let i = roll(9); i > 0; i--) message += edges[roll(edges.length)];
        const into = new Uint8Array(2 + message.length * 3);
        const size = encode(message, into, 2);
        assertEquals(into.subarray(0, 2 + size), bytes(new Uint8Array(2), message));
      }
    });
  });
}

test("the functions of node:buffer are used if it has them", () => {
  const calls: unknown[][] = [];
  const note = (name: string) =>
    function (this: Uint8Array, ...args: unknown[]) {
      calls.push([name, this, ...args]);
      return name as never;
    };
  const prototype = {
    latin1Slice: note("latin1Slice"),
    utf8Slice: note("utf8Slice"),
    utf8Write: note("utf8Write"),
  };
  const functions = textFunctions({ Buffer: { prototype } });
  const target = bytes("Hello");
  functions.latin1(target, 1, 3);
  functions.decode(target, 2, 4);
  functions.encode("é", target, 1);
  assertEquals(calls, [
    ["latin1Slice", target, 1, 3],
    ["utf8Slice", target, 2, 4],
    ["utf8Write", target, "é", 1, 3], // three bytes for each UTF-16 unit at most
  ]);
});

test("the wire format is the same with the Web's functions", () => {
  const own = { ...text };
  const messages = [
    "",
    "a",
    "é",
    "x".repeat(300),
    "é".repeat(300),
    "x".repeat(5000),
    "世".repeat(50_000),
  ];
  Object.assign(text, textFunctions(undefined));
  try {
    for (const { name, versions, maxMessageSize, bytes, events } of hixieCases) {
      for (const size of [1, 3, 1 << 20]) {
        const got = receiveAll(hixie(versions[0], maxMessageSize), chopped(bytes, size));
        assertEquals(got, events, name);
      }
    }
    for (const size of [100, 1500, 1 << 20]) {
      const output = new Output();
      for (const message of messages) hixie().writeText(output, message);
      const got = receiveAll(hixie(), chopped(output.take(), size));
      assertEquals(got, messages.map((message) => ["text", message] as const));
    }
  } finally {
    Object.assign(text, own);
  }
});

describe("encodeInto", () => {
  test("writes what TextEncoder writes, and nothing before it", () => {
    const units = ["", "a", "\x7f", "\x80", "\u07ff", "\u0800", "😀"];
    for (const length of [0, 1, 15, 16, 17, 63, 64, 65]) {
      for (const unit of units) {
        for (const message of [`${"a".repeat(length)}${unit}`, `${unit}${"a".repeat(length)}`]) {
          const target = new Uint8Array(3 + message.length * 3).fill(0x2a);
          const size = encodeInto(message, target, 3);
          assertEquals(target.subarray(0, 3 + size), bytes("***", message));
        }
      }
    }
  });
});

describe("appendText", () => {
  test("writes what TextEncoder writes, whatever is at the ends of its parts of 4096 units", () => {
    const b = "b".repeat(5000);
    const ends = [-3, -2, -1, 0, 1, 2].map((offset) => "a".repeat(4096 + offset));
    const messages = [
      "",
      "a",
      "é",
      ...ends.flatMap((before) => ["😀", "\ud800", "\udfff"].map((part) => before + part + b)),
      ...ends.map((before) => `${before}\udbff`),
      // Where the size is estimated, it is ASCII.
      `${"a".repeat(8)}${"€".repeat(128)}`.repeat(32),
      `a${"€".repeat(3124)}`.repeat(32),
    ];
    for (const message of messages) {
      const output = new Output();
      appendText(output, message);
      const written = output.take();
      const isSame = Buffer.compare(written, bytes(message)) === 0;
      assertStrictEquals(isSame, true, `${message.length} units, ${written.length} bytes`);
    }
  });

  // Besides the estimate, there is room for the worst case of the first part, and for one last byte.
  const rows: readonly (readonly [name: string, text: string, room: number])[] = [
    ["ASCII", "a".repeat(100_000), 100_000 + 2 * 4096 + 1],
    ["the last of ASCII", "\x7f".repeat(100_000), 100_000 + 2 * 4096 + 1],
    ["the first of two bytes", "\x80".repeat(100_000), 206_250 + 2 * 4096 + 1],
    ["the last of two bytes", "\u07ff".repeat(100_000), 206_250 + 2 * 4096 + 1],
    ["the first of three bytes", "\u0800".repeat(100_000), 306_250 + 2 * 4096 + 1],
    [
      "half of three bytes",
      ("a".repeat(3125) + "€".repeat(3125)).repeat(16),
      206_250 + 2 * 4096 + 1,
    ],
    ["every other of three bytes", "a€".repeat(50_000), 206_250 + 2 * 4096 + 1],
    ["in 32 parts of more than 4096 units", "a".repeat(320_000), 320_000 + 2 * 10_000 + 1],
  ];
  for (const [name, text, room] of rows) {
    test(`reserves memory once for a text, ${name}`, () => {
      const output = new Output();
      const { buffers } = count(() => appendText(output, text));
      assertEquals(buffers, [room]);
      assertEquals(new TextDecoder().decode(output.take()), text);
    });
  }
});

describe("longestLoop", () => {
  test("is higher if a call of the runtime takes longer", () => {
    const native = { Buffer: { prototype: { utf8Write: () => 0 } } };
    const encoder = new TextEncoder();
    const wrapped = {
      Buffer: { prototype: { utf8Write: () => encoder.encodeInto("", new Uint8Array()).written } },
    };
    assertEquals([longestLoop(native), longestLoop(wrapped), longestLoop(undefined)], [16, 64, 64]);
  });
});
