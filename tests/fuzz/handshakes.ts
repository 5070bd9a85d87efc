/**
 * Fuzzes the heads of requests, and of responses to a client.
 *
 * @module
 */
import { ChangedResponses } from "../client/changed_responses.ts";
import { tryChangedRequest } from "../handshake/changed_requests.ts";
import { VERSIONS } from "../handshake/good_server.ts";
import type { Dice } from "./mutate.ts";

/** How many heads a seed makes. */
const HEADS = 20;

function fractions(next: Dice): () => number {
  return () => next(2 ** 30) / 2 ** 30;
}

/** Changes requests at random. They are read or refused, the same in any pieces. */
export function fuzzRequests(next: Dice): void {
  for (let i = 0; i < HEADS; i++) tryChangedRequest(fractions(next), i);
}

/** Changes the responses of a server at random. They open or are refused, the same in any pieces. */
export function fuzzResponses(next: Dice): void {
  for (const version of VERSIONS) {
    const responses = new ChangedResponses(version);
    for (let i = 0; i < HEADS; i++) responses.try(fractions(next), `${version}, number ${i}`);
  }
}
