import { assertEquals, assertExists, assertStrictEquals } from "@std/assert";
import { describe, test } from "node:test";
import { Read, Unfinished } from "../../src/protocol/receive_state.ts";
import { recorder } from "./hybi_receive.ts";

function read(size: number): Read {
  return new Read(new Uint8Array(size + 9).subarray(4, size + 4), false, recorder([]));
}

describe("the view of a chunk", () => {
  const rows = [[192, 0, true], [192, 191, true], [192, 192, false], [191, 0, false]] as const;
  for (const [size, end, isMade] of rows) {
    test(`of ${size} bytes is ${isMade ? "" : "not "}made for those behind ${end}`, () => {
      assertEquals(read(size).viewIfMoreThan(end) !== null, isMade);
    });
  }

  test("is made once, is kept to the end of the chunk, and is of the chunk alone", () => {
    const one = read(200);
    const view = one.viewIfMoreThan(10);
    assertExists(view);
    assertStrictEquals(one.viewIfMoreThan(20), view);
    assertStrictEquals(one.viewIfMoreThan(200), view);
    assertStrictEquals(view.buffer, one.chunk.buffer);
    assertEquals([view.byteOffset, view.byteLength], [4, 200]);
  });
});

test("what continues in the next chunk begins with nothing", () => {
  assertEquals({ ...new Unfinished() }, {
    state: "between frames",
    header: null,
    headerSize: 0,
    firstByte: 0,
    remaining: 0,
    maskingKey: 0,
    control: null,
    message: null,
  });
  const { headerSize, firstByte, payloadLength, maskingKey } = read(2);
  assertEquals([headerSize, firstByte, payloadLength, maskingKey], [0, 0, 0, 0]);
});
