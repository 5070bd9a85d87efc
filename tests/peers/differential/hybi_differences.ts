/**
 * The known differences in RFC 6455.
 *
 * @module
 */
import { hex } from "../../protocol/hixie_cases.ts";
import { close, frame, text } from "../../protocol/hybi_frames.ts";
import { type Difference, type Facts, FIELDS, isPrefix } from "./difference.ts";
import type { Frame } from "./frames.ts";
import { LIMIT } from "./subjects.ts";

const ALL = ["ws", "websocket-driver", "Bun.serve", "Deno.serve"] as const;
const DRIVER = ["websocket-driver"] as const;
const BUN = ["Bun.serve"] as const;
const DENO = ["Deno.serve"] as const;

/** Whether a peer that goes on has sent our pongs too, or ws has lost some; see `CLOSING`. */
function sendsOurPongs({ conversation, ours, theirs }: Facts): boolean {
  return isPrefix(ours.pongs, theirs.pongs) ||
    (conversation.deflate && theirs.sent === "none" && isPrefix(theirs.pongs, ours.pongs));
}

/** Whether we have failed the connection, and the peer goes on where we have stopped. */
function goesOn(facts: Facts, code: number): boolean {
  const { ours, theirs } = facts;
  return ours.sent === code && isPrefix(ours.messages, theirs.messages) && sendsOurPongs(facts);
}

/** Whether the peer goes on where we have failed with 1002, at the first frame of a kind. */
function acceptsA(facts: Facts, isWrong: (frame: Frame) => boolean): boolean {
  const { frames, ours } = facts;
  const before = frames.slice(0, frames.findIndex(isWrong));
  const messages = before.filter(({ opcode, fin }) => opcode < 3 && fin);
  const pings = before.filter(({ opcode }) => opcode === 9);
  return frames.some(isWrong) && goesOn(facts, 1002) &&
    messages.length === ours.messages.length && pings.length === ours.pongs.length;
}

function isLongerThanNeeded({ lengthSize, length }: Frame): boolean {
  return (lengthSize === 2 && length < 126) || (lengthSize === 8 && length < 65_536);
}

function isClose({ opcode }: Frame): boolean {
  return opcode === 8;
}

/** The code of the first complete close frame. */
function closeCode(frames: readonly Frame[]): number | undefined {
  const [high, low] = frames.find((each) => isClose(each) && each.complete)?.payload ?? [];
  return high === undefined || low === undefined ? undefined : high * 256 + low;
}

/** RFC 6455: what comes in. */
const RECEIVING: readonly Difference[] = [
  {
    peers: ALL,
    section: "RFC 6455 §5.2",
    rule: "the minimal number of bytes MUST be used to encode the length",
    ours: "fails with 1002",
    theirs: "accept the frame",
    fields: FIELDS,
    example: [frame({ opcode: 1, payload: "a", lengthSize: 2 })],
    explains: (facts) => acceptsA(facts, isLongerThanNeeded),
  },
  {
    peers: ["ws", "websocket-driver", "Bun.serve"],
    section: "RFC 6455 §5.2",
    rule: "the most significant bit of a length of 8 bytes MUST be 0",
    ours: "fails with 1002",
    theirs: "fail with 1009, as for any length over the limit",
    fields: ["sent", "told"],
    example: [hex("81 FF 80 00 00 00 00 00 00 01 00 00 00 00 61")],
    explains: ({ ours, theirs, frames }) =>
      ours.sent === 1002 && theirs.sent === 1009 && frames.some(({ length }) => length >= 2 ** 63),
  },
  {
    peers: DENO,
    section: "RFC 6455 §5.1",
    rule: "a server MUST close the connection upon a frame that is not masked",
    ours: "fails with 1002",
    theirs: "accepts the frame",
    fields: FIELDS,
    example: [frame({ opcode: 1, payload: "a", maskingKey: null })],
    explains: (facts) => acceptsA(facts, ({ masked }) => !masked),
  },
  {
    peers: DRIVER,
    section: "RFC 6455 §5.1",
    rule: "upon a frame that is not masked, a server MAY send 1002",
    ours: "sends 1002",
    theirs: "sends 1003",
    fields: ["sent", "told"],
    example: [frame({ opcode: 1, payload: "a", maskingKey: null })],
    explains: ({ ours, theirs, frames }) =>
      ours.sent === 1002 && theirs.sent === 1003 && frames.some(({ masked }) => !masked),
  },
  {
    peers: DENO,
    section: "RFC 6455 §5.5",
    rule: "a control frame MUST have a payload of 125 bytes or less",
    ours: "fails with 1002",
    theirs: "accepts a longer close frame and pong",
    fields: FIELDS,
    example: [frame({ opcode: 10, payload: new Uint8Array(126) }), text("a")],
    explains: (facts) => acceptsA(facts, ({ opcode, length }) => opcode >= 8 && length > 125),
  },
  {
    peers: DENO,
    section: "RFC 6455 §7.1.7",
    rule: "an endpoint that fails the connection SHOULD send a close frame first",
    ours: "sends it",
    theirs: "sends none, or loses it by a reset",
    fields: ["sent", "end", "pongs"],
    example: [frame({ opcode: 3 })],
    explains: ({ ours, theirs }) =>
      ours.told === "close 1006" && theirs.sent === "none" && theirs.told === "close 0",
  },
  {
    peers: DENO,
    section: "RFC 6455 §7.4.1; the limit is not part of it",
    rule: "a limit of the server",
    ours: "fails with 1009",
    theirs: "has another limit: 64 MiB, or 16 MiB for a frame",
    fields: FIELDS,
    example: [frame({ opcode: 2, payload: new Uint8Array(LIMIT + 1) })],
    explains: (facts) => goesOn(facts, 1009),
  },
  {
    peers: ALL,
    section: "RFC 6455 §8.1",
    rule: "a text that is not UTF-8 MUST fail the connection; no rule says when",
    ours: "fails at the first byte that is wrong",
    theirs: "wait for the end of the message, which does not come or breaks another rule",
    fields: ["sent", "told", "end", "pongs"],
    example: [frame({ opcode: 1, payload: hex("FF"), length: 9 })],
    explains: (facts) =>
      facts.ours.sent === 1007 && sendsOurPongs(facts) &&
      facts.frames.some(({ opcode, fin, complete }) => opcode === 1 && !(fin && complete)),
  },
  {
    peers: ["ws", "Bun.serve"],
    section: "RFC 6455 §5.2",
    rule: "a reserved bit or opcode MUST fail the connection; no rule says when",
    ours: "fails at the first byte of the header",
    theirs: "wait for the second, which does not come",
    fields: ["sent", "told"],
    example: [hex("83")],
    explains: ({ ours, theirs, frames }) =>
      ours.sent === 1002 && theirs.sent === "none" && frames.at(-1)?.complete === false,
  },
  {
    peers: ["ws"],
    section: "RFC 7692 §7.2.2",
    rule: "a message that cannot be inflated fails the connection; no rule says when",
    ours: "inflates a message when all of it has arrived",
    theirs: "inflates each fragment",
    fields: ["sent", "told", "pongs"],
    explains: ({ conversation, theirs, frames }) =>
      conversation.deflate && (theirs.sent === 1007 || theirs.sent === 1009) &&
      frames.some(({ rsv, fin }) => rsv === 4 && !fin),
  },
  {
    peers: DENO,
    section: "RFC 6455 §8.1",
    rule: "a text that is not UTF-8 MUST fail the connection",
    ours: "fails with 1007",
    theirs: "delivers a fragmented text without the incomplete character at its end",
    fields: FIELDS,
    example: [
      frame({ opcode: 1, fin: false, payload: "a" }),
      frame({ opcode: 0, payload: hex("F4 8F BF") }),
    ],
    explains: (facts) =>
      goesOn(facts, 1007) && facts.frames.some(({ opcode, fin }) => opcode === 1 && !fin),
  },
  {
    peers: DENO,
    section: "RFC 6455 §5.4",
    rule: "the fragments of a message MUST NOT be interleaved with those of another",
    ours: "fails with 1002",
    theirs: "accepts a new message if the fragments before are empty",
    fields: FIELDS,
    example: [
      frame({ opcode: 1, fin: false, payload: "" }),
      frame({ opcode: 1, fin: false, payload: "a" }),
      frame({ opcode: 0, payload: "b" }),
    ],
    explains: (facts) =>
      goesOn(facts, 1002) &&
      facts.frames.some(({ opcode, fin, length }) =>
        (opcode === 1 || opcode === 2) && !fin && length === 0
      ),
  },
];

/** RFC 6455: the end of a connection. */
const CLOSING: readonly Difference[] = [
  {
    peers: DRIVER,
    section: "RFC 6455 §5.5.1",
    rule: "the answer to a close frame typically echoes its code",
    ours: "answers a close frame without a code with one without a code, and tells 1005",
    theirs: "answers with 1000, and tells 1000",
    fields: ["sent", "told"],
    example: [close()],
    explains: ({ ours, theirs }) => ours.sent === 1005 && theirs.sent === 1000,
  },
  {
    peers: DRIVER,
    section: "RFC 6455 §7.4.2",
    rule: "codes up to 2999 are for those that IANA has registered, such as 1012 to 1014",
    ours: "accepts 1012, 1013 and 1014",
    theirs: "answers 1002",
    fields: ["sent", "told"],
    example: [close(1014)],
    explains: ({ ours, theirs, frames }) =>
      ours.sent === closeCode(frames) && [1012, 1013, 1014].includes(Number(ours.sent)) &&
      theirs.sent === 1002,
  },
  {
    peers: DENO,
    section: "RFC 6455 §7.4.2",
    rule: "codes up to 2999 are for those that IANA has registered, such as 1014",
    ours: "accepts 1014",
    theirs: "answers 1002, and tells 0",
    fields: ["sent", "told"],
    example: [close(1014)],
    explains: ({ ours, theirs }) => ours.sent === 1014 && theirs.sent === 1002,
  },
  {
    peers: DRIVER,
    section: "RFC 6455 §5.5.1",
    rule: "a reason MUST be UTF-8; no rule says with which code its absence fails",
    ours: "sends 1007",
    theirs: "sends 1002",
    fields: ["sent", "told"],
    example: [close(1000, hex("FF 61"))],
    explains: ({ ours, theirs, frames }) =>
      ours.sent === 1007 && theirs.sent === 1002 && frames.some(isClose),
  },
  {
    peers: DRIVER,
    section: "RFC 6455 §7.1.5",
    rule: "the close code is that of the first close frame received, or 1006",
    ours: "tells 1006 if it has received none",
    theirs: "tells the code and the reason that it sends",
    fields: ["told"],
    example: [frame({ opcode: 3 })],
    explains: ({ ours, theirs }) =>
      ours.told === "close 1006" && theirs.told.startsWith(`close ${theirs.sent}`),
  },
  {
    peers: DENO,
    section: "RFC 6455 §7.1.1",
    rule:
      "an endpoint SHOULD close the TCP connection cleanly, so that the close frame is not lost",
    ours: "reads until the client's FIN",
    theirs: "leaves bytes unread, so the system sends a reset",
    fields: ["end"],
    explains: ({ theirs }) => theirs.end === "reset",
  },
  {
    peers: DENO,
    section: "RFC 6455 §7.1.5",
    rule: "the close code is that of the first close frame received, or 1006",
    ours: "tells 1006",
    theirs: "tells 0",
    fields: ["told"],
    example: [],
    explains: ({ ours, theirs }) => ours.told === "close 1006" && theirs.told === "close 0",
  },
  {
    peers: BUN,
    section: "RFC 6455 §7.1.6",
    rule: "the reason is that of the first close frame received, or empty",
    ours: "tells an empty reason if none was received",
    theirs: "tells what was wrong",
    fields: ["told"],
    example: [frame({ opcode: 3 })],
    explains: ({ ours, theirs }) =>
      ours.told === "close 1006" && theirs.told.startsWith("close 1006 Received "),
  },
  {
    peers: ["ws"],
    section: "RFC 6455 §5.5.1",
    rule: "an endpoint that receives a close frame MUST send one",
    ours: "sends it after a FIN too",
    theirs: "sends nothing after a FIN that comes while it inflates in another thread",
    fields: ["sent", "pongs"],
    explains: ({ conversation, ours, theirs }) =>
      conversation.deflate && theirs.sent === "none" && isPrefix(theirs.pongs, ours.pongs),
  },
];

/** All rows. */
export const HYBI_DIFFERENCES: readonly Difference[] = [...RECEIVING, ...CLOSING];
