import { assertEquals } from "@std/assert";
import { describe, test } from "node:test";
import { WriteSlab } from "../../src/transport/node_slab.ts";
import type { NodeSocket } from "../../src/transport/node_types.ts";

const FILLED = 20_000;

/** A socket that either keeps written bytes or sends them at once. */
class Kept {
  readonly written: Uint8Array[] = [];
  writableLength = 0;
  readonly #isPending: boolean;
  readonly #during: () => void;

  constructor(isPending: boolean, during: () => void = () => {}) {
    this.#isPending = isPending;
    this.#during = during;
  }

  write(bytes: Uint8Array): boolean {
    this.written.push(bytes);
    this.#during();
    if (this.#isPending) this.writableLength += bytes.length;
    return !this.#isPending;
  }

  /** The first byte of each write that waits. All bytes of a write are the same here. */
  get waiting(): number[] {
    return this.written.map((bytes) => bytes.every((byte) => byte === bytes[0]) ? bytes[0]! : -1);
  }
}

function write(slab: WriteSlab, socket: Kept, fill: number, length: number): void {
  slab.write(socket as unknown as NodeSocket, new Uint8Array(length).fill(fill), length);
}

describe("the memory of pending writes", () => {
  test("is used again for what was sent at once", () => {
    const slab = new WriteSlab();
    const sent = new Kept(false);
    for (let i = 0; i < 3; i++) write(slab, sent, i, 100);
    const [first, ...others] = sent.written.map(({ byteOffset }) => byteOffset);
    assertEquals(others, [first, first]);
  });

  test("is not used again for what waits", () => {
    const slab = new WriteSlab();
    const kept = new Kept(true);
    for (let i = 0; i < 9; i++) write(slab, kept, i, FILLED);
    assertEquals(kept.waiting, [0, 1, 2, 3, 4, 5, 6, 7, 8]);
  });

  for (const outer of [true, false]) {
    for (const [inner, count] of [[true, 1], [true, 7], [false, 1], [false, 7]] as const) {
      test(`stays whole if ${count} writes come inside of one: ${JSON.stringify({ outer, inner })}`, () => {
        const slab = new WriteSlab();
        const others = new Kept(inner);
        const kept = new Kept(outer, () => {
          for (let i = 0; i < count; i++) write(slab, others, 100 + i, FILLED);
        });
        write(slab, kept, 1, FILLED);
        // The bytes of the outer write must not change during its call.
        assertEquals(kept.waiting, [1]);
        const later = new Kept(true);
        for (let i = 0; i < 7; i++) write(slab, later, 50 + i, FILLED);
        assertEquals(later.waiting, [50, 51, 52, 53, 54, 55, 56]);
        if (outer) assertEquals(kept.waiting, [1]);
        if (inner) assertEquals(others.waiting, Array.from({ length: count }, (_, i) => 100 + i));
      });
    }
  }
});
