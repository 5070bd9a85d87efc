/**
 * Rows of RFC 6455 about closing, limits and UTF-8; see `hybi_cases.ts`.
 *
 * @module
 */
import { bytes, hex } from "./hixie_cases.ts";
import {
  begin,
  binary,
  close,
  continuation,
  failure,
  frame,
  type HybiCase,
  pattern,
  ping,
  row,
  text,
} from "./hybi_frames.ts";
import { UTF8_CASES, type Utf8Case } from "./utf8_cases.ts";

/** The close codes that RFC 6455 §7.4 and its registry allow on the wire. */
export const CLOSE_CODES = [
  1000,
  1001,
  1002,
  1003,
  1007,
  1008,
  1009,
  1010,
  1011,
  1012,
  1013,
  1014,
  3000,
  3999,
  4000,
  4999,
];
/** Close codes that must not be on the wire. */
export const NO_CLOSE_CODES = [
  0,
  1,
  999,
  1004,
  1005,
  1006,
  1015,
  1016,
  1100,
  2000,
  2999,
  5000,
  65535,
];

/** The close frame (§5.5.1, §7.4). */
export const CLOSING_CASES: readonly HybiCase[] = [
  row("5.5.1", "AB 7.3.1: a close frame without payload", [close()], [["close", undefined, ""]]),
  failure("5.5.1", "AB 7.3.2: a close frame of one byte", [[], close(undefined, "a")], [1002, 7]),
  row("5.5.1", "AB 7.3.3: a code", [close(1000)], [["close", 1000, ""]]),
  row("5.5.1", "AB 7.3.4: a code and a reason", [close(1000, "Hello World!")], [
    ["close", 1000, "Hello World!"],
  ]),
  row("5.5.1", "AB 7.3.5: a reason of 123 bytes", [close(1000, "*".repeat(123))], [
    ["close", 1000, "*".repeat(123)],
  ]),
  failure("5.5", "AB 7.3.6: a reason of 124 bytes", [[], close(1000, "*".repeat(124))], [1002, 2]),
  row("5.5.1", "a reason that is not ASCII", [close(4000, "Adiós 👋")], [[
    "close",
    4000,
    "Adiós 👋",
  ]]),
  row("5.5.1", "a reason with a byte order mark", [close(4000, "\ufeffa")], [[
    "close",
    4000,
    "\ufeffa",
  ]]),
  failure("5.5.1", "AB 7.5.1: a reason that is not UTF-8", [
    [],
    close(1000, hex("CE BA E1 BD B9 CF 83 CE BC CE B5 ED A0 80 65 64 69 74 65 64")),
  ], [1007, 28]),
  failure("5.5.1", "a reason that ends inside a character", [[], close(1000, hex("E4 B8"))], [
    1007,
    10,
  ]),
  ...CLOSE_CODES.map((code) =>
    row("7.4", `AB 7.7: code ${code}`, [close(code, "x")], [["close", code, "x"]])
  ),
  ...NO_CLOSE_CODES.map((code) =>
    failure("7.4", `AB 7.9, 7.13: code ${code}`, [[], close(code, "x")], [1002, 9])
  ),
  row("5.5.1", "AB 7.1.1: a text, then the close frame", [text("Hello, world!"), close(1000)], [
    ["text", "Hello, world!"],
    ["close", 1000, ""],
  ]),
  row("5.5.1", "AB 7.1.2: a second close frame is discarded", [close(1000), close(1001)], [
    ["close", 1000, ""],
  ]),
  row("5.5.1", "AB 7.1.3, 7.1.4: a ping and a text after it are discarded", [
    close(1000),
    ping(""),
    text("too late"),
  ], [["close", 1000, ""]]),
  row("5.5.1", "AB 7.1.5: inside a message, the rest of which is discarded", [
    begin("a"),
    close(1000),
    continuation("b", true),
  ], [["close", 1000, ""]]),
  row("5.5.1", "AB 7.1.6: 256 KiB, the close frame, a ping", [
    binary(pattern(256 * 1024)),
    close(1000),
    ping(""),
  ], [["binary", pattern(256 * 1024)], ["close", 1000, ""]]),
  row("5.5.1", "a broken rule after it is discarded too", [
    close(1000),
    hex("FF FF FF FF FF FF FF FF FF FF FF FF FF FF FF FF"),
  ], [["close", 1000, ""]]),
];

/** The limits, at N and at N + 1. */
export const LIMIT_CASES: readonly HybiCase[] = [
  row("7.4.1", "a text of maxMessageSize", [text("abcd")], [["text", "abcd"]], {
    maxMessageSize: 4,
  }),
  failure("7.4.1", "a text of maxMessageSize + 1", [[], text("abcde")], [1009, 2], {
    maxMessageSize: 4,
  }),
  row("7.4.1", "a text of 125 bytes, if these are allowed", [text("*".repeat(125))], [[
    "text",
    "*".repeat(125),
  ]], {
    maxMessageSize: 125,
  }),
  failure("7.4.1", "a text of 126", [[], text("*".repeat(126))], [1009, 4], {
    maxMessageSize: 125,
  }),
  failure("7.4.1", "a message of 65537", [[], binary(new Uint8Array(65537))], [1009, 10], {
    maxMessageSize: 65536,
  }),
  row("7.4.1", "frames of maxMessageSize in all", [begin("ab"), continuation("cd", true)], [
    ["text", "abcd"],
  ], { maxMessageSize: 4 }),
  failure("7.4.1", "frames of maxMessageSize + 1 in all", [
    [begin("ab")],
    continuation("cde", true),
  ], [
    1009,
    2,
  ], {
    maxMessageSize: 4,
  }),
  row("7.4.1", "control frames are not counted", [
    begin("ab"),
    ping("more than 4"),
    continuation("cd", true),
  ], [
    ["ping", bytes("more than 4")],
    ["text", "abcd"],
  ], { maxMessageSize: 4 }),
  row(
    "7.4.1",
    "each message is counted for itself",
    [
      ...[begin("ab"), continuation("cd", true)],
      ...[begin("ab"), continuation("cd", true)],
      ...[text("abcd"), text("abcd")],
    ],
    [["text", "abcd"], ["text", "abcd"], ["text", "abcd"], ["text", "abcd"]],
    {
      maxMessageSize: 4,
      maxFragments: 2,
    },
  ),
  row("7.4.1", "messages of 0 and 1 bytes, if none may be longer", [text(""), text("a")], [
    ["text", ""],
    ["text", "a"],
  ], {
    maxMessageSize: 1,
  }),
  row(
    "7.4.1",
    "maxFragments frames",
    [begin(""), continuation("", false), continuation("", true)],
    [
      ["text", ""],
    ],
    { maxFragments: 3 },
  ),
  failure(
    "7.4.1",
    "one frame more",
    [
      [begin(""), continuation("", false), continuation("", false)],
      continuation("", true),
    ],
    [1009, 2],
    { maxFragments: 3 },
  ),
];

/**
 * A text in two frames; the first frame has `at` bytes of the payload. Invalid UTF-8 fails in the frame
 * of the first wrong byte. An incomplete character fails at the end of the second frame.
 */
export function inTwoFrames({ name, payload, message, fatal }: Utf8Case, at: number): HybiCase {
  const title = `${name}, in two frames at ${at}`;
  const frames = [begin(payload.subarray(0, at)), continuation(payload.subarray(at), true)];
  if (message !== undefined) return row("8.1", title, frames, [["text", message]]);
  const after = fatal === undefined ? 12 + payload.length : (fatal <= at ? 6 : 12) + fatal;
  return failure("8.1", title, [[], bytes(...frames)], [1007, after]);
}

/** A text with a frame for each byte. Invalid UTF-8 fails at the first wrong byte. */
function byteByByte({ name, payload, message, fatal }: Utf8Case): HybiCase {
  const title = `${name}, each byte in a frame`;
  const frames = Array.from(
    payload,
    (byte, i) =>
      frame({
        opcode: i === 0 ? 1 : 0,
        fin: i === payload.length - 1,
        payload: Uint8Array.of(byte),
      }),
  );
  if (message !== undefined) return row("8.1", title, frames, [["text", message]]);
  return failure("8.1", title, [[], bytes(...frames)], [1007, 7 * (fatal ?? payload.length)]);
}

/** Valid and invalid texts in one frame, in two frames, and in many. */
export const TEXT_CASES: readonly HybiCase[] = UTF8_CASES.flatMap((one) => {
  const { name, payload, message, fatal } = one;
  const whole = message !== undefined
    ? row("8.1", name, [text(payload)], [["text", message]])
    : failure("8.1", name, [[], text(payload)], [1007, 6 + (fatal ?? payload.length)]);
  return [whole, inTwoFrames(one, payload.length >> 1), byteByByte(one)];
});
