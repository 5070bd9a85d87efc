/**
 * Fuzzes the heads of requests and of responses to a client, extensions, and PROXY headers.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { ChangedResponses } from "../client/changed_responses.ts";
import { tryBytes, tryChangedRequest } from "../handshake/changed_requests.ts";
import { tryExtensions } from "../handshake/extension_values.ts";
import { VERSIONS } from "../handshake/good_server.ts";
import { read, VALID_HEADERS, type ValidHeader } from "../handshake/proxy_headers.ts";
import { cut, type Dice, join, randomBytes } from "./mutate.ts";

/** How many heads a seed makes. */
const HEADS = 20;
/** How many values of `Sec-WebSocket-Extensions` a seed makes. */
const VALUES = 50;
/** How many splits of a PROXY header a seed makes. */
const SPLITS = 5;
/** The header that the tests do not split everywhere. */
const LONGEST: ValidHeader = VALID_HEADERS.reduce((one, other) =>
  one.bytes.length > other.bytes.length ? one : other
);

function fractions(next: Dice): () => number {
  return () => next(2 ** 30) / 2 ** 30;
}

/** Changes requests at random. They are read or refused, the same in any pieces. */
export function fuzzRequests(next: Dice): void {
  for (let i = 0; i < HEADS; i++) tryChangedRequest(fractions(next), i);
  for (let i = 0; i < HEADS; i++) {
    tryBytes(fractions(next), randomBytes(next, next(100)), `random bytes, number ${i}`);
  }
}

/** Changes the responses of a server at random. They open or are refused, the same in any pieces. */
export function fuzzResponses(next: Dice): void {
  for (const version of VERSIONS) {
    const responses = new ChangedResponses(version);
    for (let i = 0; i < HEADS; i++) responses.try(fractions(next), `${version}, number ${i}`);
  }
}

/** Random pieces of the grammar of `Sec-WebSocket-Extensions` are parsed or refused. */
export function fuzzExtensions(next: Dice): void {
  for (let i = 0; i < VALUES; i++) tryExtensions(fractions(next));
}

/** Valid PROXY headers have the same content in any pieces, whatever follows them. */
export function fuzzProxyHeaders(next: Dice): void {
  const [any = LONGEST] = VALID_HEADERS.slice(next(VALID_HEADERS.length));
  for (const { name, bytes, header } of [any, LONGEST]) {
    const followed = join([bytes, randomBytes(next, next(20))]);
    assertEquals(read(cut(next, followed)), { header, length: bytes.length }, name);
    for (let i = 0; i < SPLITS; i++) {
      const at = next(bytes.length);
      const pieces = [followed.slice(0, at), followed.slice(at)];
      assertEquals(read(pieces), { header, length: bytes.length }, `${name}, split at ${at}`);
    }
  }
}
