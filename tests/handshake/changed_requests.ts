/**
 * Requests with random mistakes, for tests and for `task fuzz`.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { HttpError, ProtocolError } from "../../src/errors.ts";
import { checkDraft75 } from "../../src/handshake/draft75.ts";
import { checkDraft76 } from "../../src/handshake/draft76.ts";
import { parseExtensions } from "../../src/handshake/extensions.ts";
import { sameOrigin } from "../../src/handshake/origin.ts";
import { negotiateDeflate } from "../../src/handshake/permessage_deflate.ts";
import type { RequestHead } from "../../src/handshake/request_head.ts";
import { checkRfc6455, originOf } from "../../src/handshake/rfc6455.ts";
import { parseSubprotocols } from "../../src/handshake/subprotocols.ts";
import { detectVersion, WEBSOCKET_VERSIONS } from "../../src/handshake/versions.ts";
import { latin1Bytes } from "../support/bytes.ts";
import { CHROME, describeOutcome, DRAFT76, readPieces } from "./support.ts";

/** Limits that Chromium's head just meets. */
const LIMITS = { maxHeaderSize: CHROME.length, maxHeaderCount: 12 };
const OTHERS = latin1Bytes(
  'GET /?%20 http://[::1]:80 HTTP/1.0\r\nHost: a,b;c="d\\e"\r\nUpgrade:\r\n \t\0\n\r\x7f\xff\r\n',
);

/** Returns numbers from 0 to below 1. */
export type Random = () => number;

/** Returns an integer from 0 to below `limit`. */
export function below(next: Random, limit: number): number {
  return Math.floor(next() * limit);
}

/** A valid request with a few bytes changed, removed, repeated, or copied from another place. */
function mutate(next: Random, good: Uint8Array): Uint8Array {
  const bytes = [...good];
  for (let changes = below(next, 4); changes >= 0; changes--) {
    const at = below(next, bytes.length);
    const length = next() < 0.7 ? 1 : below(next, 40);
    const from = below(next, OTHERS.length);
    const part = [
      Array.from({ length }, () => below(next, 256)),
      [...OTHERS.subarray(from, from + length)],
      bytes.slice(at, at + length),
      [],
    ][below(next, 4)] ?? [];
    bytes.splice(at, next() < 0.5 ? length : 0, ...part);
  }
  return Uint8Array.from(bytes);
}

function cut(next: Random, bytes: Uint8Array): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = next() < 0.5 ? 1 + below(next, 3) : below(next, 200);
    pieces.push(bytes.subarray(at, at + length));
    at += length;
  }
  return pieces;
}

/** Calls every function that reads a head. They may throw only the handshake's refusals. */
function useHead(head: RequestHead): void {
  const attempts = [
    () => head.toRequest("http").url,
    () => detectVersion(head, WEBSOCKET_VERSIONS),
    () => checkRfc6455(head),
    () => checkDraft76(head),
    () => checkDraft75(head),
    () => parseSubprotocols(head.get("sec-websocket-protocol") ?? ""),
    () =>
      negotiateDeflate(parseExtensions(head.get("sec-websocket-extensions") ?? ""), {
        contextTakeover: true,
      }),
    () => sameOrigin(originOf(head, "hybi-08") ?? "", "http", head.host),
    () => assert(head.path.startsWith("/")),
  ];
  for (const attempt of attempts) {
    try {
      attempt();
    } catch (error) {
      if (!(error instanceof HttpError || error instanceof ProtocolError)) throw error;
    }
  }
}

/**
 * Reads bytes whole and in pieces, and checks that the results are equal.
 *
 * @returns `"head"`, `"incomplete"`, or the status of the refusal.
 */
export function tryBytes(next: Random, bytes: Uint8Array, seed: string): string {
  const whole = readPieces([bytes], LIMITS);
  const pieces = cut(next, bytes);
  const expected = describeOutcome(whole);
  assertEquals(describeOutcome(readPieces(pieces, LIMITS)), expected, seed);
  if (whole === "incomplete") return whole;
  if ("error" in whole) return String(whole.error.status);
  useHead(whole.head);
  return "head";
}

const GOOD = [CHROME, DRAFT76, "GET / HTTP/1.9\r\n\r\n"].map(latin1Bytes);

/** Tries a good request with random changes. @param number Selects the request. */
export function tryChangedRequest(next: Random, number: number): string {
  return tryBytes(next, mutate(next, GOOD[number % GOOD.length] ?? OTHERS), `number ${number}`);
}
