import { assert, assertEquals, assertLess, assertStrictEquals, assertThrows } from "@std/assert";
import { describe, test } from "node:test";
import { ProtocolError } from "../../src/errors.ts";
import {
  DelimitedFrame,
  type Frame,
  indexOfEnd,
  LengthFrame,
  TextFrame,
} from "../../src/protocol/hixie_frames.ts";
import type { Sink } from "../../src/protocol/protocol.ts";
import { SMALLEST_SPARE, takeSpare } from "../../src/protocol/spare_memory.ts";
import { count } from "../support/counting.ts";
import { bytes, hex } from "./hixie_cases.ts";

const MIB = 1024 * 1024;

/** A sink of the frames that are reported. It says to go on unless `goesOn` is false. */
function recorder(reports: unknown[], goesOn = true): Sink {
  const note = (...report: unknown[]): boolean => {
    reports.push(report);
    return goesOn;
  };
  const refuse = (): never => {
    throw new Error("There is no such frame");
  };
  return {
    text: (message) => note("text", message),
    close: (code, reason) => note("close", code, reason),
    binary: refuse,
    ping: refuse,
    pong: refuse,
  };
}

/** Feeds chunks until the frame has ended. Returns how many bytes belong to it. */
function feed(frame: Frame, chunks: Iterable<Uint8Array>): number {
  let size = 0;
  for (const chunk of chunks) {
    const after = frame.receive(chunk, 0);
    size += after;
    if (frame.ended) return size;
    assertEquals(after, chunk.length);
  }
  return size;
}

/** The bytes one by one, and in two chunks, split everywhere. */
function* splits(input: Uint8Array): Generator<Uint8Array[]> {
  yield Array.from(input, (byte) => Uint8Array.of(byte));
  for (let at = 0; at <= input.length; at++) yield [input.subarray(0, at), input.subarray(at)];
}

describe("indexOfEnd", () => {
  for (const filler of ["a", "é"]) {
    test(`finds the first FF in short and long chunks of ${filler}`, () => {
      for (const at of [0, 7]) {
        for (const length of [at, at + 1, at + 1023, at + 1024, at + 1025, at + 1026, 5000]) {
          const chunk = bytes(filler.repeat(5000)).slice(0, length);
          assertLess(indexOfEnd(chunk, at), 0);
          for (const end of [at, at + 1, at + 1022, at + 1023, at + 1024, at + 1025, length - 1]) {
            if (end < at || end >= length) continue;
            const ended = chunk.slice();
            ended[end] = 0xff;
            assertEquals(indexOfEnd(ended, at), end, `FF at ${end} of ${length}, from ${at}`);
            ended[length - 1] = 0xff; // a second one
            assertEquals(indexOfEnd(ended, at), end);
            if (at > 0) ended[at - 1] = 0xff; // one before
            assertEquals(indexOfEnd(ended, at), end);
          }
        }
      }
    });
  }
});

describe("a text frame", () => {
  test("is received in any pieces, until FF", () => {
    for (const message of ["", "a", "Hello", "é世😀", "\ufeff", "a".repeat(33), "b".repeat(64)]) {
      const input = bytes(message, hex("FF"), "next");
      for (const chunks of splits(input)) {
        const frame = new TextFrame(1000);
        assertEquals(feed(frame, chunks), input.length - 4);
        assertStrictEquals(frame.next, null);
        const reports: unknown[] = [];
        assert(frame.report(recorder(reports)));
        assertEquals(reports, [["text", message]]);
      }
    }
  });

  test("passes on that the sink says stop", () => {
    const frame = new TextFrame(1000);
    feed(frame, [hex("61 FF")]);
    assertEquals(frame.report(recorder([], false)), false);
  });

  test("is received in pieces of many sizes, from an offset on", () => {
    const message = Array.from({ length: 9000 }, (_, i) => "aé世😀\n"[i % 5]).join("");
    const all = bytes(message, hex("FF"));
    const frame = new TextFrame(all.length - 1);
    let at = 0;
    for (let size = 1; at < all.length; size = size % 131 + 1) {
      const chunk = bytes(hex("FF FF"), all.subarray(at, at + size));
      at += frame.receive(chunk, 2) - 2;
    }
    assert(frame.ended);
    const reports: unknown[] = [];
    frame.report(recorder(reports));
    assertEquals(reports, [["text", message]]);
  });

  test("may be as long as the limit, but not longer", () => {
    for (const limit of [0, 1, 100]) {
      const fits = new TextFrame(limit);
      feed(fits, [bytes("a".repeat(limit)), hex("FF")]);
      assert(fits.ended);
      const error = assertThrows(
        () => feed(new TextFrame(limit), [bytes("a".repeat(limit)), bytes("a")]),
        ProtocolError,
        `Cannot receive a text message of more than ${limit} bytes (maxMessageSize)`,
      );
      assertEquals(error.code, 1009);
    }
  });

  // Each begins or continues with the least or the greatest byte of its kind.
  for (const character of ["\u07ff", "\u0800", "\u4000", "\u{10000}"]) {
    const name = `U+${character.codePointAt(0)?.toString(16)}`;
    test(`is decoded in parts that do not divide ${name}`, () => {
      const size = bytes(character).length;
      for (let before = 1; before <= size; before++) {
        // The first part ends after 1 MiB.
        const message = `${"a".repeat(MIB - before)}${character}b`;
        const frame = new TextFrame(2 * MIB);
        feed(frame, [bytes(message, hex("FF"))]);
        const reports: unknown[] = [];
        frame.report(recorder(reports));
        assert((reports[0] as string[])[1] === message, `${before} bytes before`);
      }
    });
  }

  test("is decoded in parts after the first, too", () => {
    const message = `${"a".repeat(MIB + 65_534)}😀${"b".repeat(70_000)}`;
    const frame = new TextFrame(2 * MIB);
    feed(frame, [bytes(message, hex("FF"))]);
    const reports: unknown[] = [];
    frame.report(recorder(reports));
    assert((reports[0] as string[])[1] === message);
  });
});

describe("the memory of a long text frame", () => {
  const input = bytes("a".repeat(60_000));

  /** The sizes of new buffers, from 16 KiB on. */
  function taken(run: () => void): number[] {
    return count(run).buffers.filter((size) => size >= SMALLEST_SPARE);
  }

  /** A frame that has received `size` bytes of text. */
  function begun(size: number): TextFrame {
    const frame = new TextFrame(MIB);
    assert(frame.collect(input, 0, size));
    return frame;
  }

  test("is used for the next one", () => {
    while (takeSpare(SMALLEST_SPARE) !== null);
    const frame = begun(60_000);
    frame.report(recorder([]));
    assertEquals(taken(() => begun(60_000)), []);
    assertEquals(taken(() => begun(60_000)), [65_536]);
  });

  test("is used for another one after it has grown", () => {
    const frame = begun(10_000);
    while (takeSpare(SMALLEST_SPARE) !== null);
    assert(frame.collect(input, 0, 10_000)); // from 16 KiB to 64
    assertEquals(taken(() => begun(10_000)), []);
    assertEquals(taken(() => begun(10_000)), [16_384]);
  });
});

describe("a frame that ends with FF and is skipped", () => {
  test("is received in any pieces", () => {
    const input = bytes("skipped", hex("FF"), "next", hex("FF"));
    for (const chunks of splits(input)) {
      const frame = new DelimitedFrame(7);
      assertEquals(feed(frame, chunks), 8);
      assert(frame.report());
      assertStrictEquals(frame.next, null);
    }
    assertEquals(new DelimitedFrame(7).receive(hex("FF 61 FF"), 1), 3);
    const empty = new DelimitedFrame(0);
    assertEquals([feed(empty, [hex("FF")]), empty.ended], [1, true]);
  });

  test("may be as long as the limit, but not longer", () => {
    for (const chunks of splits(bytes("skipped!"))) {
      const error = assertThrows(() => feed(new DelimitedFrame(7), chunks), ProtocolError);
      assertEquals(
        [error.code, error.message],
        [1009, "Cannot receive a frame of more than 7 bytes (maxMessageSize)"],
      );
    }
  });
});

describe("a frame with a length", () => {
  const rows: readonly (readonly [digits: string, length: number])[] = [
    ["00", 0],
    ["01", 1],
    ["7F", 127],
    ["81 00", 128],
    ["82 03", 259],
    ["80 80 05", 5],
    ["80 80 80 80 80 80 80 80 02", 2],
  ];
  for (const [digits, length] of rows) {
    test(`${digits} is skipped in any pieces`, () => {
      const header = hex(digits);
      const input = bytes(header, new Uint8Array(length).fill(0xff), "next");
      for (const mayClose of [false, true]) {
        for (const chunks of splits(input)) {
          const frame = new LengthFrame(259, mayClose);
          assertEquals(feed(frame, chunks), header.length + length);
          const reports: unknown[] = [];
          assert(frame.report(recorder(reports)));
          const closes = mayClose && length === 0;
          assertEquals(reports, closes ? [["close", undefined, ""]] : []);
          assertEquals(frame.next === null, !closes);
        }
      }
    });
  }

  test("of 0 passes on that the sink says stop, and discards what follows", () => {
    const frame = new LengthFrame(9, true);
    feed(frame, [hex("00")]);
    assertEquals(frame.report(recorder([], false)), false);
    for (const chunk of [hex("00 61 FF"), hex("FF 00")]) {
      assertEquals(frame.next?.receive(chunk, 0), chunk.length);
      assertEquals(frame.next?.ended, false);
    }
    assert(frame.next?.report(recorder([])));
  });

  test("must not exceed the limit", () => {
    feed(new LengthFrame(300, false), [hex("82 2C")]);
    for (const digits of ["82 2D", "83 00", "FF FF"]) {
      const error = assertThrows(
        () => feed(new LengthFrame(300, false), [hex(digits)]),
        ProtocolError,
      );
      assertEquals(
        [error.code, error.message],
        [1009, "Cannot receive a frame of more than 300 bytes (maxMessageSize)"],
      );
    }
  });

  test("must not have a tenth digit", () => {
    const frame = new LengthFrame(300, false);
    feed(frame, [new Uint8Array(9).fill(0x80)]);
    const error = assertThrows(() => feed(frame, [hex("00")]), ProtocolError);
    assertEquals(
      [error.code, error.message],
      [
        1009,
        'Cannot receive a frame with a length of more than 9 digits (draft76, "Data framing")',
      ],
    );
  });
});
