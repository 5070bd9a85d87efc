import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { describe, test } from "node:test";
import { ProtocolError } from "../../src/errors.ts";
import { bytes, hex, type HixieEvent, lengthFrame, textFrame } from "./hixie_cases.ts";
import { chopped, hixie, receiveAll, recorder } from "./hixie_receive.ts";

const TOO_LONG: HixieEvent[] = [["error", 1009]];

describe("maxMessageSize", () => {
  for (const limit of [0, 1, 191, 192, 193, 1023, 1024, 4096, 5000, 70000]) {
    test(`a text of ${limit} bytes is received, one of ${limit + 1} is refused`, () => {
      const message = "x".repeat(limit);
      for (const size of [7, 1000, 1024, 1 << 20]) {
        const at = receiveAll(hixie("draft76", limit), chopped(textFrame(message), size));
        assertEquals(at, [["text", message]]);
        const over = receiveAll(
          hixie("draft76", limit),
          chopped(textFrame(message + "x"), size),
        );
        assertEquals(over, TOO_LONG);
      }
    });

    test(`frames of ${limit} bytes are skipped, those of ${limit + 1} are refused`, () => {
      for (const extra of [0, 1]) {
        const payload = new Uint8Array(limit + extra).fill(0x61);
        const frames = [
          bytes(hex("01"), payload, hex("FF")),
          bytes(hex("7F"), payload, hex("FF")),
          lengthFrame(0x80, payload),
          lengthFrame(0xfe, payload),
          lengthFrame(0xff, payload),
        ];
        for (const frame of frames) {
          // An empty frame of type FF is the close frame.
          if (payload.length === 0 && frame[0] === 0xff) continue;
          for (const size of [7, 1000, 1 << 20]) {
            const got = receiveAll(hixie("draft76", limit), chopped(frame, size));
            assertEquals(got, extra === 0 ? [] : TOO_LONG);
          }
        }
      }
    });
  }

  test("an endless text is refused at the first byte beyond the limit", () => {
    const protocol = hixie("draft76", 100_000);
    const chunk = new Uint8Array(1000).fill(0x61);
    assertEquals(receiveAll(protocol, [hex("00")]), []);
    for (let i = 0; i < 100; i++) assertEquals(receiveAll(protocol, [chunk]), []);
    assertEquals(receiveAll(protocol, [hex("61")]), TOO_LONG);
  });

  test("an endless frame of type 01 is refused at the first byte beyond the limit", () => {
    const protocol = hixie("draft76", 100_000);
    const chunk = new Uint8Array(1000).fill(0x61);
    assertEquals(receiveAll(protocol, [hex("01")]), []);
    for (let i = 0; i < 100; i++) assertEquals(receiveAll(protocol, [chunk]), []);
    assertEquals(receiveAll(protocol, [hex("61")]), TOO_LONG);
  });

  test("a length beyond the limit is refused at the first digit that exceeds it", () => {
    const gigabyte = hex("80 84 80 80 80 00");
    for (
      const [limit, tellsAt] of [[1 << 24, 6], [1 << 22, 5], [1000, 4], [4, 3], [3, 2]] as const
    ) {
      for (let size = 1; size <= gigabyte.length; size++) {
        const got = receiveAll(hixie("draft76", limit), [gigabyte.subarray(0, size)]);
        assertEquals(got, size < tellsAt ? [] : TOO_LONG, `limit ${limit}, ${size} bytes`);
      }
    }
  });

  test("a length has at most nine digits, even without a limit", () => {
    const protocol = hixie("draft76", Infinity);
    assertEquals(receiveAll(protocol, [bytes(hex("80"), new Uint8Array(9).fill(0xff))]), []);
    assertEquals(receiveAll(protocol, [hex("FF")]), TOO_LONG);
  });

  test("the errors name the limit", () => {
    const message = (sent: string): string =>
      assertThrows(
        () => hixie("draft76", 2).receive(hex(sent), false, recorder([])),
        ProtocolError,
      ).message;
    assertMatch(message("00 61 61 61 FF"), /^Cannot receive a text message of more than 2 bytes/);
    assertMatch(message("00 61 61 61"), /^Cannot receive a text message of more than 2 bytes/);
    assertMatch(message("01 61 61 61"), /^Cannot receive a frame of more than 2 bytes/);
    assertMatch(message("80 03"), /^Cannot receive a frame of more than 2 bytes/);
    assertMatch(message("80 80 80 80 80 80 80 80 80 80 80"), /more than 9 digits/);
  });
});
