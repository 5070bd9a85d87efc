/**
 * UTF-8 (RFC 3629): checked as far as it has arrived, and decoded.
 *
 * @module
 */
import { ProtocolError } from "../errors.ts";
import { decodeLong, type NodeBuffer, nodeBuffer, text } from "./text.ts";
import { view } from "./mask.ts";

/** The sequences that there are: the range of the first byte and of those behind it (RFC 3629 §4). */
const SEQUENCES = [
  "00-7F",
  "C2-DF 80-BF",
  "E0-E0 A0-BF 80-BF",
  "E1-EC 80-BF 80-BF",
  "ED-ED 80-9F 80-BF",
  "EE-EF 80-BF 80-BF",
  "F0-F0 90-BF 80-BF 80-BF",
  "F1-F3 80-BF 80-BF 80-BF",
  "F4-F4 80-8F 80-BF 80-BF",
] as const;

/** Between two characters, where a text may end. A state in between is what is still to come. */
export const COMPLETE = 0;
/** Behind a byte that cannot be there. */
export const REJECTED = 8;

/** From here on one call of the runtime is faster than the table (80 ns against 1.5 ns a byte). */
const CALL_FROM = 64;
/** Below this a loop decodes ASCII faster than a call. */
const LOOP_BELOW = 8;
/** The state after `byte` in `state` is at `state << 8 | byte`. */
const next = tabulate();

function tabulate(): Uint8Array {
  const states: string[] = [""];
  const table = new Uint8Array((REJECTED + 1) << 8).fill(REJECTED);
  const add = (state: number, sequence: string): void => {
    const [range = "", ...rest] = sequence.split(" ");
    const remaining = rest.join(" ");
    if (!states.includes(remaining)) {
      states.push(remaining);
      add(states.length - 1, remaining);
    }
    const [from = 0, to = 0] = range.split("-").map((digits) => parseInt(digits, 16));
    table.fill(states.indexOf(remaining), state << 8 | from, (state << 8 | to) + 1);
  };
  for (const sequence of SEQUENCES) add(COMPLETE, sequence);
  return table;
}

/** The part of `node:buffer` that is used here. */
interface CheckingBuffer extends NodeBuffer {
  readonly isUtf8?: (bytes: Uint8Array) => boolean;
}

/** Continues a check over bytes of any number. */
export type CheckUtf8 = (bytes: Uint8Array, start: number, end: number, state: number) => number;

function checkByTable(bytes: Uint8Array, start: number, end: number, state: number): number {
  for (let at = start; at < end; at++) {
    state = next[state << 8 | (bytes[at] as number)] as number; // both in range: 9 states, the caller's bytes
  }
  return state;
}

/** The check that uses the runtime's own where there is one. */
export function utf8Checker(buffer: CheckingBuffer | undefined): CheckUtf8 {
  const isUtf8 = buffer?.isUtf8;
  if (isUtf8 === undefined) return checkByTable;
  return (bytes, start, end, state) => {
    if (end - start < CALL_FROM) return checkByTable(bytes, start, end, state);
    while (state !== COMPLETE && state !== REJECTED) {
      state = checkByTable(bytes, start, ++start, state);
    }
    const last = startOfLast(bytes, end);
    if (state === REJECTED || !isUtf8(view(bytes, start, last))) return REJECTED;
    return checkByTable(bytes, last, end, COMPLETE);
  };
}

/** Where the last sequence begins, if it begins in the last 3 bytes; it may be incomplete. */
function startOfLast(bytes: Uint8Array, end: number): number {
  for (let at = end - 1; at >= end - 3; at--) {
    if (bytes[at] as number >= 0xc0) return at; // in range: there are at least 64
  }
  return end;
}

/**
 * Continues a check: the state after more bytes, {@linkcode REJECTED} as soon as there is one that
 * cannot be there, {@linkcode COMPLETE} where the text may end.
 */
export const checkUtf8: CheckUtf8 = utf8Checker(nodeBuffer());

/** What to throw where bytes are not UTF-8. */
export function notUtf8(): ProtocolError {
  return new ProtocolError(1007, "a text message must be UTF-8 (RFC 6455 §8.1)");
}

/** Decodes bytes that are all below 0x80. */
export function decodeAscii(bytes: Uint8Array, start: number, end: number): string {
  if (end - start >= LOOP_BELOW) return text.latin1(bytes, start, end);
  let message = "";
  for (let at = start; at < end; at++) message += String.fromCharCode(bytes[at] as number); // in range: the caller's
  return message;
}

/** Decodes UTF-8; what is not becomes U+FFFD. */
export function decodeUtf8(bytes: Uint8Array, start: number, end: number): string {
  return end - start < CALL_FROM
    ? text.decode(bytes, start, end)
    : decodeLong(view(bytes, start, end));
}

/**
 * Decodes a text message.
 *
 * @param seen Below 0x80 if it is known that all bytes are.
 * @throws {ProtocolError} 1007 if it is not UTF-8.
 */
export function decodeText(bytes: Uint8Array, start: number, end: number, seen: number): string {
  if (seen < 0x80) return decodeAscii(bytes, start, end);
  const message = decodeUtf8(bytes, start, end);
  // A decoder that throws takes up to three times as long. U+FFFD may also have been sent.
  if (message.includes("\ufffd") && checkUtf8(bytes, start, end, COMPLETE) !== COMPLETE) {
    throw notUtf8();
  }
  return message;
}
