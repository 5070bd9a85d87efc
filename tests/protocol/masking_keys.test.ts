import { assertEquals, assertStrictEquals } from "@std/assert";
import { describe, test } from "node:test";
import { MaskingKeys } from "../../src/protocol/masking_keys.ts";

/** Runs with "random" numbers 1, 2, 3, … and returns how many bytes each call asked for. */
function withCounter(run: () => void, arrays: Set<unknown> = new Set()): number[] {
  const { getRandomValues } = crypto;
  const sizes: number[] = [];
  let count = 0;
  crypto.getRandomValues = (<T extends ArrayBufferView | null>(array: T): T => {
    const keys = array as unknown as Int32Array;
    sizes.push(keys.length);
    arrays.add(array);
    for (let i = 0; i < keys.length; i++) keys[i] = ++count;
    return array;
  }) as typeof getRandomValues;
  try {
    run();
  } finally {
    crypto.getRandomValues = getRandomValues;
  }
  return sizes;
}

describe("masking keys", () => {
  test("are each used once, in draws that double up to 256", () => {
    const keys = new MaskingKeys();
    const arrays = new Set();
    const sizes = withCounter(() => {
      for (let i = 1; i <= 1500; i++) assertStrictEquals(keys.next(), i);
    }, arrays);
    assertEquals(sizes, [4, 8, 16, 32, 64, 128, 256, 256, 256, 256, 256]);
    // The largest one is used again.
    assertEquals(arrays.size, 7);
  });

  test("are not drawn before the first is needed", () => {
    assertEquals(withCounter(() => void new MaskingKeys()), []);
  });

  test("are random 32-bit integers, different for each connection", () => {
    const all = [new MaskingKeys(), new MaskingKeys()].flatMap((keys) =>
      Array.from({ length: 1000 }, () => keys.next())
    );
    assertEquals(all.filter((key) => key !== (key | 0)), []);
    // Among 2000 random numbers below 2^32, two are equal in 1 of 2000 runs. Three equal ones do not
    // occur.
    const different = new Set(all).size;
    assertEquals(different >= 1998, true, `${different} different keys`);
    // Each bit is set in about half of the keys.
    for (let bit = 0; bit < 32; bit++) {
      const set = all.filter((key) => key >>> bit & 1).length;
      assertEquals(set > 700 && set < 1300, true, `bit ${bit} is set in ${set} keys`);
    }
  });
});
