/**
 * Short texts that arrive several in one read, the most frequent input of a busy server.
 *
 * Each is a header of 6 bytes and its payload. A batch of them is unmasked and decoded to one
 * string, and each message is a part of it: the decoder is called once instead of once per message.
 *
 * A server that reads 32 texts of 32 bytes and answers each with another text takes, for each one,
 * 70 ns instead of 85 on Bun, 140 instead of 181 on Node and 140 instead of 197 on Deno. A text that
 * arrives alone takes the same time either way.
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
/** The most texts in a batch. Each keeps the whole batch alive, so it must stay small: 4 KiB. */
const MAX_COUNT = 32;
/** How many times as many texts as the last a batch may have. */
const GROWTH = 8;

/**
 * Receives short masked texts, as long as one follows the other and each is there whole.
 *
 * @returns The offset behind them, its complement if the sink said stop, `at` if there are none.
 * @throws {ProtocolError} 1007 if a text is not UTF-8.
 */
export function receiveTexts(read: Read, at: number, maxMessageSize: number): number {
  const { length } = read.chunk;
  const longest = Math.min(MAX_PAYLOAD_SIZE, maxMessageSize);
  // The first batch is one text: a sink that stops after each would have the others unmasked in vain.
  for (let most = 1;; most = Math.min(MAX_COUNT, most * GROWTH)) {
    const end = unmaskBatch(read, at, longest, most);
    if (end === at) return at;
    at = end < 0 ? receiveOne(read, at, -end) : receiveBatch(read, at, end);
    // Most often there is only one, and looking for more takes a tenth of the time of an echo.
    if (at < 0 || at === length) return at;
  }
}

/** Receives a text that is not ASCII. */
function receiveOne({ chunk, sink }: Read, at: number, end: number): number {
  return sink.text(decodeText(chunk, at + HEADER_SIZE, end, 0x80)) ? end : ~end;
}

/** Receives texts that are ASCII, as parts of one string. */
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

/** The payload length in a header. Negative or above 125 if the frame is not short and masked. */
function payloadLengthAt(chunk: Uint8Array, at: number): number {
  return (chunk[at + 1] as number) - MASK; // in range: checked by the caller
}

/**
 * Unmasks the texts at `at`.
 *
 * @returns Where they end, `at` if there are none; negative if it is one text that is not ASCII.
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

/** Masks texts that the sink has not taken, so that they can be received again. */
function maskAgain(chunk: Uint8Array, at: number, end: number): void {
  while (at < end) {
    const begin = at + HEADER_SIZE;
    const next = begin + payloadLengthAt(chunk, at);
    mask(chunk, begin, next, readMaskingKey(chunk, at + 2));
    at = next;
  }
}
