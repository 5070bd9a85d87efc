import { assert, assertEquals } from "@std/assert";
import { describe, test } from "node:test";
import { EDGES, oneShot, tryBrokenText } from "./broken_text.ts";
import { bytes, hex, textFrame } from "./hixie_cases.ts";
import { chopped, dice, hixie, receiveAll } from "./hixie_receive.ts";

describe("text that is not UTF-8 is decoded as if it came in one piece", () => {
  test("every sequence of three edge bytes, cut everywhere", () => {
    for (const a of EDGES) {
      for (const b of EDGES) {
        for (const c of EDGES) {
          const frame = Uint8Array.of(0x00, a, b, c, 0xff);
          const text = oneShot(frame.subarray(1, 4));
          for (const size of [1, 2, 3, 5]) {
            const [event] = receiveAll(hixie(), chopped(frame, size));
            // There are many rows, so assertEquals runs only if the texts differ.
            if (event?.[0] !== "text" || event[1] !== text) {
              assertEquals([event], [["text", text]], `${a} ${b} ${c}`);
            }
          }
        }
      }
    }
  });

  test("random bytes of every size, in random pieces", () => {
    const roll = dice(76);
    for (let round = 0; round < 300; round++) tryBrokenText(roll, round);
  });

  test("a character that is cut at the end of each piece, at every byte", () => {
    for (const character of ["é", "世", "😀", "\ufeff"]) {
      const encoded = bytes(character);
      for (const before of [0, 1, 63, 1023, 1024, 1025, 4095, 4096, 4097]) {
        const frame = textFrame(bytes("x".repeat(before), encoded, "y".repeat(2000)));
        const events = [["text", "x".repeat(before) + character + "y".repeat(2000)] as const];
        for (let cut = 0; cut <= encoded.length; cut++) {
          const at = 1 + before + cut;
          for (const second of [at, at + 1, at + 1024, at + 1500]) {
            const pieces = [
              frame.subarray(0, at),
              frame.subarray(at, second),
              frame.subarray(second),
            ];
            assertEquals(receiveAll(hixie(), pieces), events);
          }
        }
      }
    }
  });

  test("a character that is cut at the end of each buffer of a long message", () => {
    const filler = "x".repeat(1 << 21);
    const ends = [1 << 20, (1 << 20) + (1 << 16), (1 << 20) + (1 << 17)];
    // The first or last characters of each length: C3 BF, E0 A0 80, F0 90 80 80.
    for (const character of ["ÿ", "\u0800", "\u{10000}"]) {
      const encoded = bytes(character);
      for (let cut = 0; cut <= encoded.length; cut++) {
        const frame = new Uint8Array((ends.at(-1) as number) + 100_000).fill(0x78);
        frame[0] = 0x00;
        frame[frame.length - 1] = 0xff;
        let message = "";
        let at = 1;
        for (const end of ends) {
          message += filler.slice(0, 1 + end - cut - at) + character;
          frame.set(encoded, 1 + end - cut);
          at = 1 + end - cut + encoded.length;
        }
        message += filler.slice(0, frame.length - 1 - at);
        // The FF is in another piece, so the whole message is collected first.
        for (const pieces of [[frame.slice(0, -1), frame.slice(-1)], chopped(frame, 65536)]) {
          const [event] = receiveAll(hixie(), pieces);
          // Not assertEquals: it would print megabytes.
          assert(event?.[0] === "text" && event[1] === message, `cut ${cut} of ${character}`);
        }
      }
    }
  });

  test("a message shows nothing of a longer one before it", () => {
    const protocol = hixie();
    for (const message of ["é".repeat(600_000), "y".repeat(20_000), "", "z".repeat(300_000)]) {
      const [event] = receiveAll(protocol, chopped(textFrame(message), 10_000));
      assert(event?.[0] === "text" && event[1] === message, `${message.length} units`);
    }
  });

  test("many continuation bytes, in pieces of nothing else", () => {
    const payload = bytes(hex("F0 9F 98"), new Uint8Array(9000).fill(0x80), "é");
    for (const size of [1, 3, 4, 1024, 2048, 5000]) {
      const got = receiveAll(hixie(), chopped(textFrame(payload), size));
      assertEquals(got, [["text", oneShot(payload)]], `pieces of ${size}`);
    }
  });
});
