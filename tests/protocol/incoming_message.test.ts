import { assertEquals, assertThrows } from "@std/assert";
import { describe, test } from "node:test";
import { ProtocolError } from "../../src/errors.ts";
import { Opcode } from "../../src/protocol/frame_header.ts";
import { IncomingMessage } from "../../src/protocol/incoming_message.ts";
import { mask, rotate } from "../../src/protocol/mask.ts";
import { MessageMemory } from "../../src/protocol/message_memory.ts";
import {
  giveSpare,
  keepFreed,
  SMALLEST_SPARE,
  takeSpare,
} from "../../src/protocol/spare_memory.ts";
import { count } from "../support/counting.ts";
import { bytes, hex } from "./hixie_cases.ts";

const MIB = 1024 * 1024;

/** The size of a frame, and how many bytes arrive at a time. */
interface Frame {
  readonly length: number;
  readonly isLast: boolean;
  readonly chunks: readonly number[];
}

function last(length: number, ...chunks: readonly number[]): Frame {
  return { length, isLast: true, chunks };
}

function first(length: number, ...chunks: readonly number[]): Frame {
  return { length, isLast: false, chunks };
}

/** The sizes of allocations, in bytes: for received data, and in advance. */
const rows: readonly (readonly [name: string, frames: readonly Frame[], memory: number[]])[] = [
  ["a small one in one frame", [last(1000, 1000)], [1000]],
  ["one in pieces", [last(100_000, 10, 90, 1900)], [10 + 1024, 2000 * 17]],
  ["a large one in pieces", [last(10 * MIB, 100_000)], [100_000 + MIB]],
  ["a large one in larger pieces", [last(10 * MIB, 3 * MIB)], [6 * MIB]],
  ["one in small frames", [first(64, 64), first(960, 960), first(1, 1)], [1024, 2048]],
  ["one that fills its memory", [first(64, 64), first(960, 960)], [1024]],
  ["one in larger frames", [first(3000, 3000), first(10, 10)], [3000, 6000]],
  ["one whose last frame is small", [first(64, 64), last(2000, 2000)], [1024, 2064]],
  ["one of empty frames", [first(0, 0), last(0, 0)], []],
];

describe("the memory of a message", () => {
  // Otherwise, the first long message would allocate more.
  keepFreed(SMALLEST_SPARE);
  for (const [name, frames, memory] of rows) {
    test(`is made for what has come, and not far ahead: ${name}`, () => {
      const message = new IncomingMessage(Opcode.binary, false);
      const chunks = frames.map((frame) => frame.chunks.map((size) => new Uint8Array(size)));
      const { buffers } = count(() => {
        for (const [i, { length, isLast }] of frames.entries()) {
          message.beginFrame(length, isLast);
          for (const chunk of chunks[i]!) message.append(chunk, 0, chunk.length, 0);
        }
      });
      assertEquals(buffers, memory);
      assertEquals(message.frames, frames.length);
      assertEquals(message.size, chunks.flat().reduce((sum, { length }) => sum + length, 0));
      assertEquals(message.binary().length, message.size);
    });
  }
});

const MASKING_KEY = 0x3d21fa37;

/** Receives a frame in chunks, masked. */
function receive(message: IncomingMessage, chunks: readonly Uint8Array[], isLast = true): void {
  message.beginFrame(chunks.reduce((sum, { length }) => sum + length, 0), isLast);
  let at = 0;
  for (const chunk of chunks) {
    const key = rotate(MASKING_KEY, at);
    const masked = bytes("**", chunk, "*"); // only the middle belongs to the frame
    mask(masked, 2, 2 + chunk.length, key);
    message.append(masked, 2, 2 + chunk.length, key);
    at += chunk.length;
  }
}

/** Bytes in two parts, divided everywhere. */
function splits(whole: Uint8Array): [Uint8Array, Uint8Array][] {
  return Array.from(
    { length: whole.length + 1 },
    (_, at) => [whole.slice(0, at), whole.slice(at)],
  );
}

describe("a text in chunks and frames", () => {
  for (const expected of ["", "a", "Hello", "\x7f", "\x80", "é世😀", "a\ufeff"]) {
    test(JSON.stringify(expected), () => {
      for (const [one, other] of splits(bytes(expected))) {
        const inChunks = new IncomingMessage(Opcode.text, false);
        receive(inChunks, [one, other]);
        assertEquals(inChunks.text(), expected);
        const inFrames = new IncomingMessage(Opcode.text, false);
        receive(inFrames, [one], false);
        receive(inFrames, [other]);
        assertEquals(inFrames.text(), expected);
      }
    });
  }

  test("is refused at the first byte that is not UTF-8", () => {
    for (const broken of ["FF", "C3 41", "ED A0", "61 80", "E4 B8 41"]) {
      const whole = hex(broken);
      const message = new IncomingMessage(Opcode.text, false);
      message.beginFrame(whole.length, true);
      message.append(whole.slice(0, -1), 0, whole.length - 1, 0);
      const error = assertThrows(() => message.append(whole.slice(-1), 0, 1, 0), ProtocolError);
      assertEquals(error.code, 1007);
    }
  });

  test("is refused if it ends inside a character", () => {
    const message = new IncomingMessage(Opcode.text, false);
    receive(message, [hex("61 E4 B8")]);
    assertEquals(assertThrows(() => message.text(), ProtocolError).code, 1007);
  });

  test("may have any bytes if it is compressed", () => {
    const message = new IncomingMessage(Opcode.text, true);
    receive(message, [hex("FF C3 41")]);
    assertEquals(message.binary(), hex("FF C3 41"));
  });

  test("takes spare memory, and gives its own to the next one", () => {
    while (takeSpare(SMALLEST_SPARE) !== null);
    const whole = bytes("é".repeat(10_000));
    const halves = [whole.slice(0, 9999), whole.slice(9999)];
    const memory = () => {
      const message = new IncomingMessage(Opcode.text, false);
      const counts = count(() => receive(message, halves));
      assertEquals(message.text(), "é".repeat(10_000));
      // Not the chunks of this test, which are three bytes longer than their parts.
      return counts.buffers.filter((size) => size >= SMALLEST_SPARE);
    };
    assertEquals(memory(), [20_000]);
    assertEquals(memory(), []);
  });
});

describe("a binary message", () => {
  const whole = bytes("0123456789".repeat(200));

  test("belongs to the receiver, without more memory than its size", () => {
    for (const isCompressed of [false, true]) {
      for (const chunks of [[whole], [whole.slice(0, 10), whole.slice(10)]]) {
        const message = new IncomingMessage(Opcode.binary, isCompressed);
        receive(message, chunks, false);
        receive(message, [bytes("end")]);
        const received = message.binary();
        assertEquals(received, bytes(whole, "end"));
        assertEquals(received.buffer.byteLength, received.length);
      }
    }
  });

  test("takes no spare memory", () => {
    giveSpare(new Uint8Array(20_000));
    const message = new IncomingMessage(Opcode.binary, false);
    receive(message, [new Uint8Array(20_000)]);
    assertEquals(takeSpare(20_000)?.length, 20_000);
  });

  test("is in the memory that it was given, and gives back what became too small", () => {
    const memory = new MessageMemory(false);
    const small = memory.take(1024);
    memory.give(small);
    const message = new IncomingMessage(Opcode.binary, false, memory);
    receive(message, [whole.slice(0, 600)], false);
    receive(message, [whole.slice(600)], false);
    receive(message, [bytes("end")]);
    const received = message.binary();
    assertEquals(received, bytes(whole, "end"));
    assertEquals(memory.take(1024).buffer === small.buffer, true);
    memory.give(received);
    assertEquals(memory.take(received.length).buffer === received.buffer, true);
  });

  test("is in memory of its own if it is compressed or a text", () => {
    for (const [opcode, isCompressed] of [[Opcode.binary, true], [Opcode.text, true]] as const) {
      const memory = new MessageMemory(false);
      const small = memory.take(2000);
      memory.give(small);
      const message = new IncomingMessage(opcode, isCompressed, memory);
      receive(message, [whole]);
      assertEquals(message.binary().buffer === small.buffer, false);
    }
    const memory = new MessageMemory(false);
    const small = memory.take(2000);
    memory.give(small);
    const text = new IncomingMessage(Opcode.text, false, memory);
    receive(text, [whole]);
    assertEquals(memory.take(2000).buffer === small.buffer, true);
  });
});
