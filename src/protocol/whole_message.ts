/**
 * Messages whose payload is in one chunk.
 *
 * @module
 */
import { allocate } from "./allocate.ts";
import { fitsScratch, mask, maskInto, scratch, subview } from "./mask.ts";
import type { Read } from "./receive_state.ts";
import { decodeText } from "./utf8.ts";

/** Unmasks and decodes a text message. */
export function wholeText(read: Read, at: number, end: number): string {
  const { chunk, maskingKey } = read;
  const size = end - at;
  if (!fitsScratch(size)) {
    const orOfBytes = mask(chunk, at, end, maskingKey, read.viewIfMoreThan(end));
    return decodeText(chunk, at, end, orOfBytes);
  }
  const orOfBytes = maskInto(scratch, 0, chunk, at, end, maskingKey);
  return decodeText(scratch, 0, size, orOfBytes);
}

/** Unmasks a binary message. The result belongs to the sink, or to its memory. */
export function wholeBinary(read: Read, at: number, end: number): Uint8Array {
  const { chunk, owned, maskingKey, sink: { memory } } = read;
  const size = end - at;
  // A view keeps the memory of the whole chunk, so the message must be most of it. It must also be
  // the last of the chunk: the receiver may transfer its buffer. Borrowed memory takes no longer: long
  // payloads are unmasked in the memory of WebAssembly, and copied from there.
  const isView = memory === undefined && owned && end === chunk.length &&
    size * 2 >= chunk.buffer.byteLength;
  if (isView) {
    mask(chunk, at, end, maskingKey);
    return subview(chunk, at, end);
  }
  const message = memory === undefined ? allocate(size) : memory.take(size);
  maskInto(message, 0, chunk, at, end, maskingKey);
  return message;
}
