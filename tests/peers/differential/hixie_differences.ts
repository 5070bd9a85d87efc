/**
 * The known differences in draft75 and draft76.
 *
 * @module
 */
import { bytes, hex } from "../../protocol/hixie_cases.ts";
import { type Difference, FIELDS, isSubsequence } from "./difference.ts";
import type { HixieFrame } from "./frames.ts";
import { LIMIT } from "./subjects.ts";

const DRIVER = ["websocket-driver"] as const;

/** The number of messages before the first close frame of draft76; −1 if there is none. */
function beforeClose(frames: readonly HixieFrame[]): number {
  const end = frames.findIndex(({ type, payload }) => type === 0xff && payload.length === 0);
  if (end === -1) return -1;
  return frames.slice(0, end).filter(({ type }) => type === 0).length;
}

/** draft75 and draft76. */
const HIXIE: readonly Difference[] = (["draft75", "draft76"] as const).flatMap((version) => [
  {
    peers: DRIVER,
    version,
    section: `${version} (data framing)`,
    rule: "a frame that ends with FF is a message if its type is 00; others are discarded",
    ours: "discards the types 01 to 7F",
    theirs: "delivers them",
    fields: ["messages"],
    example: [hex("01 61 FF")],
    explains: ({ ours, theirs, hixieFrames }) =>
      isSubsequence(ours.messages, theirs.messages) &&
      hixieFrames.some(({ type, complete }) => type > 0 && type < 0x80 && complete),
  },
  {
    peers: DRIVER,
    version,
    section: `${version} (data framing)`,
    rule: "a frame with a length is skipped by its length",
    ours: "skips it",
    theirs: "ends it at a byte FF, and delivers the text before once more",
    fields: FIELDS,
    example: [hex("00 61 FF 80 02 FF 00 00 62 FF")],
    explains: ({ hixieFrames }) =>
      hixieFrames.some(({ type, payload }) => type >= 0x80 && payload.includes(0xff)),
  },
  {
    peers: DRIVER,
    version,
    section: `${version}; the limit is not part of it`,
    rule: "a limit of the server",
    ours: "ends the connection without a close frame, and delivers nothing more",
    theirs: "closes, and delivers what else is in the same chunk",
    fields: ["messages", "sent", "told"],
    example: [bytes(hex("00"), new Uint8Array(LIMIT + 1).fill(0x61), hex("FF"))],
    explains: ({ ours, theirs, hixieFrames }) =>
      isSubsequence(ours.messages, theirs.messages) &&
      hixieFrames.some(({ type, payload }) => type < 0x80 && payload.length > LIMIT),
  },
]);

/** The closing handshake of draft76. */
const HIXIE_CLOSING: readonly Difference[] = [
  {
    peers: DRIVER,
    version: "draft76",
    section: "draft76 §5.3",
    rule: "what follows the client's close frame is not read",
    ours: "reads nothing more",
    theirs: "delivers what else is in the same chunk, or the text before once more",
    fields: ["messages"],
    example: [hex("00 61 FF FF 00 00 62 FF 00 63 FF")],
    explains: ({ ours, theirs, hixieFrames }) =>
      ours.sent === 1005 && isSubsequence(ours.messages, theirs.messages) &&
      ours.messages.length === beforeClose(hixieFrames),
  },
  {
    peers: DRIVER,
    version: "draft76",
    section: "draft76 §5.3",
    rule: "FF with the length 0 is the close frame",
    ours: "skips FF with another length, as any frame with a length",
    theirs: "takes a later frame with a length of 0, or a first digit of 0, for the close frame",
    fields: ["messages", "sent", "told"],
    example: [hex("FF 01 41 80 00")],
    explains: ({ theirs, hixieFrames }) =>
      theirs.sent === 1005 &&
      hixieFrames.some(({ type, payload }) => type === 0xff && payload.length > 0),
  },
];

/** All rows. */
export const HIXIE_DIFFERENCES: readonly Difference[] = [...HIXIE, ...HIXIE_CLOSING];
