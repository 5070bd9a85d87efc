/**
 * Feeds request heads, split in every way a network may split them.
 *
 * @module
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { readFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { HttpError } from "../../src/errors.ts";
import type { HeadLimits } from "../../src/handshake/head_reader.ts";
import { requestReader } from "../../src/handshake/request_line.ts";
import type { HandshakeRequest, RequestHead } from "../../src/handshake/request_head.ts";
import { latin1Bytes } from "../support/bytes.ts";
import { withoutStacks } from "../support/rows.ts";

/** The default limits of a server. */
export const LIMITS: HeadLimits = { maxHeaderSize: 16384, maxHeaderCount: 100 };

/** A challenge of draft76 with its response, or with the reason why it has none. */
export interface Vector {
  readonly key1: string;
  readonly key2: string;
  readonly key3_hex: string;
  readonly response_hex: string;
  readonly reason: string;
}

/** The rows of a file in tests/vectors. */
export function vectors(name: string): Vector[] {
  return JSON.parse(readFileSync(new URL(`../vectors/${name}.json`, import.meta.url), "utf8"));
}

/** Converts bytes to text, one character for each byte. */
export function textOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
}

/** The bytes of hexadecimal digits. */
export function fromHex(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

/** The outcome of the bytes. */
export type Outcome =
  | { readonly head: RequestHead; readonly rest: string }
  | { readonly error: HttpError }
  | "incomplete";

/** Feeds pieces to a new reader. The memory of each piece is overwritten after the call. */
export function readPieces(pieces: readonly Uint8Array[], limits: HeadLimits = LIMITS): Outcome {
  const reader = requestReader(limits);
  for (const [i, piece] of pieces.entries()) {
    const chunk = piece.slice();
    let head: RequestHead | undefined;
    try {
      head = reader.read(chunk);
    } catch (error) {
      if (!(error instanceof HttpError)) throw error;
      return { error };
    }
    const { consumed } = reader;
    chunk.fill(0x23);
    if (head === undefined) {
      assertEquals(consumed, piece.length, "all of a chunk without the end belongs to the head");
      continue;
    }
    const rest = [piece.subarray(consumed), ...pieces.slice(i + 1)];
    return { head, rest: rest.map(textOf).join("") };
  }
  return "incomplete";
}

/** An outcome as plain data. */
export function describeOutcome(outcome: Outcome): unknown {
  if (outcome === "incomplete") return outcome;
  if ("error" in outcome) return [outcome.error.status, outcome.error.message];
  const { head, rest } = outcome;
  const { method, target, httpVersion } = head;
  return { method, target, httpVersion, headers: [...head.toHeaders()], rest };
}

/** Splits bytes: whole, byte by byte with empty pieces in between, and in two at every position. */
export function* everyWay(bytes: Uint8Array): Generator<Uint8Array[]> {
  yield [bytes];
  yield [...bytes].flatMap((byte) => [new Uint8Array(0), Uint8Array.of(byte)]);
  for (let at = 1; at < bytes.length; at++) yield [bytes.subarray(0, at), bytes.subarray(at)];
}

/** Feeds a text split in every way, checks that the outcomes are equal, and returns the outcome. */
export function readEveryWay(text: string, limits: HeadLimits = LIMITS): Outcome {
  const bytes = latin1Bytes(text);
  const whole = readPieces([bytes], limits);
  const expected = describeOutcome(whole);
  withoutStacks(() => {
    for (const pieces of everyWay(bytes)) {
      const found = describeOutcome(readPieces(pieces, limits));
      if (isDeepStrictEqual(found, expected)) continue;
      const sizes = pieces.map(({ length }) => length).join("+");
      assertEquals(found, expected, `in pieces of ${sizes}`);
    }
  });
  return whole;
}

/** Feeds a text split in every way, and expects a refusal. */
export function assertRefused(
  text: string,
  status: number,
  because: string,
  limits: HeadLimits = LIMITS,
): void {
  const outcome = readEveryWay(text, limits);
  assert(outcome !== "incomplete" && "error" in outcome, `${JSON.stringify(text)} was not refused`);
  assertEquals(outcome.error.status, status);
  assertStringIncludes(outcome.error.message, because);
}

/** Feeds a text split in every way, and returns its head. */
export function headOf(text: string): RequestHead {
  const outcome = readPieces([latin1Bytes(text)]);
  if (outcome === "incomplete") throw new Error("the head is incomplete");
  if ("error" in outcome) throw outcome.error;
  return outcome.head;
}

/** A request with a method and fields, for checks that need no bytes. */
export function requestOf(
  fields: Readonly<Record<string, string | undefined>>,
  { method = "GET", httpVersion = "1.1" } = {},
): HandshakeRequest {
  const lowerCase = new Map(Object.entries(fields).map(([name, v]) => [name.toLowerCase(), v]));
  return { method, httpVersion, get: (name) => lowerCase.get(name) };
}

/** Random numbers from 0 to 1. The same seed gives the same numbers (mulberry32). */
export function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The request of Chromium 156. */
export const CHROME = "GET /websocket?room=1 HTTP/1.1\r\n" +
  "Host: localhost:8888\r\n" +
  "Connection: Upgrade\r\n" +
  "Pragma: no-cache\r\n" +
  "Cache-Control: no-cache\r\n" +
  "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) " +
  "Chrome/156.0.0.0 Safari/537.36\r\n" +
  "Upgrade: websocket\r\n" +
  "Origin: http://localhost:8888\r\n" +
  "Sec-WebSocket-Version: 13\r\n" +
  "Accept-Encoding: gzip, deflate, br, zstd\r\n" +
  "Accept-Language: en-US,en;q=0.9\r\n" +
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
  "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n" +
  "\r\n";

/** The request of PhantomJS 1.9.8, with key3 after the head. */
export const DRAFT76 = "GET /websocket?room=1 HTTP/1.1\r\n" +
  "Upgrade: WebSocket\r\n" +
  "Connection: Upgrade\r\n" +
  "Host: localhost:8888\r\n" +
  "Origin: http://localhost:8888\r\n" +
  "Cookie: session=1; theme=dark\r\n" +
  "Sec-WebSocket-Key1: 651  a 91     6832\r\n" +
  "Sec-WebSocket-Key2: G 25(4?t  !  2 k 7sF3  1hN300\r\n" +
  "\r\n" +
  "\x3b\x3f\x2a\xe8\x87\x5c\xff\x98";
