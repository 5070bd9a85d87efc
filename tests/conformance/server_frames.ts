/**
 * Reads and checks strictly what a server sends after the handshake of RFC 6455.
 *
 * @module
 */
import { inflateRawSync } from "node:zlib";
import { sameBytes } from "../support/bytes.ts";
import { bytes, hex } from "../protocol/hixie_cases.ts";
import { frame, type HybiCase, type HybiEvent } from "../protocol/hybi_frames.ts";

/** A frame of the server. */
export interface ServerFrame {
  /** The bits of the first byte. */
  readonly first: number;
  readonly payload: Uint8Array;
}

/** The bit that marks a compressed message (RFC 7692 §6). */
const RSV1 = 0x40;

/** Returns the frames in the bytes. The last frame must be complete. */
export function parseFrames(input: Uint8Array): ServerFrame[] {
  const frames: ServerFrame[] = [];
  for (let at = 0; at < input.length;) {
    const [first = 0, second = 0] = input.subarray(at);
    const lengthSize = second < 126 ? 0 : second === 126 ? 2 : 8;
    const begin = at + 2 + lengthSize;
    const length = lengthSize === 0
      ? second
      : input.subarray(at + 2, begin).reduce((sum, byte) => sum * 256 + byte, 0);
    const payload = input.subarray(begin, begin + length);
    const whole = frame({ opcode: first & 0x7f, payload, maskingKey: null });
    // An equal frame is built: with a length in the fewest bytes, without a mask, with FIN.
    assertBytes(input.subarray(at, begin + length), whole);
    frames.push({ first, payload });
    at = begin + length;
  }
  return frames;
}

/** How the messages of a connection are compressed. */
export interface Compression {
  /** Whether the server keeps its window from one message to the next. */
  readonly context: boolean;
  /** The largest window that the server may use. */
  readonly windowBits?: number;
}

/** Returns the frames with decompressed messages. Uses only zlib. */
export function inflated(
  frames: readonly ServerFrame[],
  { context, windowBits = 15 }: Compression,
): ServerFrame[] {
  const tail = hex("00 00 FF FF");
  let window = bytes();
  return frames.map(({ first, payload }) => {
    if ((first & RSV1) === 0) return { first, payload };
    const stream = bytes(storedBlock(window), payload, tail);
    const whole = new Uint8Array(inflateRawSync(stream, { finishFlush: 2, windowBits }));
    // With context takeover, the next message may refer to the bytes before it.
    const message = whole.subarray(window.length);
    if (context) window = whole.slice(-(2 ** windowBits));
    return { first: first & ~RSV1, payload: message };
  });
}

/** A block of DEFLATE that is stored (RFC 1951 §3.2.4) and not the last. */
function storedBlock(content: Uint8Array): Uint8Array {
  const { length } = content;
  const inverted = ~length & 0xffff;
  const header = [0, length & 255, length >> 8, inverted & 255, inverted >> 8];
  return bytes(Uint8Array.from(header), content);
}

/** The bytes that an echo server sends for an event. */
export function replyTo([kind, ...values]: HybiEvent): Uint8Array {
  const [value, reason] = values;
  switch (kind) {
    case "text":
      return frame({ opcode: 1, payload: value as string, maskingKey: null });
    case "binary":
      return frame({ opcode: 2, payload: value as Uint8Array, maskingKey: null });
    case "ping":
      return frame({ opcode: 10, payload: value as Uint8Array, maskingKey: null });
    case "pong":
      return bytes();
    case "close":
      return closeFrame(value as number | undefined, reason as string | undefined);
  }
}

/** A close frame of the server. */
export function closeFrame(code?: number, reason: string | Uint8Array = ""): Uint8Array {
  const payload = code === undefined ? bytes() : bytes(Uint8Array.of(code >> 8, code), reason);
  return frame({ opcode: 8, payload, maskingKey: null });
}

/** Checks all bytes that the server has sent for a row, up to its FIN. */
export function assertReplies(received: Uint8Array, { events, error, section }: HybiCase): void {
  const replies = bytes(...events.map(replyTo));
  if (error === undefined) return assertBytes(received, replies);
  assertBytes(received.subarray(0, replies.length), replies);
  const rest = received.subarray(replies.length);
  const reason = rest.subarray(4);
  assertBytes(rest, closeFrame(error.code, reason));
  const said = new TextDecoder("utf-8", { fatal: true }).decode(reason);
  // The section is that of another document if the row says so.
  const wanted = section.replace(/ .*/, "");
  if (!said.includes(`§${wanted}`)) throw new Error(`"${said}" does not name §${wanted}`);
}

/** Throws unless the bytes are equal. The error says where they differ. */
export function assertBytes(actual: Uint8Array, expected: Uint8Array): void {
  if (sameBytes(actual, expected)) return;
  let at = 0;
  while (at < expected.length && actual[at] === expected[at]) at++;
  const shown = [actual, expected].map((side) =>
    `${side.length} bytes … ${Array.from(side.subarray(at, at + 16), toHex).join(" ")}`
  );
  throw new Error(`From byte ${at} on there are ${shown[0]}, not ${shown[1]}`);
}

function toHex(byte: number): string {
  return byte.toString(16).padStart(2, "0");
}
