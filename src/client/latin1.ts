/**
 * Heads as bytes.
 *
 * @module
 */
import { writeLatin1 } from "../handshake/latin1.ts";

/** A byte for each character, of which none is above U+00FF. */
export function encodeLatin1(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  writeLatin1(text, bytes);
  return bytes;
}
