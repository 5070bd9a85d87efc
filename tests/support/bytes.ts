/**
 * Bytes and text.
 *
 * @module
 */
import { Buffer } from "node:buffer";

/** The bytes of a string whose characters are bytes. */
export function latin1Bytes(text: string): Uint8Array<ArrayBuffer> {
  // A copy, because Buffer.from may use a memory pool that other buffers share.
  return new Uint8Array(Buffer.from(text, "latin1"));
}

/** The string whose characters are these bytes. */
export function latin1Text(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
}

/** Whether two arrays have the same bytes. */
export function sameBytes(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0;
}

/**
 * The positions at which to split a request for a whole server: all, but only the first one inside each
 * word of letters and digits. No rule of HTTP or WebSocket depends on a place inside a word, and the tests
 * of `handshake` and `http` split their parsers' input at every position.
 */
export function placesToSplit(text: string): number[] {
  return Array.from(text, (_, at) => at)
    .filter((at) => at > 0 && !/^[A-Za-z0-9]{3}$/.test(text.slice(Math.max(0, at - 2), at + 1)));
}
