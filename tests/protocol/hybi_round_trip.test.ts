import { assertEquals } from "@std/assert";
import { describe, test } from "node:test";
import { Output } from "../../src/protocol/output.ts";
import { bytes } from "./hixie_cases.ts";
import { dice } from "./hixie_receive.ts";
import { begin, continuation, type HybiEvent, pattern, ping } from "./hybi_frames.ts";
import { client, receiveAll, server } from "./hybi_receive.ts";

/** Lengths near those at which the frame format changes, and some in between. */
const LENGTHS = [0, 1, 7, 8, 30, 31, 40, 63, 64, 124, 125, 126, 200, 1017, 1023, 1024, 1100, 5000];
const WORDS = ["a", "text ", "é", "世", "😀", "\ufffd", "\ufeff", "\0", "0123456789"];

function pieces(whole: Uint8Array, roll: (limit: number) => number, most: number): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < whole.length;) {
    const size = 1 + roll(most);
    pieces.push(whole.subarray(at, at + size));
    at += size;
  }
  return pieces;
}

function randomText(roll: (limit: number) => number, ascii: boolean): string {
  const length = LENGTHS[roll(LENGTHS.length)] as number;
  let text = "";
  while (text.length < length) text += ascii ? "x" : WORDS[roll(WORDS.length)];
  return text.slice(0, length).toWellFormed();
}

/** A random event. One end writes it, and the other end receives it. */
function randomEvent(roll: (limit: number) => number): HybiEvent {
  const kind = roll(10);
  if (kind < 4) return ["text", randomText(roll, true)];
  if (kind < 6) return ["text", randomText(roll, false)];
  const payload = pattern(LENGTHS[roll(LENGTHS.length)] as number);
  if (kind < 8) return ["binary", payload];
  return [kind === 8 ? "ping" : "pong", payload.subarray(0, 125)];
}

describe("one end receives what the other writes", () => {
  for (const [sender, receiver] of [[client, server], [server, client]] as const) {
    test(`from a ${sender.name} to a ${receiver.name}, in random pieces`, () => {
      for (let seed = 1; seed <= 25; seed++) {
        const roll = dice(seed);
        const from = sender();
        const output = new Output();
        const events = Array.from({ length: 60 }, () => randomEvent(roll));
        for (const event of events) {
          if (event[0] === "text") from.writeText(output, event[1]);
          else if (event[0] === "binary") from.writeBinary(output, event[1]);
          else if (event[0] === "ping") from.writePing(output, event[1]);
          else if (event[0] === "pong") from.writePong(output, event[1]);
        }
        from.writeClose(output, 1000, `seed ${seed}`);
        events.push(["close", 1000, `seed ${seed}`]);
        const sent = output.take();
        for (const most of [3, 50, 2000, 70_000]) {
          const { events: received } = receiveAll(
            receiver(),
            pieces(sent, roll, most),
            roll(2) === 0,
          );
          assertEquals(received, events, `seed ${seed}, pieces of ${most} at most`);
        }
      }
    });
  }

  test("in random fragments with pings between them", () => {
    for (let seed = 1; seed <= 60; seed++) {
      const roll = dice(seed);
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
        assertEquals(received, events, `seed ${seed}, pieces of ${most} at most`);
      }
    }
  });
});
