/**
 * Compressed messages (RFC 7692 §7.2), and the events that a server must receive.
 *
 * @module
 */
import { deflateRawSync, inflateRawSync } from "node:zlib";
import type { DeflateParameters } from "../../src/protocol/deflate.ts";
import { bytes, hex } from "./hixie_cases.ts";
import { HYBI_CASES } from "./hybi_cases.ts";
import { frame, type HybiCase, ping, row } from "./hybi_frames.ts";

/** Parameters that keep both windows and compress every message. */
export const WITH_CONTEXT: DeflateParameters = {
  sendsWithoutContext: false,
  receivesWithoutContext: false,
  sendWindowBits: 15,
  receiveWindowBits: 15,
  level: 6,
  memLevel: 8,
  threshold: 0,
};

const RSV1 = 0x40;
const SYNC = { finishFlush: 2 };

/** A frame of a compressed text. */
export function deflated(payload: Uint8Array, opcode = 1, fin = true): Uint8Array {
  return frame({ opcode: RSV1 | opcode, payload, fin });
}

/** Deflates a message with an empty window. Uses only zlib. */
export function deflate(payload: string | Uint8Array): Uint8Array {
  const whole = deflateRawSync(bytes(payload), SYNC);
  return whole.subarray(0, whole.length - 4);
}

/** Inflates a message with an empty window. Uses only zlib. */
export function inflate(payload: Uint8Array): Uint8Array {
  return new Uint8Array(inflateRawSync(bytes(payload, hex("00 00 FF FF")), SYNC));
}

/** The uncompressed rows, without those where RSV1 is an error: here it begins a compressed message. */
export const WITHOUT_RSV1: readonly HybiCase[] = HYBI_CASES.filter(({ name }) =>
  !/bits 4 with opcode [12]$/.test(name)
);

const HELLO = hex("F2 48 CD C9 C9 07 00");
const bomb = deflate(new Uint8Array(1 << 20));

/**
 * The longest allowed compressed form of a message of 1024 bytes, 1089 bytes: a stored block of 1023
 * bytes, 12 empty blocks, and the start of another block.
 */
const STORED = bytes(
  hex("00 FF 03 00 FC"),
  "a".repeat(1023),
  ...Array<Uint8Array>(12).fill(hex("00 00 00 FF FF")),
  hex("00"),
);

/** All rows. Sections are of RFC 7692 unless a row names another RFC. */
export const DEFLATE_CASES: readonly HybiCase[] = [
  row("7.2.3.1", "one block", [deflated(HELLO)], [["text", "Hello"]]),
  row("7.2.3.1", "one block in two frames", [
    deflated(hex("F2 48 CD"), 1, false),
    frame({ opcode: 0, payload: hex("C9 C9 07 00") }),
  ], [["text", "Hello"]]),
  row("7.2.3.1", "a ping between the frames", [
    deflated(hex("F2 48 CD"), 1, false),
    ping("x"),
    frame({ opcode: 0, payload: hex("C9 C9 07 00") }),
  ], [["ping", bytes("x")], ["text", "Hello"]]),
  row("7.2.3.2", "the window of the message before", [
    deflated(HELLO),
    deflated(hex("F2 00 11 00 00")),
  ], [["text", "Hello"], ["text", "Hello"]]),
  row("7.2.3.3", "a stored block", [
    deflated(hex("00 05 00 FA FF 48 65 6C 6C 6F 00")),
  ], [["text", "Hello"]]),
  row("7.2.3.4", "a last block", [deflated(hex("F3 48 CD C9 C9 07 00 00"))], [["text", "Hello"]]),
  row("7.2.3.4", "a message after one with a last block", [
    deflated(hex("F3 48 CD C9 C9 07 00 00")),
    deflated(hex("F2 00 11 00 00")),
  ], [["text", "Hello"], ["text", "Hello"]]),
  row("7.2.1", "blocks after a last block", [
    deflated(hex("F3 48 CD C9 C9 07 00 F3 48 CD C9 C9 07 00 00")),
  ], [["text", "HelloHello"]]),
  row("7.2.3.5", "two blocks", [
    deflated(hex("F2 48 05 00 00 00 FF FF CA C9 C9 07 00")),
  ], [["text", "Hello"]]),
  row("7.2.3.6", "an empty message", [deflated(hex("00"))], [["text", ""]]),
  row("6", "a message that is not compressed", [
    frame({ opcode: 1, payload: "plain" }),
    deflated(HELLO),
  ], [["text", "plain"], ["text", "Hello"]]),
  row("6", "binary", [deflated(deflate(hex("00 FF 80")), 2)], [["binary", hex("00 FF 80")]]),
  row("6", "text that is not ASCII", [deflated(deflate("héllo €"))], [["text", "héllo €"]]),
  row("7.2.2", "of maxMessageSize", [deflated(deflate("abcdefgh"))], [["text", "abcdefgh"]], {
    maxMessageSize: 8,
  }),
  row("7.4.1 (RFC 6455)", "longer than maxMessageSize", [deflated(deflate("aaaaaaaaa"))], [], {
    error: { code: 1009, after: deflated(deflate("aaaaaaaaa")).length },
    maxMessageSize: 8,
  }),
  row("7.4.1 (RFC 6455)", "a bomb of 1000:1", [deflated(bomb, 2)], [], {
    error: { code: 1009, after: deflated(bomb, 2).length },
    maxMessageSize: 64 * 1024,
  }),
  row("7.2.2", "the most deflated bytes", [deflated(STORED)], [["text", "a".repeat(1023)]], {
    maxMessageSize: 1024,
  }),
  row("7.4.1 (RFC 6455)", "a byte more", [deflated(bytes(STORED, hex("00")))], [], {
    error: { code: 1009, after: 4 },
    maxMessageSize: 1024,
  }),
  row(
    "7.2.2",
    "the most deflated bytes in two frames",
    [
      deflated(STORED.subarray(0, 1000), 1, false),
      frame({ opcode: 0, payload: STORED.subarray(1000) }),
    ],
    [["text", "a".repeat(1023)]],
    { maxMessageSize: 1024 },
  ),
  row(
    "7.4.1 (RFC 6455)",
    "a byte more in two frames",
    [
      deflated(STORED.subarray(0, 1000), 1, false),
      frame({ opcode: 0, payload: bytes(STORED.subarray(1000), hex("00")) }),
    ],
    [],
    { error: { code: 1009, after: 1010 }, maxMessageSize: 1024 },
  ),
  row("7.2.2", "not DEFLATE", [deflated(hex("FF FF FF"))], [], {
    error: { code: 1007, after: 9 },
  }),
  row("7.2.2", "a distance beyond the window", [deflated(hex("F2 00 11 00 00"))], [], {
    error: { code: 1007, after: 11 },
  }),
  row("8.1 (RFC 6455)", "text that is not UTF-8", [deflated(deflate(hex("48 FF")))], [], {
    error: { code: 1007, after: deflated(deflate(hex("48 FF"))).length },
  }),
  row(
    "5.2 (RFC 6455)",
    "RSV1 in a continuation",
    [
      deflated(hex("F2 48 CD"), 1, false),
      frame({ opcode: RSV1, payload: hex("C9 C9 07 00") }),
    ],
    [],
    { error: { code: 1002, after: 10 } },
  ),
  row(
    "5.2 (RFC 6455)",
    "RSV1 in a control frame",
    [frame({ opcode: RSV1 | 9, payload: "x" })],
    [],
    {
      error: { code: 1002, after: 1 },
    },
  ),
  row("5.2 (RFC 6455)", "RSV2", [frame({ opcode: 0x20 | 1, payload: "x" })], [], {
    error: { code: 1002, after: 1 },
  }),
  row("5.2 (RFC 6455)", "RSV1 and RSV3", [frame({ opcode: RSV1 | 0x10 | 1, payload: "x" })], [], {
    error: { code: 1002, after: 1 },
  }),
];
