import { assertEquals, assertNotEquals } from "@std/assert";
import { describe, test } from "node:test";
import { randomBytes, randomFor, seedGlobals } from "./random.ts";

function draw(name: string): unknown[] {
  seedGlobals(name);
  const bytes = crypto.getRandomValues(new Uint8Array(8));
  return [Math.random(), ...bytes, ...crypto.getRandomValues(new Uint32Array(2))];
}

describe("random numbers", () => {
  test("are the same for the same seed and name", () => {
    assertEquals(draw("a"), draw("a"));
    assertNotEquals(draw("a"), draw("b"));
    assertEquals(randomBytes(randomFor("a"), 9), randomBytes(randomFor("a"), 9));
  });

  test("fill a view and nothing beside it", () => {
    const bytes = new Uint8Array(10);
    crypto.getRandomValues(bytes.subarray(3, 7));
    assertEquals([...bytes.subarray(0, 3), ...bytes.subarray(7)], [0, 0, 0, 0, 0, 0]);
  });
});
