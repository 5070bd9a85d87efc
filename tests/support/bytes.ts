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
