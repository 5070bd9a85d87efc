/**
 * Random text of draft76 that is not UTF-8, for tests and for `task fuzz`.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { hex, textFrame } from "./hixie_cases.ts";
import { hixie, receiveAll } from "./hixie_receive.ts";

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** The first and last bytes of the ranges in the UTF-8 grammar. Not FF, which ends the frame. */
export const EDGES: Uint8Array = hex(
  "00 41 7F 80 8F 90 9F A0 BB BF C0 C1 C2 C3 DF E0 E1 EC ED EE EF F0 F1 F3 F4 F5 F8 FE",
);

/** The text of a payload, decoded in one piece as the Encoding Standard requires. */
export function oneShot(payload: Uint8Array): string {
  return decoder.decode(payload);
}

/**
 * Sends one payload in random pieces. @param roll Returns an integer from 0 to below `limit`.
 *
 * @throws {AssertionError} If the text is not what the payload is in one piece.
 */
export function tryBrokenText(roll: (limit: number) => number, round: number): void {
  const payload = new Uint8Array(roll(round % 20 === 0 ? 20_000 : 300));
  const badness = [1, 4, 40][round % 3] ?? 1;
  for (let i = 0; i < payload.length; i++) {
    payload[i] = roll(badness) === 0 ? EDGES[roll(EDGES.length)] ?? 0 : 0x61;
  }
  const frame = textFrame(payload);
  const largest = [3, 50, 1500, 9000][roll(4)] ?? 1;
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < frame.length;) {
    const end = at + 1 + roll(largest);
    pieces.push(frame.subarray(at, end));
    at = end;
  }
  assertEquals(receiveAll(hixie(), pieces), [["text", oneShot(payload)]], `round ${round}`);
}
