/**
 * Feeds the responses of a proxy, split in every way a network may split them.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { ProxyError } from "../../src/handshake/proxy_error.ts";
import type { TunnelHandshake } from "../../src/transport/transport.ts";
import { everyWay, textOf } from "./support.ts";

/** The outcome of a handshake. */
export interface TunnelOutcome {
  /** All bytes that were sent. */
  readonly sent: string;
  /** `"open"`, `"waiting"`, or the error. */
  readonly end: "open" | "waiting" | ProxyError;
  /** The bytes after the handshake. */
  readonly rest: string;
}

/** Feeds pieces of responses. Throws any error that is not a `ProxyError`. */
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

/** Feeds responses split in every way, checks that the outcomes are equal, and returns the outcome. */
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
