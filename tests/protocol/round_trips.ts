/**
 * Random events that one end writes and the other receives, for tests and for `task fuzz`.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import type { Hybi } from "../../src/protocol/hybi.ts";
import { Output } from "../../src/protocol/output.ts";
import { bytes } from "./hixie_cases.ts";
import { begin, continuation, type HybiEvent, pattern, ping } from "./hybi_frames.ts";
import { receiveAll, server } from "./hybi_receive.ts";

/** Returns an integer from 0 to below `limit`. */
type Roll = (limit: number) => number;

/** Lengths near those at which the frame format changes, and some in between. */
const LENGTHS = [0, 1, 7, 8, 30, 31, 40, 63, 64, 124, 125, 126, 200, 1017, 1023, 1024, 1100, 5000];
const WORDS = ["a", "text ", "é", "世", "😀", "\ufffd", "\ufeff", "\0", "0123456789"];

function pieces(whole: Uint8Array, roll: Roll, most: number): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < whole.length;) {
    const size = 1 + roll(most);
    pieces.push(whole.subarray(at, at + size));
    at += size;
  }
  return pieces;
}

function randomText(roll: Roll, ascii: boolean): string {
  const length = LENGTHS[roll(LENGTHS.length)] as number;
  let text = "";
  while (text.length < length) text += ascii ? "x" : WORDS[roll(WORDS.length)];
  return text.slice(0, length).toWellFormed();
}

/** A random event. One end writes it, and the other end receives it. */
function randomEvent(roll: Roll): HybiEvent {
  const kind = roll(10);
  if (kind < 4) return ["text", randomText(roll, true)];
  if (kind < 6) return ["text", randomText(roll, false)];
  const payload = pattern(LENGTHS[roll(LENGTHS.length)] as number);
  if (kind < 8) return ["binary", payload];
  return [kind === 8 ? "ping" : "pong", payload.subarray(0, 125)];
}

/** Sends random events from one end to the other, in random pieces. @param name Names the attempt. */
export function tryEvents(
  roll: Roll,
  { from, makeReceiver, name }: { from: Hybi; makeReceiver: () => Hybi; name: string },
): void {
  const output = new Output();
  const events = Array.from({ length: 60 }, () => randomEvent(roll));
  for (const event of events) {
    if (event[0] === "text") from.writeText(output, event[1]);
    else if (event[0] === "binary") from.writeBinary(output, event[1]);
    else if (event[0] === "ping") from.writePing(output, event[1]);
    else if (event[0] === "pong") from.writePong(output, event[1]);
  }
  from.writeClose(output, 1000, name);
  events.push(["close", 1000, name]);
  const sent = output.take();
  for (const most of [3, 50, 2000, 70_000]) {
    const parts = pieces(sent, roll, most);
    const { events: received } = receiveAll(makeReceiver(), parts, roll(2) === 0);
    assertEquals(received, events, `${name}, pieces of ${most} at most`);
  }
}

/** Sends a random text in random fragments with pings between them, in random pieces. */
export function tryFragments(roll: Roll, name: string): void {
  const text = randomText(roll, false);
  const parts = pieces(bytes(text), roll, 1 + roll(40));
  const frames = [begin("")];
  const events: HybiEvent[] = [];
  for (const part of parts) {
    frames.push(continuation(part, false));
    if (roll(3) > 0) continue;
    frames.push(ping(`${events.length}`));
    events.push(["ping", bytes(`${events.length}`)]);
  }
  frames.push(continuation("", true));
  events.push(["text", text]);
  for (const most of [1, 10, 1000]) {
    const { events: received } = receiveAll(server(), pieces(bytes(...frames), roll, most));
    assertEquals(received, events, `${name}, pieces of ${most} at most`);
  }
}
