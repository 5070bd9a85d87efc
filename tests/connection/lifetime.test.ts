import { assertEquals, assertStrictEquals } from "@std/assert";
import { describe, test } from "node:test";
import type { ConnectionEnd } from "../../src/connection/connection_end.ts";
import { Lifetime } from "../../src/connection/lifetime.ts";

const first: ConnectionEnd = { by: "peer", code: 1000, reason: "bye" };
const second: ConnectionEnd = { by: "network", code: 1006, reason: "" };

describe("a lifetime", () => {
  test("tells its first end by a signal and a promise, made once", async () => {
    const lifetime = new Lifetime();
    const { signal, closed } = lifetime;
    assertEquals([lifetime.ended, signal.aborted], [undefined, false]);
    lifetime.end(first);
    assertStrictEquals(lifetime.ended, first);
    lifetime.end(second);
    assertStrictEquals(await closed, first);
    assertEquals(signal.aborted, true);
    assertStrictEquals(signal.reason, first);
    assertStrictEquals(lifetime.ended, first);
    assertStrictEquals(lifetime.signal, signal);
    assertStrictEquals(lifetime.closed, closed);
  });

  test("calls no listener inside of the call that ends it", async () => {
    const lifetime = new Lifetime();
    const calls: string[] = [];
    lifetime.signal.addEventListener("abort", () => calls.push("abort"));
    lifetime.end(first);
    calls.push("ended");
    await Promise.resolve();
    assertEquals(calls, ["ended", "abort"]);
  });

  for (
    const [name, make] of [
      ["later", () => {
        const lifetime = new Lifetime();
        lifetime.end(first);
        return lifetime;
      }],
      ["when it is made", () => new Lifetime(first)],
    ] as const
  ) {
    test(`that has ended ${name} tells it to those who ask after that`, async () => {
      const lifetime = make();
      assertEquals(lifetime.signal.aborted, true);
      assertStrictEquals(lifetime.signal.reason, first);
      assertStrictEquals(await lifetime.closed, first);
    });
  }
});
