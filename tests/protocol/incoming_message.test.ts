import { assertEquals } from "@std/assert";
import { describe, test } from "node:test";
import { Opcode } from "../../src/protocol/frame_header.ts";
import { IncomingMessage } from "../../src/protocol/incoming_message.ts";
import { count } from "../support/counting.ts";

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
  ["one in larger frames", [first(3000, 3000), first(10, 10)], [3000, 6000]],
  ["one whose last frame is small", [first(64, 64), last(2000, 2000)], [1024, 2064]],
  ["one of empty frames", [first(0, 0), last(0, 0)], []],
];

describe("the memory of a message", () => {
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
