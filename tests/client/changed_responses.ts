/**
 * Responses to handshakes with random mistakes, for tests and for `task fuzz`.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import type { WebSocketVersion } from "../../src/handshake/versions.ts";
import { bytesOf } from "../handshake/good_server.ts";
import { type Outcome, Subject } from "./support.ts";

/** Bytes that occur in heads. Any other byte has the same probability as all of these together. */
const TELLING = bytesOf('\r\n: ,;="\0\t/1HTPUws\xff\x80');

/** Changes, removes, repeats and inserts bytes at random. */
function spoil(bytes: Uint8Array, random: () => number): Uint8Array {
  const integer = (below: number) => Math.floor(random() * below);
  const spoiled = [...bytes];
  for (let changes = 1 + integer(3); changes > 0; changes--) {
    const at = integer(spoiled.length);
    const byte = random() < 0.5 ? integer(256) : TELLING[integer(TELLING.length)] ?? 0;
    const kind = integer(4);
    if (kind === 0) spoiled[at] = byte;
    else if (kind === 1) spoiled.splice(at, 1 + integer(8));
    else if (kind === 2) spoiled.splice(at, 0, byte);
    else spoiled.splice(at, 0, ...spoiled.slice(integer(spoiled.length), integer(spoiled.length)));
  }
  return Uint8Array.from(spoiled);
}

/** Splits bytes at random. */
function cut(bytes: Uint8Array, random: () => number): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = at + 1 + Math.floor(random() * random() * bytes.length);
    pieces.push(bytes.subarray(at, end));
    at = end;
  }
  return pieces;
}

/** An outcome as text. */
function summary(outcome: Outcome): string {
  if (outcome === "waiting") return outcome;
  return "error" in outcome
    ? `${outcome.error.message} ${outcome.error.status} ${outcome.error.body}`
    : `${outcome.head.text} ${outcome.subprotocol} ${outcome.rest}`;
}

/** A client of a version, which gets changed responses. */
export class ChangedResponses {
  readonly #subject: Subject;
  readonly #good: Uint8Array;

  constructor(version: WebSocketVersion) {
    this.#subject = new Subject("ws://example.com/", { version, subprotocols: ["chat"] });
    this.#good = bytesOf(`${this.#subject.answer}\x81\x02hi`);
  }

  /** Tries one response whole and in pieces, and checks that the results are equal. */
  try(random: () => number, name: string): "opened" | "refused" {
    const answer = spoil(this.#good, random);
    const whole = this.#subject.feed([answer], true);
    assert(whole !== "waiting", "it ends with the connection");
    const pieces = cut(answer, random);
    assertEquals(summary(this.#subject.feed(pieces, true)), summary(whole), name);
    return "error" in whole ? "refused" : "opened";
  }
}
