import { assert, assertEquals, assertThrows } from "@std/assert";
import { describe, test } from "node:test";
import {
  cork,
  corked,
  expectMore,
  type Flushable,
  flushSoon,
  giveOutput,
  takeOutput,
  uncork,
} from "../../src/connection/cork.ts";

/** A connection that records its flushes, and may do more during one. */
function flushable(name: string, log: string[], then: () => void = () => {}): Flushable {
  return {
    flush() {
      log.push(name);
      then();
    },
  };
}

describe("output that is written", () => {
  test("during a chunk is sent at its end, in order", () => {
    const log: string[] = [];
    corked(() => {
      flushSoon(flushable("a", log));
      flushSoon(flushable("b", log));
      assertEquals(log, []);
    });
    assertEquals(log, ["a", "b"]);
  });

  test("at any other time is sent at the end of the microtask queue", async () => {
    const log: string[] = [];
    flushSoon(flushable("a", log));
    flushSoon(flushable("b", log));
    assertEquals(log, []);
    await Promise.resolve();
    assertEquals(log, ["a", "b"]);
  });

  test("before a chunk is sent at the end of the chunk, and only once", async () => {
    const log: string[] = [];
    flushSoon(flushable("before", log));
    corked(() => flushSoon(flushable("during", log)));
    assertEquals(log, ["before", "during"]);
    await Promise.resolve();
    assertEquals(log, ["before", "during"]);
  });

  test("during a chunk that throws is sent too", () => {
    const log: string[] = [];
    const run = () =>
      corked(() => {
        flushSoon(flushable("a", log));
        throw new Error("The chunk has failed");
      });
    assertThrows(run, Error, "The chunk has failed");
    assertEquals(log, ["a"]);
  });
});

describe("output while more is expected", () => {
  /** Waits for some microtasks. */
  async function microtasks(count: number): Promise<void> {
    for (let i = 0; i < count; i++) await null;
  }

  test("waits for it", async () => {
    const log: string[] = [];
    corked(() => {
      flushSoon(flushable("a", log));
      expectMore();
    });
    for (const name of ["b", "c"]) {
      await microtasks(3);
      assertEquals(log, []);
      flushSoon(flushable(name, log));
      expectMore();
    }
    await microtasks(20);
    assertEquals(log, ["a", "b", "c"]);
    // And it is over.
    corked(() => flushSoon(flushable("next", log)));
    assertEquals(log.slice(3), ["next"]);
  });

  /** How many microtasks pass until it is sent. */
  async function passed(log: readonly string[], each: () => void = () => {}): Promise<number> {
    let count = 0;
    for (; log.length === 0 && count < 1000; count++) {
      each();
      await null;
    }
    return count;
  }

  test("is sent after eight more microtasks if nothing comes", async () => {
    for (const write of [corked, (work: () => void) => work()]) {
      const log: string[] = [];
      write(() => {
        flushSoon(flushable("a", log));
        expectMore();
      });
      assertEquals(await passed(log), 9);
    }
  });

  test("waits for 256 microtasks at most", async () => {
    const log: string[] = [];
    flushSoon(flushable("a", log));
    assertEquals(await passed(log, expectMore), 257);
    await microtasks(20);
    corked(() => flushSoon(flushable("next", log)));
    assertEquals(log, ["a", "next"]);
  });
});

describe("a chunk inside another chunk", () => {
  test("does not send the output of the outer one", () => {
    const log: string[] = [];
    corked(() => {
      flushSoon(flushable("outer", log));
      corked(() => flushSoon(flushable("inner", log)));
      assertEquals(log, []);
    });
    assertEquals(log, ["outer", "inner"]);
  });
});

describe("a flush", () => {
  test("may add output of other connections", () => {
    const log: string[] = [];
    const other = flushable("other", log);
    corked(() => flushSoon(flushable("a", log, () => flushSoon(other))));
    assertEquals(log, ["a", "other"]);
  });

  for (const start of ["chunk", "microtask"] as const) {
    test(`of a ${start} may deliver a chunk, and then add output of others`, async () => {
      const log: string[] = [];
      const a = flushable("a", log, () => {
        cork();
        flushSoon(flushable("chunk", log));
        uncork();
        flushSoon(flushable("after", log));
      });
      const b = flushable("b", log);
      if (start === "chunk") {
        corked(() => {
          flushSoon(a);
          flushSoon(b);
        });
      } else {
        flushSoon(a);
        flushSoon(b);
      }
      await Promise.resolve();
      assertEquals(log, ["a", "b", "chunk", "after"]);
      // Nothing is left: the next chunk works as before.
      corked(() => flushSoon(flushable("next", log)));
      assertEquals(log.slice(4), ["next"]);
    });
  }
});

describe("outputs", () => {
  test("are not shared while they are in use", () => {
    const used = Array.from({ length: 200 }, () => takeOutput());
    assertEquals(new Set(used).size, used.length);
    for (const output of used) giveOutput(output);
    const again = Array.from({ length: 200 }, () => takeOutput());
    assertEquals(new Set(again).size, again.length);
    assert(again.every((output) => output.size === 0));
    for (const output of again) giveOutput(output);
  });

  test("are kept, up to 64", () => {
    const used = Array.from({ length: 200 }, () => takeOutput());
    for (const output of used) giveOutput(output);
    const again = Array.from({ length: 200 }, () => takeOutput());
    assertEquals(again.filter((output) => used.includes(output)).length, 64);
    for (const output of again) giveOutput(output);
  });
});
