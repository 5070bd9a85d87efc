import {
  assert,
  assertEquals,
  assertNotEquals,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { describe, test } from "node:test";
import { writeHeader } from "../../src/protocol/frame_header.ts";
import type { Hybi } from "../../src/protocol/hybi.ts";
import { BY_REFERENCE, Output } from "../../src/protocol/output.ts";
import { bytes, hex } from "./hixie_cases.ts";
import { type HybiEvent, pattern } from "./hybi_frames.ts";
import { client, receiveAll, server } from "./hybi_receive.ts";

function written(write: (output: Output) => void): Uint8Array {
  const output = new Output();
  write(output);
  return output.take();
}

/** Sizes near those at which the header format or the code path for writing changes. */
const SIZES = [0, 1, 15, 16, 17, 63, 64, 65, 124, 125, 126, 127, 1000, 16383, 16384, 16385].concat(
  [21845, 65534, 65535, 65536, 65537, 200_000],
);

/** The unmasked header of RFC 6455 §5.2. */
function header(first: number, length: number): Uint8Array {
  if (length < 126) return Uint8Array.of(first, length);
  const [code, size] = length < 65536 ? [126, 2] : [127, 8];
  const digits = length.toString(16).padStart(size * 2, "0");
  return bytes(Uint8Array.of(first, code), hex(digits));
}

describe("a server writes", () => {
  test("the unmasked frames of the examples in §5.7", () => {
    const hello = bytes("Hello");
    assertEquals(
      written((output) => server().writeText(output, "Hello")),
      hex("81 05 48 65 6c 6c 6f"),
    );
    assertEquals(
      written((output) => server().writePing(output, hello)),
      hex("89 05 48 65 6c 6c 6f"),
    );
    assertEquals(
      written((output) => server().writePong(output, hello)),
      hex("8a 05 48 65 6c 6c 6f"),
    );
    const heads = [[256, "82 7E 01 00"], [65536, "82 7F 00 00 00 00 00 01 00 00"]] as const;
    for (const [size, head] of heads) {
      const frame = written((output) => server().writeBinary(output, pattern(size)));
      assertEquals(frame, bytes(hex(head), pattern(size)));
    }
  });

  test("binary messages of every size", () => {
    for (const size of SIZES) {
      const frame = written((output) => server().writeBinary(output, pattern(size)));
      assertEquals(frame, bytes(header(0x82, size), pattern(size)), `${size} bytes`);
    }
  });

  test("texts of every size, with characters of one to four bytes", () => {
    for (const size of SIZES) {
      for (const character of ["a", "é", "世", "😀", "\ud800", "a\udc00"]) {
        for (const message of [character.repeat(size), "a".repeat(size) + character]) {
          const payload = new TextEncoder().encode(message);
          const frame = written((output) => server().writeText(output, message));
          assertEquals(
            frame,
            bytes(header(0x81, payload.length), payload),
            `${size} of ${character}`,
          );
        }
      }
    }
  });

  test("frames one after the other", () => {
    const output = new Output();
    const expected: Uint8Array[] = [];
    for (const size of [3, 70_000, 0, 130, 65_536, 65_537, 1]) {
      server().writeBinary(output, pattern(size));
      server().writeText(output, "é".repeat(size));
      server().writePing(output, bytes("p"));
      const text = bytes("é".repeat(size));
      expected.push(header(0x82, size), pattern(size), header(0x81, text.length), text);
      expected.push(hex("89 01 70"));
    }
    assertEquals(output.size, bytes(...expected).length);
    assertEquals(output.take(), bytes(...expected));
  });

  test("large binary messages without copying them", () => {
    for (const size of [BY_REFERENCE - 1, BY_REFERENCE]) {
      const message = new Uint8Array(size);
      const output = new Output();
      server().writeBinary(output, message);
      assertEquals([...output].includes(message), size === BY_REFERENCE);
    }
  });

  test("lengths of more than 32 bits", () => {
    const frame = new Uint8Array(10);
    writeHeader(frame, 0, 0x82, 0, 2 ** 53 - 1);
    assertEquals(frame, hex("82 7F 00 1F FF FF FF FF FF FF"));
    writeHeader(frame, 0, 0x82, 0x80, 2 ** 32);
    assertEquals(frame, hex("82 FF 00 00 00 01 00 00 00 00"));
  });

  test("pings and pongs of 125 bytes at most", () => {
    for (const write of ["writePing", "writePong"] as const) {
      const payload = pattern(125);
      const frame = written((output) => server()[write](output, payload));
      assertEquals(frame, bytes(Uint8Array.of(write === "writePing" ? 0x89 : 0x8a, 125), payload));
      assertThrows(
        () => written((output) => server()[write](output, pattern(126))),
        RangeError,
        "Cannot send a control frame: payload must have at most 125 bytes, got 126 (RFC 6455 §5.5)",
      );
    }
  });

  test("the same bytes for every connection, and says so with its format", () => {
    assertStrictEquals(server().format, "hybi");
    assertStrictEquals(client().format, undefined);
  });
});

describe("writeClose", () => {
  test("writes a code and a reason, or nothing", () => {
    const close = (code?: number, reason = "") =>
      written((output) => server().writeClose(output, code, reason));
    assertEquals(close(), hex("88 00"));
    assertEquals(close(1000), hex("88 02 03 E8"));
    assertEquals(close(1001, "é"), hex("88 04 03 E9 C3 A9"));
    assertEquals(close(4999, "*".repeat(123)), bytes(hex("88 7D 13 87"), "*".repeat(123)));
    assertEquals(close(1000, "\ud800"), hex("88 05 03 E8 EF BF BD"));
  });

  test("writes nothing if it throws", () => {
    const output = new Output();
    assertThrows(() => server().writeClose(output, 1005, ""), RangeError);
    assertEquals(output.size, 0);
  });
});

test("every version has binary messages and a close frame", () => {
  for (const { hasBinary, hasCloseFrame, expectsCloseFrame } of [server(), client()]) {
    assert(hasBinary);
    assert(hasCloseFrame);
    assert(expectsCloseFrame);
  }
});

describe("a client writes", () => {
  const messages: readonly [
    string,
    (hybi: Hybi, output: Output, size: number) => void,
    (size: number) => HybiEvent,
  ][] = [
    [
      "text",
      (hybi, output, size) => hybi.writeText(output, "é".repeat(size)),
      (size) => ["text", "é".repeat(size)],
    ],
    [
      "binary",
      (hybi, output, size) => hybi.writeBinary(output, pattern(size)),
      (size) => ["binary", pattern(size)],
    ],
  ];

  for (const [name, write, event] of messages) {
    test(`${name} messages masked, so that a server receives them`, () => {
      for (const size of SIZES) {
        const frame = written((output) => write(client(), output, size));
        const [, second = 0] = frame;
        assertEquals(second & 0x80, 0x80);
        assertEquals(receiveAll(server(), [frame]).events, [event(size)]);
      }
    });
  }

  test("with the length in the fewest bytes", () => {
    for (const size of SIZES) {
      const frame = written((output) => client().writeBinary(output, pattern(size)));
      assertEquals(frame.length, header(0, size).length + 4 + size);
    }
  });

  test("control frames masked", () => {
    const frames = written((output) => {
      client().writePing(output, bytes("a"));
      client().writePong(output, bytes("b"));
      client().writeClose(output, 1000, "c");
    });
    assertEquals(receiveAll(server(), [frames]).events, [
      ["ping", bytes("a")],
      ["pong", bytes("b")],
      ["close", 1000, "c"],
    ]);
  });

  test("without changing the caller's bytes", () => {
    for (const size of SIZES) {
      const message = pattern(size);
      written((output) => client().writeBinary(output, message));
      assertEquals(message, pattern(size));
    }
  });

  test("a new masking key for each frame (§5.3)", () => {
    const keys = new Set<string>();
    for (let i = 0; i < 1000; i++) {
      const frame = written((output) => client().writeText(output, "a"));
      keys.add(`${frame.slice(2, 6)}`);
    }
    assert(keys.size >= 998, `${keys.size} different keys of 1000`);
    const frames = [1, 2].map(() => written((output) => client().writeText(output, "abcdefgh")));
    assertNotEquals(frames[0], frames[1]);
  });
});
