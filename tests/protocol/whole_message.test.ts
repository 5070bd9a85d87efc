import { assertEquals } from "@std/assert";
import { describe, test } from "node:test";
import { mask } from "../../src/protocol/mask.ts";
import { MessageMemory } from "../../src/protocol/message_memory.ts";
import { Read } from "../../src/protocol/receive_state.ts";
import { wholeBinary, wholeText } from "../../src/protocol/whole_message.ts";
import { bytes } from "./hixie_cases.ts";
import { recorder } from "./hybi_receive.ts";
import { pattern } from "./hybi_frames.ts";

const MASKING_KEY = 0x3d21fa37;
const SIZES = [0, 1, 3, 4, 31, 32, 33, 191, 192, 193, 1000, 70_000, 200_000];

/** A chunk in which a masked payload stands between other bytes, as it is read. */
function reading(
  payload: Uint8Array,
  { before = 6, after = 9, owned = false, memory }: {
    readonly before?: number;
    readonly after?: number;
    readonly owned?: boolean;
    readonly memory?: MessageMemory;
  } = {},
): { read: Read; at: number; end: number; others: () => Uint8Array } {
  const chunk = new Uint8Array(before + payload.length + after).fill(0x2a);
  const end = before + payload.length;
  chunk.set(payload, before);
  mask(chunk, before, end, MASKING_KEY);
  const sink = memory === undefined ? recorder([]) : { ...recorder([]), memory };
  const read = new Read(chunk, owned, sink);
  read.maskingKey = MASKING_KEY;
  const others = () => bytes(chunk.subarray(0, before), chunk.subarray(end));
  return { read, at: before, end, others };
}

describe("a whole message", () => {
  for (const size of SIZES) {
    test(`of ${size} bytes is unmasked, and the bytes around it stay`, () => {
      const binary = reading(pattern(size));
      assertEquals(wholeBinary(binary.read, binary.at, binary.end), pattern(size));
      for (const message of ["a".repeat(size), `é${"a".repeat(size)}`]) {
        const text = reading(bytes(message));
        assertEquals(wholeText(text.read, text.at, text.end) === message, true);
        assertEquals(text.others(), new Uint8Array(15).fill(0x2a));
      }
      assertEquals(binary.others(), new Uint8Array(15).fill(0x2a));
    });
  }

  /** The size of the message and of the bytes before it, and whether it is a view of its chunk. */
  const rows: readonly (readonly [
    size: number,
    options: { before?: number; after?: number; owned?: boolean },
    isView: boolean,
  ])[] = [
    [1000, { before: 6, after: 0, owned: true }, true],
    [1000, { before: 1000, after: 0, owned: true }, true],
    [1000, { before: 1001, after: 0, owned: true }, false],
    [1000, { before: 6, after: 1, owned: true }, false],
    [1000, { before: 6, after: 0, owned: false }, false],
  ];
  for (const [size, options, isView] of rows) {
    test(`is ${isView ? "a view" : "a copy"}: ${JSON.stringify(options)}`, () => {
      const { read, at, end } = reading(pattern(size), options);
      const message = wholeBinary(read, at, end);
      assertEquals(message, pattern(size));
      assertEquals(message.buffer === read.chunk.buffer, isView);
      if (!isView) assertEquals(message.buffer.byteLength, size);
    });
  }

  test("borrows memory if the sink has it", () => {
    const memory = new MessageMemory(false);
    const lent = memory.take(1000);
    memory.give(lent);
    const { read, at, end } = reading(pattern(1000), { after: 0, owned: true, memory });
    const message = wholeBinary(read, at, end);
    assertEquals(message, pattern(1000));
    assertEquals(message.buffer === lent.buffer, true);
  });
});
