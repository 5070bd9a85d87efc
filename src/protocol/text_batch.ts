/**
 * Receives several short text messages in one chunk, the most frequent input of a busy server.
 *
 * Each message is a header of 6 bytes and a payload. A batch of messages is unmasked in place and decoded
 * to one string. Each message is a substring of it, so the decoder is called once for the batch.
 *
 * A server that reads 32 texts of 32 bytes and replies to each with another text takes 70 ns for each
 * instead of 85 on Bun, 140 instead of 181 on Node, and 140 instead of 197 on Deno. A text that arrives
 * alone takes the same time as without batches.
 *
 * @module
 */
import { MASK, readMaskingKey, WHOLE_TEXT } from "./frame_header.ts";
import { mask } from "./mask.ts";
import type { Read } from "./receive_state.ts";
import { decodeAscii, decodeText } from "./utf8.ts";

/** The size of a short masked header: two bytes and the masking key. */
const HEADER_SIZE = 6;
/** The longest payload whose length fits into the second byte. */
const MAX_PAYLOAD_SIZE = 125;
/** The most texts in a batch. Each text keeps the whole batch in memory, at most 4 KiB. */
const MAX_COUNT = 32;
/** How many times more texts the next batch may have. */
const GROWTH = 8;

/**
 * Receives complete short masked texts that follow each other.
 *
 * @returns The offset after them; its complement if the sink returned false; `at` if there are none.
 * @throws {ProtocolError} 1007 if a text is not UTF-8.
 */
export function receiveTexts(read: Read, at: number, maxMessageSize: number): number {
  const { length } = read.chunk;
  const longest = Math.min(MAX_PAYLOAD_SIZE, maxMessageSize);
  // The first batch is one text. If the sink stops after each text, unmasking more would be wasted.
  for (let most = 1;; most = Math.min(MAX_COUNT, most * GROWTH)) {
    const end = unmaskBatch(read, at, longest, most);
    if (end === at) return at;
    at = end < 0 ? receiveOne(read, at, -end) : receiveBatch(read, at, end);
    // Most chunks have one text, and looking for more takes a tenth of the time of an echo.
    if (at < 0 || at === length) return at;
  }
}

/** Receives a text that is not ASCII. */
function receiveOne({ chunk, sink }: Read, at: number, end: number): number {
  return sink.text(decodeText(chunk, at + HEADER_SIZE, end, 0x80)) ? end : ~end;
}

/** Receives ASCII texts as parts of one string. */
function receiveBatch({ chunk, sink }: Read, at: number, end: number): number {
  const base = at + HEADER_SIZE;
  const texts = decodeAscii(chunk, base, end);
  while (at < end) {
    const begin = at + HEADER_SIZE;
    at = begin + payloadLengthAt(chunk, at);
    if (!sink.text(texts.substring(begin - base, at - base))) {
      maskAgain(chunk, at, end);
      return ~at;
    }
  }
  return at;
}

/** Returns the payload length. Negative or above 125 if the frame is not short and masked. */
function payloadLengthAt(chunk: Uint8Array, at: number): number {
  return (chunk[at + 1] as number) - MASK; // the caller has checked that the header is complete
}

/**
 * Unmasks ASCII texts, starting at `at`.
 *
 * @returns The offset after them; `at` if there are none. If the first text is not ASCII, only that one
 * is unmasked, and the offset after it is returned as a negative number.
 */
function unmaskBatch(read: Read, at: number, longest: number, most: number): number {
  const { chunk } = read;
  let end = at;
  for (let count = 0; count < most; count++) {
    if (end + HEADER_SIZE > chunk.length || chunk[end] !== WHOLE_TEXT) break;
    const length = payloadLengthAt(chunk, end);
    const begin = end + HEADER_SIZE;
    const next = begin + length;
    if (length < 0 || length > longest || next > chunk.length) break;
    const maskingKey = readMaskingKey(chunk, end + 2);
    if (mask(chunk, begin, next, maskingKey, read.viewIfMoreThan(next)) >= 0x80) {
      if (count === 0) return -next;
      maskAgain(chunk, end, next);
      break;
    }
    end = next;
  }
  return end;
}

/** Masks texts that the sink did not want yet, so that they can be received again. */
function maskAgain(chunk: Uint8Array, at: number, end: number): void {
  while (at < end) {
    const begin = at + HEADER_SIZE;
    const next = begin + payloadLengthAt(chunk, at);
    mask(chunk, begin, next, readMaskingKey(chunk, at + 2));
    at = next;
  }
}
