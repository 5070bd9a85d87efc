/**
 * Seeded frames of a client: valid ones, and ones that break each rule.
 *
 * @module
 */
import { type Dice, mutate, randomBytes, randomLength, randomText } from "../../fuzz/mutate.ts";
import { deflate } from "../../protocol/deflate_cases.ts";
import { bytes, hex, lengthFrame } from "../../protocol/hixie_cases.ts";
import { close, frame, type FrameParts } from "../../protocol/hybi_frames.ts";
import { UTF8_CASES } from "../../protocol/utf8_cases.ts";
import type { Conversation } from "./conversation.ts";
import { LIMIT } from "./subjects.ts";

type Frames = readonly Uint8Array[];

const encoder = new TextEncoder();

function pick<Item>(next: Dice, items: readonly Item[]): Item {
  return items[next(items.length)] as Item; // the lists are not empty
}

/** A payload of random text or bytes, and its opcode. */
function content(next: Dice): { opcode: 1 | 2; payload: Uint8Array } {
  const length = randomLength(next);
  return next(2) === 0
    ? { opcode: 1, payload: encoder.encode(randomText(next, length)) }
    : { opcode: 2, payload: randomBytes(next, length) };
}

function control(next: Dice): Uint8Array {
  const payload = randomBytes(next, pick(next, [0, 1, 9, 125]));
  return frame({ opcode: pick(next, [9, 9, 10]), payload });
}

/** The frames of a payload, with control frames between them. */
function fragments(next: Dice, first: FrameParts, payload: Uint8Array): Frames {
  const parts = next(3) === 0 ? 2 + next(3) : 1;
  const frames: Uint8Array[] = [];
  for (let part = 0; part < parts; part++) {
    const slice = payload.slice(
      Math.floor(payload.length * part / parts),
      Math.floor(payload.length * (part + 1) / parts),
    );
    const maskingKey = randomBytes(next, 4);
    const opcode = part === 0 ? first.opcode : 0;
    frames.push(frame({ opcode, fin: part === parts - 1, payload: slice, maskingKey }));
    if (part < parts - 1 && next(3) === 0) frames.push(control(next));
  }
  return frames;
}

/** A valid message or control frame. */
function valid(next: Dice, compressed: boolean): Frames {
  if (next(4) === 0) return [control(next)];
  const { opcode, payload } = content(next);
  if (!compressed || next(2) === 0) return fragments(next, { opcode }, payload);
  return fragments(next, { opcode: 0x40 | opcode }, deflate(payload));
}

/** Close codes: each that a document assigns, and those at the edges of the ranges. */
const CODES = [
  ...[0, 1, 999, 1000, 1001, 1002, 1003, 1004, 1005, 1006, 1007, 1008, 1009, 1010, 1011, 1012],
  ...[1013, 1014, 1015, 1016, 1100, 1999, 2000, 2999, 3000, 3999, 4000, 4999, 5000, 65_535],
];

const INVALID_UTF8 = UTF8_CASES.filter(({ message }) => message === undefined)
  .map(({ payload }) => payload);

/** A close frame of any kind. */
function anyClose(next: Dice): Frames {
  const reasons = ["", "bye", "é日👋", "x".repeat(123), "x".repeat(124), hex("C3"), hex("FF 61")];
  const kind = next(8);
  if (kind === 0) return [close()];
  if (kind === 1) return [frame({ opcode: 8, payload: hex("03") })];
  return [close(pick(next, CODES), pick(next, kind < 5 ? [""] : reasons))];
}

/** The faults of a client, by name. */
const FAULTS: Readonly<Record<string, (next: Dice) => Frames>> = {
  "a reserved opcode": (next) => [
    frame({ opcode: pick(next, [3, 4, 5, 6, 7, 11, 12, 13, 14, 15]), payload: "abc" }),
  ],
  "reserved bits": (next) => [
    frame({ opcode: (1 + next(7)) << 4 | pick(next, [0, 1, 2, 8, 9, 10]), payload: "abc" }),
  ],
  "no mask": (next) => [
    frame({ opcode: pick(next, [1, 2, 8, 9, 10]), payload: "", maskingKey: null }),
    frame({ opcode: 1, payload: "abc", maskingKey: null }),
  ],
  "a fragmented control frame": (next) => [
    frame({ opcode: pick(next, [8, 9, 10]), fin: false, payload: "ab" }),
    frame({ opcode: 0, payload: "c" }),
  ],
  "a long control frame": (next) => [
    frame({
      opcode: pick(next, [8, 9, 10]),
      payload: new Uint8Array(pick(next, [126, 200, 70_000])),
    }),
  ],
  "a length in too many bytes": (next) => [
    frame({
      opcode: pick(next, [1, 2, 8, 9]),
      payload: "x".repeat(pick(next, [0, 2, 125])),
      lengthSize: pick(next, [2, 8]),
    }),
  ],
  "a huge length": (next) => [
    frame({ opcode: 1 + next(2), payload: "abc", length: pick(next, [2 ** 31, 2 ** 32, 2 ** 52]) }),
  ],
  "a length with its highest bit": () => [hex("81 FF 80 00 00 00 00 00 00 01 00 00 00 00 61")],
  "a continuation of nothing": (next) => [frame({ opcode: 0, fin: next(2) === 0, payload: "a" })],
  "a message inside a message": (next) => [
    frame({ opcode: 1 + next(2), fin: false, payload: "a" }),
    frame({ opcode: 1 + next(2), payload: "b" }),
  ],
  "a text that is not UTF-8": (next) =>
    fragments(next, { opcode: 1 }, bytes("ab", pick(next, INVALID_UTF8), next(2) === 0 ? "c" : "")),
  "a message over the limit": (next) =>
    fragments(next, { opcode: 2 }, new Uint8Array(LIMIT + pick(next, [0, 1, 2, 1000]))),
  "a close frame": anyClose,
  "changed bytes": (next) => valid(next, false).map((each) => mutate(next, each)),
  "random bytes": (next) => [randomBytes(next, 1 + next(60))],
};

/** The faults of a client that compresses. */
const DEFLATE_FAULTS: Readonly<Record<string, (next: Dice) => Frames>> = {
  "no DEFLATE": (next) => fragments(next, { opcode: 0x41 + next(2) }, randomBytes(next, next(40))),
  "changed DEFLATE": (next) =>
    fragments(next, { opcode: 0x41 + next(2) }, mutate(next, deflate(randomText(next, 200)))),
  "a compressed text that is not UTF-8": (next) =>
    fragments(next, { opcode: 0x41 }, deflate(pick(next, INVALID_UTF8))),
  "RSV1 in a continuation": () => [
    frame({ opcode: 0x41, fin: false, payload: deflate("abc") }),
    frame({ opcode: 0x40, payload: "" }),
  ],
  "a compressed message over the limit": (next) => [
    frame({ opcode: 0x42, payload: deflate(new Uint8Array(LIMIT + pick(next, [0, 1, 100_000]))) }),
  ],
  "an empty payload": () => [frame({ opcode: 0x41 }), frame({ opcode: 1, payload: "after" })],
  "a last block": (next) => [
    frame({ opcode: 0x41, payload: hex("F3 48 CD C9 C9 07 00 00") }),
    ...valid(next, true),
  ],
};

/** Frames of RFC 6455: valid ones, mostly one fault, more valid ones, and a close frame. */
export function hybiConversation(next: Dice, deflate: boolean): Conversation {
  const frames: Uint8Array[] = [];
  const faults = deflate ? { ...FAULTS, ...DEFLATE_FAULTS } : FAULTS;
  for (let count = next(3); count > 0; count--) frames.push(...valid(next, deflate));
  if (next(6) > 0) frames.push(...pick(next, Object.values(faults))(next));
  for (let count = next(3); count > 0; count--) frames.push(...valid(next, deflate));
  if (next(2) === 0) frames.push(...anyClose(next));
  return { version: "rfc6455", deflate, frames, ...manner(next) };
}

/** How the bytes are split, and how the connection ends. */
function manner(next: Dice): Pick<Conversation, "split" | "end"> {
  return { split: next(3) === 0 ? 0 : 1 + next(1 << 30), end: next(8) === 0 ? "reset" : "fin" };
}

/** One frame of draft75 or draft76. */
function hixieFrame(next: Dice): Uint8Array {
  const kind = next(10);
  const text = encoder.encode(randomText(next, randomLength(next)));
  if (kind < 4) return bytes(hex("00"), text, hex("FF"));
  if (kind === 4) return bytes(Uint8Array.of(1 + next(127)), text, hex("FF"));
  if (kind === 5) return bytes(hex("00"), "ab", pick(next, INVALID_UTF8), "c", hex("FF"));
  const type = pick(next, [0x80, 0xfe, 0x80 + next(127)]);
  if (kind === 6) return lengthFrame(type, new Uint8Array(pick(next, [0, 0, 1, 128])));
  if (kind === 7) return lengthFrame(type, randomBytes(next, next(200)));
  if (kind === 8) return bytes(Uint8Array.of(0x80 + next(128)), hex("80 80 03 41 42 43"));
  return pick(next, [
    hex("FF 00"),
    hex("FF 01 41"),
    hex("FF 80 00"),
    mutate(next, bytes(hex("00"), text, hex("FF"))),
    randomBytes(next, 1 + next(30)),
    bytes(hex("00"), new Uint8Array(LIMIT + next(3)).fill(0x61), hex("FF")),
  ]);
}

/** Frames of draft75 or draft76. */
export function hixieConversation(next: Dice, version: "draft75" | "draft76"): Conversation {
  const frames = Array.from({ length: 1 + next(6) }, () => hixieFrame(next));
  if (next(2) === 0) frames.push(hex("FF 00"));
  return { version, deflate: false, frames, ...manner(next) };
}
