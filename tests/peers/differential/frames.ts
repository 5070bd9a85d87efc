/**
 * Reads frames as they are, whatever rules they break, to describe and to compare them.
 *
 * @module
 */
import { Buffer } from "node:buffer";

/** A frame of RFC 6455, or the beginning of one at the end of the bytes. */
export interface Frame {
  readonly fin: boolean;
  /** The reserved bits, from 0 to 7. */
  readonly rsv: number;
  readonly opcode: number;
  readonly masked: boolean;
  /** The size of the extended length: 0, 2 or 8 bytes. */
  readonly lengthSize: number;
  /** The length in the header. */
  readonly length: number;
  /** The payload without its mask. */
  readonly payload: Uint8Array;
  /** Whether all bytes are there. */
  readonly complete: boolean;
}

/** Reads one frame. Returns it and the number of its bytes. */
function readFrame(bytes: Uint8Array): [frame: Frame, size: number] {
  const [first = 0, second = 0] = bytes;
  const short = second & 0x7f;
  const lengthSize = short < 126 ? 0 : short === 126 ? 2 : 8;
  const extended = bytes.subarray(2, 2 + lengthSize);
  const length = lengthSize === 0 ? short : extended.reduce((sum, byte) => sum * 256 + byte, 0);
  const masked = second >= 0x80;
  const begin = 2 + lengthSize + (masked ? 4 : 0);
  const key = bytes.subarray(2 + lengthSize, begin);
  const payload = bytes.slice(begin, begin + length);
  if (masked) {
    for (const i of payload.keys()) {
      payload[i] = (payload[i] ?? 0) ^ (key[i & 3] ?? 0);
    }
  }
  const frame: Frame = {
    fin: first >= 0x80,
    rsv: first >> 4 & 7,
    opcode: first & 15,
    masked,
    lengthSize,
    length,
    payload,
    complete: bytes.length >= begin + length,
  };
  return [frame, begin + length];
}

/** Reads all frames. The last one may be incomplete. */
export function readFrames(bytes: Uint8Array): Frame[] {
  const frames: Frame[] = [];
  for (let at = 0; at < bytes.length;) {
    const [frame, size] = readFrame(bytes.subarray(at));
    frames.push(frame);
    at += size;
  }
  return frames;
}

/** A frame of draft75 or draft76, or the beginning of one at the end of the bytes. */
export interface HixieFrame {
  /** The first byte. From 80 on, a length follows; below, the frame ends with FF. */
  readonly type: number;
  readonly payload: Uint8Array;
  readonly complete: boolean;
}

/** Reads all frames of draft75 or draft76. The last one may be incomplete. */
export function readHixieFrames(bytes: Uint8Array): HixieFrame[] {
  const frames: HixieFrame[] = [];
  for (let at = 0; at < bytes.length;) {
    const type = bytes[at++] ?? 0;
    let end = bytes.indexOf(0xff, at);
    if (type >= 0x80) {
      let length = 0;
      let digit = 0x80;
      while (digit >= 0x80 && at < bytes.length) {
        digit = bytes[at++] ?? 0;
        length = length * 128 + (digit & 0x7f);
      }
      end = digit < 0x80 && at + length <= bytes.length ? at + length : -1;
    }
    const payload = bytes.subarray(at, end === -1 ? bytes.length : end);
    frames.push({ type, payload, complete: end !== -1 });
    at += payload.length + (type < 0x80 ? 1 : 0);
  }
  return frames;
}

/** Bytes in hexadecimal; of many, the first and the last. */
export function hexOf(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes).toString("hex");
  return hex.length <= 400
    ? hex
    : `${hex.slice(0, 200)}…${hex.slice(-200)} (${bytes.length} bytes)`;
}

/** Describes a frame of draft75 or draft76. */
export function describeHixieFrame({ type, payload, complete }: HixieFrame): string {
  const size = `${payload.length} bytes${complete ? "" : ", incomplete"}`;
  return `type ${type.toString(16)}, ${size}, ${hexOf(payload)}`;
}

/** Describes a frame in a few words. */
export function describeFrame(frame: Frame): string {
  const names: Record<number, string> = {
    0: "continuation",
    1: "text",
    2: "binary",
    8: "close",
    9: "ping",
    10: "pong",
  };
  const { fin, rsv, opcode, masked, length, lengthSize, complete, payload } = frame;
  return [
    names[opcode] ?? `opcode ${opcode}`,
    fin ? "" : "without FIN",
    rsv === 0 ? "" : `RSV ${rsv}`,
    masked ? "" : "unmasked",
    `length ${length}${lengthSize === 0 ? "" : ` in ${lengthSize} bytes`}`,
    complete ? "" : "incomplete",
    hexOf(payload),
  ].filter((part) => part !== "").join(", ");
}
