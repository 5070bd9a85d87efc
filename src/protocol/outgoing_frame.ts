/**
 * Writes frames into an {@linkcode Output} (RFC 6455 §5.2, §5.3). The functions are called for each
 * frame, so their parameters are positional.
 *
 * @module
 */
import { MASK, MAX_HEADER_SIZE, sizeOfHeader, writeHeader } from "./frame_header.ts";
import { mask } from "./mask.ts";
import type { MaskingKeys } from "./masking_keys.ts";
import { BY_REFERENCE, Output } from "./output.ts";
import { appendText, encodeInto } from "./text_codec.ts";

/** Up to this many UTF-16 units, reserving three bytes for each is cheaper than a second call. */
const ROOMY = 16 * 1024;

/**
 * Appends a frame.
 *
 * @param firstByte The first byte of its header.
 * @param payload If the frame is not masked, it may be kept by reference. It must not change until it
 * is sent.
 * @param maskingKeys The keys of a client, `null` if the frame is not masked.
 */
export function writeFrame(
  output: Output,
  firstByte: number,
  payload: Uint8Array,
  maskingKeys: MaskingKeys | null,
): void {
  const { length } = payload;
  if (length >= BY_REFERENCE && maskingKeys === null) {
    const at = output.reserve(MAX_HEADER_SIZE);
    output.length = writeHeader(output.bytes, at, firstByte, 0, length);
    output.refer(payload);
    return;
  }
  const at = output.reserve(MAX_HEADER_SIZE + length);
  output.bytes.set(payload, at + sizeOfHead(length, maskingKeys));
  complete(output, at, firstByte, length, maskingKeys);
}

/** Appends a frame of text. A lone surrogate becomes U+FFFD. */
export function writeTextFrame(
  output: Output,
  firstByte: number,
  message: string,
  maskingKeys: MaskingKeys | null,
): void {
  if (message.length >= BY_REFERENCE) {
    const payload = new Output();
    appendText(payload, message);
    writeFrame(output, firstByte, payload.written(), maskingKeys);
    return;
  }
  const at = output.reserve(MAX_HEADER_SIZE + (message.length <= ROOMY ? message.length * 3 : 0));
  // The size of the header depends on the size of the payload, which is known after the encoding. For
  // ASCII, this assumption is right. Other text is moved if it needs a longer header.
  const assumed = at + sizeOfHead(message.length, maskingKeys);
  const length = message.length > ROOMY
    ? encodeLong(message, output, assumed)
    : encodeInto(message, output.bytes, assumed);
  const begin = at + sizeOfHead(length, maskingKeys);
  if (begin !== assumed) {
    output.length = assumed + length;
    output.reserve(begin - assumed);
    output.bytes.copyWithin(begin, assumed, assumed + length);
  }
  complete(output, at, firstByte, length, maskingKeys);
}

/** Encodes a text at `at`, and reserves room for it. @returns Its size in bytes. */
function encodeLong(message: string, output: Output, at: number): number {
  output.length = at;
  appendText(output, message);
  return output.length - at;
}

/** Returns the size of a header and its masking key. */
function sizeOfHead(payloadLength: number, maskingKeys: MaskingKeys | null): number {
  return sizeOfHeader(payloadLength) + (maskingKeys === null ? 0 : 4);
}

/** Writes the header before a payload that is already in the output, and masks the payload. */
function complete(
  output: Output,
  at: number,
  firstByte: number,
  length: number,
  maskingKeys: MaskingKeys | null,
): void {
  const { bytes } = output;
  let begin = writeHeader(bytes, at, firstByte, maskingKeys === null ? 0 : MASK, length);
  if (maskingKeys !== null) {
    const maskingKey = maskingKeys.next();
    for (let shift = 0; shift < 32; shift += 8) bytes[begin++] = maskingKey >>> shift;
    mask(bytes, begin, begin + length, maskingKey);
  }
  output.length = begin + length;
}
