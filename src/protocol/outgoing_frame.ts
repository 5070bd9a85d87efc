/**
 * Frames, written straight into an {@linkcode Output} (RFC 6455 §5.2, §5.3).
 *
 * @module
 */
import { MASK, MAX_HEADER_SIZE, sizeOfHeader, writeHeader } from "./frame.ts";
import { appendText, encodeInto } from "./text.ts";
import { mask } from "./mask.ts";
import { BY_REFERENCE, Output } from "./output.ts";

/** Up to so many UTF-16 units, room for three bytes each costs less than a second call. */
const ROOMY = 16 * 1024;
/** So many masking keys are drawn at a time: one costs 300 to 600 ns, 256 cost 800 to 1,500. */
const KEYS_DRAWN = 256;

const keys = new Uint32Array(KEYS_DRAWN);
let keysUsed = KEYS_DRAWN;

/** A masking key that nobody can predict (RFC 6455 §5.3, §10.3). */
function drawMaskingKey(): number {
  if (keysUsed === KEYS_DRAWN) {
    crypto.getRandomValues(keys);
    keysUsed = 0;
  }
  return keys[keysUsed++] as number | 0; // there: keysUsed is below KEYS_DRAWN
}

/**
 * Appends a frame.
 *
 * @param first Its first byte.
 * @param payload If not masked, it may be kept by reference and must not change until it is sent.
 * @param masked Whether the frame goes to a server.
 */
export function writeFrame(
  output: Output,
  first: number,
  payload: Uint8Array,
  masked: boolean,
): void {
  const { length } = payload;
  if (length >= BY_REFERENCE && !masked) {
    const at = output.reserve(MAX_HEADER_SIZE);
    output.length = writeHeader(output.bytes, at, first, 0, length);
    output.refer(payload);
    return;
  }
  const at = output.reserve(MAX_HEADER_SIZE + length);
  output.bytes.set(payload, at + sizeOfHead(length, masked));
  complete(output, at, first, length, masked);
}

/** Appends a frame of text. A lone surrogate becomes U+FFFD. */
export function writeTextFrame(
  output: Output,
  first: number,
  message: string,
  masked: boolean,
): void {
  if (message.length >= BY_REFERENCE) {
    const payload = new Output();
    appendText(payload, message);
    writeFrame(output, first, payload.written(), masked);
    return;
  }
  const at = output.reserve(MAX_HEADER_SIZE + (message.length <= ROOMY ? message.length * 3 : 0));
  // Where the payload begins depends on its length, which is only known once it is there. ASCII
  // has a byte per unit; what has more is moved in the rare case that this takes a longer header.
  const guessed = at + sizeOfHead(message.length, masked);
  const length = message.length > ROOMY
    ? encodeLong(message, output, guessed)
    : encodeInto(message, output, guessed);
  const begin = at + sizeOfHead(length, masked);
  if (begin !== guessed) {
    output.length = guessed + length;
    output.reserve(begin - guessed);
    output.bytes.copyWithin(begin, guessed, guessed + length);
  }
  complete(output, at, first, length, masked);
}

/** Encodes a text from `at` on, making room for it. @returns How many bytes it takes. */
function encodeLong(message: string, output: Output, at: number): number {
  output.length = at;
  appendText(output, message);
  return output.length - at;
}

function sizeOfHead(payloadLength: number, masked: boolean): number {
  return sizeOfHeader(payloadLength) + (masked ? 4 : 0);
}

/** Puts the header before a payload that is in its place, and masks it. */
function complete(
  output: Output,
  at: number,
  first: number,
  length: number,
  masked: boolean,
): void {
  const { bytes } = output;
  let begin = writeHeader(bytes, at, first, masked ? MASK : 0, length);
  if (masked) {
    const maskingKey = drawMaskingKey();
    for (let shift = 0; shift < 32; shift += 8) bytes[begin++] = maskingKey >>> shift;
    mask(bytes, begin, begin + length, maskingKey);
  }
  output.length = begin + length;
}
