/**
 * Bytes that a client may send after the handshake of RFC 6455, and the events that must be received.
 *
 * The expected events do not depend on how the bytes are split. So the rows test the protocol alone as
 * well as a server with a socket. "AB 5.1" names the case of the Autobahn test suite that a row covers.
 *
 * @module
 */
import { bytes, hex } from "./hixie_cases.ts";
import { CLOSING_CASES, LIMIT_CASES, TEXT_CASES } from "./hybi_closing_cases.ts";
import {
  begin,
  binary,
  continuation,
  failure,
  frame,
  type HybiCase,
  type HybiEvent,
  pattern,
  ping,
  pong,
  row,
  text,
} from "./hybi_frames.ts";

const SIZES = [0, 1, 2, 3, 4, 5, 7, 47, 48, 49, 125, 126, 127, 128, 1023, 1024, 65535, 65536];

const framing: HybiCase[] = SIZES.flatMap((size) => [
  row("5.6", `AB 1.1: a text of ${size} bytes`, [text("*".repeat(size))], [
    ["text", "*".repeat(size)],
  ]),
  row("5.6", `AB 1.2: a binary message of ${size} bytes`, [binary(pattern(size))], [
    ["binary", pattern(size)],
  ]),
]);

const examples: HybiCase[] = [
  row("5.7", "the masked text of the examples", [hex("81 85 37 FA 21 3D 7F 9F 4D 51 58")], [
    ["text", "Hello"],
  ]),
  row("5.7", "the masked pong of the examples", [hex("8A 85 37 FA 21 3D 7F 9F 4D 51 58")], [
    ["pong", bytes("Hello")],
  ]),
  row("5.3", "a masking key of zeros", [
    frame({ opcode: 1, payload: "abc", maskingKey: new Uint8Array(4) }),
  ], [["text", "abc"]]),
  row("5.3", "a masking key of its own for each frame", [
    frame({ opcode: 1, payload: "one", fin: false, maskingKey: hex("01 02 03 04") }),
    frame({ opcode: 0, payload: "two", maskingKey: hex("FF FE FD FC") }),
  ], [["text", "onetwo"]]),
  row("5.2", "two texts, one after the other", [text("a"), text("bc")], [["text", "a"], [
    "text",
    "bc",
  ]]),
  row(
    "5.2",
    "forty short texts one after the other",
    Array.from({ length: 40 }, (_, i) => text(`message ${i}`)),
    Array.from({ length: 40 }, (_, i) => ["text", `message ${i}`]),
  ),
  row(
    "5.6",
    "ASCII and other texts one after the other",
    ["a", "é", "b", "c", "世", "😀", "", "d"].map(text),
    [
      ...["a", "é", "b", "c", "世", "😀", "", "d"].map((payload) => ["text", payload] as const),
    ],
  ),
  row(
    "5.6",
    "texts and binary messages in turns",
    [text("a"), binary("b"), text("c"), binary("")],
    [
      ["text", "a"],
      ["binary", bytes("b")],
      ["text", "c"],
      ["binary", bytes()],
    ],
  ),
  row("5.2", "a header without its payload", [text("abc").subarray(0, 6)], []),
  row("5.2", "a payload without its end", [text("abc").subarray(0, 8)], []),
];

const control: HybiCase[] = [
  row("5.5.2", "AB 2.1: a ping without payload", [ping("")], [["ping", bytes()]]),
  row("5.5.2", "AB 2.2: a ping with a text", [ping("Hello, world!")], [
    ["ping", bytes("Hello, world!")],
  ]),
  row("5.5.2", "AB 2.3: a ping with bytes that are not UTF-8", [
    ping(hex("00 FF FE FD FC FB 00 FF")),
  ], [
    ["ping", hex("00 FF FE FD FC FB 00 FF")],
  ]),
  row("5.5", "AB 2.4, 2.6: a ping of 125 bytes", [ping(new Uint8Array(125).fill(0xfe))], [
    ["ping", new Uint8Array(125).fill(0xfe)],
  ]),
  failure("5.5", "AB 2.5: a ping of 126 bytes", [[], ping(new Uint8Array(126))], [1002, 2]),
  failure("5.5", "a ping with a length of 8 bytes", [[], frame({ opcode: 9, lengthSize: 8 })], [
    1002,
    2,
  ]),
  failure("5.5", "a pong of 126 bytes", [[], pong(new Uint8Array(126))], [1002, 2]),
  row("5.5.3", "AB 2.7: an unsolicited pong", [pong("")], [["pong", bytes()]]),
  row("5.5.3", "AB 2.8: a pong with payload", [pong("unsolicited"), ping("x")], [
    ["pong", bytes("unsolicited")],
    ["ping", bytes("x")],
  ]),
  row(
    "5.5.2",
    "AB 2.10, 2.11: ten pings",
    Array.from({ length: 10 }, (_, i) => ping(`payload-${i}`)),
    Array.from({ length: 10 }, (_, i) => ["ping", bytes(`payload-${i}`)]),
  ),
];

/** A text that is received before the connection fails. */
const EARLIER = text("Hello, world!");
const EARLIER_EVENT: HybiEvent = ["text", "Hello, world!"];

const reserved: HybiCase[] = [1, 2, 3, 4, 5, 6, 7].flatMap((bits) => {
  const opcode = bits << 4;
  return [1, 2, 8, 9, 10].map((kind) =>
    failure(
      "5.2",
      `AB 3.${bits}: reserved bits ${bits} with opcode ${kind}`,
      [[EARLIER], frame({ opcode: opcode | kind, payload: "abc" })],
      [1002, 1],
      { events: [EARLIER_EVENT] },
    )
  );
});

const opcodes: HybiCase[] = [3, 4, 5, 6, 7, 11, 12, 13, 14, 15].flatMap((opcode, i) => {
  const name = `AB 4.${opcode < 8 ? 1 : 2}.${i % 5 + 1}: opcode ${opcode}`;
  const broken = frame({ opcode, payload: "abc" });
  return [
    failure("5.2", name, [[], broken], [1002, 1]),
    failure("5.2", `${name} after a text`, [[EARLIER], broken], [1002, 1], {
      events: [EARLIER_EVENT],
    }),
    failure("5.2", `${name} inside a message`, [[begin("a")], broken], [1002, 1]),
  ];
});

const lengths: HybiCase[] = [
  ...[0, 1, 125].map((length) =>
    failure(
      "5.2",
      `a length of ${length} in 2 bytes`,
      [[], frame({ opcode: 1, payload: new Uint8Array(length), lengthSize: 2 })],
      [1002, 4],
    )
  ),
  ...[0, 125, 126, 65535].map((length) =>
    failure(
      "5.2",
      `a length of ${length} in 8 bytes`,
      [[], frame({ opcode: 2, payload: new Uint8Array(length), lengthSize: 8 })],
      [1002, 10],
    )
  ),
  failure("5.2", "a length of 2^63", [[], hex("82 FF 80 00 00 00 00 00 00 00 37 FA 21 3D")], [
    1002,
    10,
  ]),
  failure("5.2", "a length of 2^64 - 1", [[], hex("82 FF FF FF FF FF FF FF FF FF 37 FA 21 3D")], [
    1002,
    10,
  ]),
  failure("7.4.1", "a length of 2^63 - 1", [[], hex("82 FF 7F FF FF FF FF FF FF FF 37 FA 21 3D")], [
    1009,
    10,
  ]),
  failure("7.4.1", "a length of 2^32", [[], hex("81 FF 00 00 00 01 00 00 00 00 37 FA 21 3D")], [
    1009,
    10,
  ]),
];

const masking: HybiCase[] = [
  ...[1, 2, 8, 9, 10].map((opcode) =>
    failure(
      "5.1",
      `an unmasked frame of opcode ${opcode}`,
      [[EARLIER], frame({ opcode, payload: "abc", maskingKey: null })],
      [1002, 2],
      { events: [EARLIER_EVENT] },
    )
  ),
  failure("5.1", "an unmasked frame inside a message", [
    [begin("a")],
    frame({ opcode: 0, payload: "b", maskingKey: null }),
  ], [1002, 2]),
  failure(
    "5.1",
    "an unmasked frame without payload",
    [[], frame({ opcode: 1, maskingKey: null })],
    [1002, 2],
  ),
  failure("5.1", "an unmasked frame with a long length", [
    [],
    frame({ opcode: 2, payload: new Uint8Array(70000), maskingKey: null }),
  ], [1002, 2]),
  failure(
    "5.1",
    "an unmasked text of the longest kind behind texts that are received at once",
    [
      [EARLIER, EARLIER, EARLIER],
      frame({ opcode: 1, payload: "a".repeat(70000), maskingKey: null }),
    ],
    [1002, 2],
    { events: [EARLIER_EVENT, EARLIER_EVENT, EARLIER_EVENT] },
  ),
];

const fragmentation: HybiCase[] = [
  failure("5.5", "AB 5.1: a fragmented ping", [[], frame({ opcode: 9, fin: false })], [1002, 1]),
  failure("5.5", "AB 5.2: a fragmented pong", [[], frame({ opcode: 10, fin: false })], [1002, 1]),
  failure("5.5", "a fragmented close frame", [[], frame({ opcode: 8, fin: false })], [1002, 1]),
  row("5.4", "AB 5.3: a text in two frames", [begin("frag1"), continuation("frag2", true)], [
    ["text", "frag1frag2"],
  ]),
  row("5.4", "a binary message in three frames", [
    begin(hex("00 FF"), 2),
    continuation("", false),
    continuation(hex("80"), true),
  ], [["binary", hex("00 FF 80")]]),
  row("5.4", "AB 5.6, 5.7: a ping inside a message", [
    begin("frag1"),
    ping("ping"),
    continuation("frag2", true),
  ], [["ping", bytes("ping")], ["text", "frag1frag2"]]),
  row("5.4", "a pong inside a message", [begin("a"), pong(""), continuation("b", true)], [
    ["pong", bytes()],
    ["text", "ab"],
  ]),
  row("5.4", "AB 5.19, 5.20: pings inside a message of five frames", [
    begin("1"),
    continuation("2", false),
    ping("a"),
    continuation("3", false),
    continuation("4", false),
    ping("b"),
    continuation("5", true),
  ], [["ping", bytes("a")], ["ping", bytes("b")], ["text", "12345"]]),
  ...[true, false].flatMap((fin) => [
    failure(
      "5.4",
      `AB 5.9 to 5.12: a continuation with nothing to continue, FIN ${fin}`,
      [[], continuation("a", fin)],
      [1002, 1],
    ),
    failure(
      "5.4",
      `AB 5.13, 5.14: a continuation after a whole message, FIN ${fin}`,
      [[EARLIER], continuation("a", fin)],
      [1002, 1],
      { events: [EARLIER_EVENT] },
    ),
    failure(
      "5.4",
      `AB 5.15: a continuation after a fragmented message, FIN ${fin}`,
      [[begin("a"), continuation("b", true)], continuation("c", fin)],
      [1002, 1],
      { events: [["text", "ab"]] },
    ),
    failure(
      "5.4",
      `AB 5.16, 5.17: a text that begins with a continuation, FIN ${fin}`,
      [[], bytes(continuation("a", fin), begin("b"), continuation("c", true))],
      [1002, 1],
    ),
    failure(
      "5.4",
      `AB 5.18: a text inside a text, FIN ${fin}`,
      [[begin("a")], frame({ opcode: 1, payload: "b", fin })],
      [1002, 1],
    ),
    failure(
      "5.4",
      `a binary message inside a text, FIN ${fin}`,
      [[begin("a"), continuation("b", false), ping("")], frame({ opcode: 2, payload: "b", fin })],
      [1002, 1],
      { events: [["ping", bytes()]] },
    ),
  ]),
  row("5.4", "AB 6.1.2, 6.1.3: empty frames around a payload", [
    begin(""),
    continuation("middle frame payload", false),
    continuation("", true),
  ], [["text", "middle frame payload"]]),
  row("5.4", "AB 6.1.2: three empty frames", [
    begin(""),
    continuation("", false),
    continuation("", true),
  ], [
    ["text", ""],
  ]),
  row("5.4", "three empty binary frames", [
    begin("", 2),
    continuation("", false),
    continuation("", true),
  ], [["binary", bytes()]]),
  row("5.4", "AB 10.1.1: 65536 bytes in frames of 1300", [
    begin("*".repeat(1300)),
    ...Array.from({ length: 49 }, () => continuation("*".repeat(1300), false)),
    continuation("*".repeat(65536 - 50 * 1300), true),
  ], [["text", "*".repeat(65536)]]),
  row("5.4", "a character in four frames, with pings", [
    begin(hex("F0")),
    continuation(hex("9F"), false),
    ping("1"),
    continuation(hex("98"), false),
    continuation("", false),
    continuation(hex("80"), true),
  ], [["ping", bytes("1")], ["text", "😀"]]),
];

/** Every row. */
export const HYBI_CASES: readonly HybiCase[] = [
  ...[framing, examples, control, reserved, opcodes, lengths, masking, fragmentation],
  ...[CLOSING_CASES, LIMIT_CASES, TEXT_CASES],
].flat();
