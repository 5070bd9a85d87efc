/**
 * Frames that versions 7 and 8 allow and version 13 does not, at both ends. Each row runs whole, byte
 * by byte, and split at every position.
 *
 * @module
 */
import { assertEquals, assertThrows } from "@std/assert";
import { describe, test } from "node:test";
import { Hybi, type HybiOptions } from "../../src/protocol/hybi.ts";
import { Output } from "../../src/protocol/output.ts";
import { bytes, hex } from "./hixie_cases.ts";
import { chopped, everySplit } from "./hixie_receive.ts";
import { begin, close, frame, type FrameParts, type HybiEvent, text } from "./hybi_frames.ts";
import { LIMITS, receiveAll } from "./hybi_receive.ts";

/** A frame, the events in versions 7 and 8, and the close code in version 13 if it differs. */
type Row = readonly [name: string, parts: FrameParts, expected: HybiEvent | 1002, in13?: 1002];

const rows: readonly Row[] = [
  ...[2, 8].flatMap((lengthSize): Row[] => [
    [`a text, its length in ${lengthSize} bytes`, { opcode: 1, payload: "Hello", lengthSize }, [
      "text",
      "Hello",
    ], 1002],
    [`an empty text, its length in ${lengthSize} bytes`, { opcode: 1, lengthSize }, [
      "text",
      "",
    ], 1002],
    [
      `125 bytes, their length in ${lengthSize}`,
      {
        opcode: 2,
        payload: new Uint8Array(125),
        lengthSize,
      },
      ["binary", new Uint8Array(125)],
      1002,
    ],
    [`a ping, its length in ${lengthSize} bytes`, { opcode: 9, payload: "Hello", lengthSize }, [
      "ping",
      bytes("Hello"),
    ], 1002],
    [
      `a pong of 125 bytes, its length in ${lengthSize}`,
      {
        opcode: 10,
        payload: new Uint8Array(125),
        lengthSize,
      },
      ["pong", new Uint8Array(125)],
      1002,
    ],
    [
      `a close frame, its length in ${lengthSize} bytes`,
      {
        opcode: 8,
        payload: hex("03 E8"),
        lengthSize,
      },
      ["close", 1000, ""],
      1002,
    ],
    [
      `a ping of 126 bytes, their length in ${lengthSize}`,
      {
        opcode: 9,
        payload: new Uint8Array(126),
        lengthSize,
      },
      1002,
      1002,
    ],
  ]),
  ["126 bytes, their length in 8", { opcode: 2, payload: new Uint8Array(126), lengthSize: 8 }, [
    "binary",
    new Uint8Array(126),
  ], 1002],
  ["126 bytes, their length in 2", { opcode: 2, payload: new Uint8Array(126) }, [
    "binary",
    new Uint8Array(126),
  ]],
  [
    "a length with its most significant bit",
    { opcode: 2, lengthSize: 8, length: 2 ** 63 },
    1002,
    1002,
  ],
  ["the code 1004", { opcode: 8, payload: hex("03 EC") }, ["close", 1004, ""], 1002],
  ["the code 1004 and a reason", { opcode: 8, payload: bytes(hex("03 EC"), "too large") }, [
    "close",
    1004,
    "too large",
  ], 1002],
  ...[999, 1005, 1006, 1015, 2999, 5000].map((code): Row => [
    `the code ${code}`,
    { opcode: 8, payload: Uint8Array.of(code >> 8, code) },
    1002,
    1002,
  ]),
];

function check(options: HybiOptions, input: Uint8Array, expected: HybiEvent | 1002): void {
  const ways = input.length > 20 ? [[input], chopped(input, 1), chopped(input, 7)] : [
    [input],
    chopped(input, 1),
    ...everySplit(input),
  ];
  for (const pieces of ways) {
    const { events, error } = receiveAll(new Hybi(LIMITS, options), pieces);
    assertEquals(error?.code, expected === 1002 ? 1002 : undefined, error?.message);
    assertEquals(events, expected === 1002 ? [] : [expected]);
  }
}

for (const role of ["server", "client"] as const) {
  describe(`the ${role}'s end receives`, () => {
    for (const [name, parts, expected, in13] of rows) {
      const input = frame(role === "server" ? parts : { ...parts, maskingKey: null });
      test(`${name}, in versions 7 and 8`, () => {
        check({ role, version: "hybi-07" }, input, expected);
        check({ role, version: "hybi-08" }, input, expected);
      });

      test(`${name}, in version 13`, () => {
        check({ role, version: "rfc6455" }, input, in13 ?? expected);
        check({ role }, input, in13 ?? expected);
      });
    }
  });
}

describe("versions 7 and 8", () => {
  test("accept lengths of any size in fragments, as real clients send them", () => {
    const input = bytes(
      hex("81 FE 00 05 00 00 00 00"),
      "Hello",
      begin("a"),
      frame({ opcode: 0, payload: "b", lengthSize: 8 }),
      text("c"),
    );
    const expected: HybiEvent[] = [["text", "Hello"], ["text", "ab"], ["text", "c"]];
    for (const pieces of [[input], chopped(input, 1), ...everySplit(input)]) {
      const hybi = new Hybi(LIMITS, { role: "server", version: "hybi-08" });
      assertEquals(receiveAll(hybi, pieces).events, expected);
    }
  });

  test("compare a length in 8 bytes with maxMessageSize", () => {
    const hybi = new Hybi({ ...LIMITS, maxMessageSize: 4 }, { role: "server", version: "hybi-07" });
    const { error } = receiveAll(hybi, [frame({ opcode: 1, payload: "Hello", lengthSize: 8 })]);
    assertEquals(error?.code, 1009);
  });

  test("write the code 1004, which version 13 cannot send", () => {
    const output = new Output();
    const old = new Hybi(LIMITS, { role: "server", version: "hybi-08" });
    old.writeClose(output, 1004, "");
    assertEquals(output.take(), hex("88 02 03 EC"));
    for (const code of [1005, 1006, 1015, 999]) {
      assertThrows(() => old.writeClose(output, code, ""), RangeError, `with code ${code}`);
    }
    assertThrows(() => old.writeClose(output, 1004, "*".repeat(124)), RangeError, "got 126 ");
    const current = new Hybi(LIMITS, { role: "server" });
    assertThrows(() => current.writeClose(output, 1004, ""), RangeError, "with code 1004");
    assertEquals(receiveAll(current, [close(1000)]).events, [["close", 1000, ""]]);
  });
});
