/**
 * Feeds the answers of a proxy in every way that a network may cut them.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { ProxyError } from "../../src/handshake/proxy_error.ts";
import type { TunnelHandshake } from "../../src/transport/transport.ts";
import { everyWay, textOf } from "./support.ts";

/** What a handshake has come to. */
export interface TunnelOutcome {
  /** All bytes that were sent. */
  readonly sent: string;
  /** `"open"`, `"waiting"`, or the error. */
  readonly end: "open" | "waiting" | ProxyError;
  /** The bytes after the handshake. */
  readonly rest: string;
}

/** Feeds pieces of answers. Any error but a `ProxyError` is thrown. */
export function feedPieces(
  handshake: TunnelHandshake,
  pieces: readonly Uint8Array[],
): TunnelOutcome {
  let sent = textOf(handshake.request);
  let end: TunnelOutcome["end"] = "waiting";
  let rest = "";
  for (const piece of pieces) {
    const chunk = piece.slice();
    let at = 0;
    while (end === "waiting" && at < chunk.length) {
      try {
        const answer = handshake.read(chunk.subarray(at));
        at += handshake.consumed;
        if (answer === "open") end = "open";
        else if (answer !== undefined) sent += textOf(answer);
      } catch (error) {
        if (!(error instanceof ProxyError)) throw error;
        end = error;
      }
    }
    if (end === "open") rest += textOf(chunk.subarray(at));
    chunk.fill(0x23); // A chunk is valid only during the call.
  }
  return { sent, end, rest };
}

/** Feeds answers in every way, checks that all come to the same, and returns what they come to. */
export function feedTunnel(make: () => TunnelHandshake, answers: Uint8Array): TunnelOutcome {
  const whole = feedPieces(make(), [answers]);
  for (const pieces of everyWay(answers)) {
    const { sent, end, rest } = feedPieces(make(), pieces);
    const lengths = pieces.map(({ length }) => length).join("+");
    assertEquals(sent, whole.sent, `in pieces of ${lengths}`);
    assertEquals([String(end), rest], [String(whole.end), whole.rest], `in pieces of ${lengths}`);
  }
  return whole;
}
