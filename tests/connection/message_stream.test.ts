import { assert, assertEquals, assertRejects } from "@std/assert";
import { describe, test } from "node:test";
import type { ConnectionEnd } from "../../src/connection/connection_end.ts";
import { IncomingStream, IncompleteMessageError } from "../../src/connection/message_stream.ts";
import { settle } from "../support/memory_client.ts";

/** A stream, and what its receiver is told: the size of the waiting pieces, `taken` and `done`. */
function make() {
  const told: (string | number)[] = [];
  let size = 0;
  const stream = new IncomingStream("text", {
    resized: (difference) => void told.push(size += difference),
    taken: () => void told.push("taken"),
    done: (done) => void told.push(done === stream ? "done" : "another"),
  });
  const take = () => told.splice(0);
  return { stream, take };
}

/** The size of a waiting piece, with what an event counts beside its text. */
const A = (() => {
  const { stream, take } = make();
  stream.push("a");
  return Number(take()[0]);
})();

describe("a message that arrives in pieces", () => {
  test("is taken piece by piece, up to its end", async () => {
    const { stream, take } = make();
    stream.push("a");
    stream.push("b");
    assertEquals([A > 0, take()], [true, [A, 2 * A]]);
    const { readable } = stream;
    assertEquals([readable === stream.readable, readable.kind], [true, "text"]);
    assertEquals(Object.keys(readable), ["kind"]);
    const reader = readable.getReader();
    await settle();
    assertEquals(take(), [], "nothing is taken before it is read");
    assertEquals(await reader.read() as unknown, { value: "a", done: false });
    assertEquals(take(), [A, "taken"]);
    stream.finish();
    assertEquals(take(), [], "a piece waits");
    assertEquals(await reader.read() as unknown, { value: "b", done: false });
    assertEquals(take(), [0, "done", "taken"]);
    assertEquals((await reader.read()).done, true);
    stream.abandon();
    stream.push("c");
    assertEquals(take(), []);
  });

  test("does not wait where it is wanted", async () => {
    const { stream, take } = make();
    const reader = stream.readable.getReader();
    const [first, second] = [reader.read(), reader.read()];
    await settle();
    stream.push("a");
    assertEquals(await first as unknown, { value: "a", done: false });
    await settle();
    assertEquals(take(), []);
    stream.finish();
    assertEquals([(await second).done, take()], [true, ["done"]]);
  });

  for (const isRead of [true, false]) {
    test(`is dropped if it is not wanted: ${isRead ? "cancelled" : "abandoned"}`, async () => {
      const { stream, take } = make();
      stream.push("a");
      stream.abandon();
      assertEquals(take(), [A], "nobody has asked for it yet");
      const { readable } = stream;
      if (isRead) {
        const reader = readable.getReader();
        stream.abandon();
        assertEquals(take(), [], "somebody reads it");
        await reader.cancel();
      } else stream.abandon();
      assertEquals(take(), [0, "done"]);
      stream.push("b");
      stream.finish();
      stream.abandon();
      assertEquals(take(), []);
    });
  }

  test("may stay incomplete", async () => {
    const { stream, take } = make();
    const error = new Error("lost");
    stream.push("a");
    stream.fail(error);
    assertEquals(take(), [A]);
    const reader = stream.readable.getReader();
    assertEquals(await reader.read() as unknown, { value: "a", done: false });
    assertEquals(take(), [0, "done", "taken"]);
    await assertRejects(() => reader.read(), Error, "lost");
    await reader.cancel().catch(() => {});
    assertEquals(take(), []);
  });
});

describe("a message that has arrived", () => {
  for (const message of ["ab", "", Uint8Array.of(1, 2), new Uint8Array(0)]) {
    test(`is one piece, or none: ${JSON.stringify(message)}`, async () => {
      let done = 0;
      const stream = IncomingStream.whole(message, {
        resized: () => {},
        taken: () => {},
        done: () => void done++,
      });
      assertEquals(stream.kind, typeof message === "string" ? "text" : "binary");
      assertEquals(done, 0, "nobody has asked for it yet");
      const pieces: (string | Uint8Array)[] = [];
      for await (const piece of stream.readable) pieces.push(piece);
      assertEquals([pieces, done], [message.length === 0 ? [] : [message], 1]);
    });
  }
});

describe("an incomplete message", () => {
  const cause = new Error("reset");
  const rows: [ended: ConnectionEnd, because: string][] = [
    [{ by: "peer", code: 1001, reason: "bye" }, "ended by peer (1001: bye)"],
    [{ by: "network", code: 1006, reason: "", error: cause }, "ended by network (1006)"],
  ];
  for (const [ended, because] of rows) {
    test(`tells why: ${because}`, () => {
      const error = new IncompleteMessageError(ended);
      assertEquals(
        error.message,
        `Cannot read the rest of a message: the connection was ${because}`,
      );
      assertEquals(error.name, "IncompleteMessageError");
      assert(error.ended === ended);
      assertEquals(["cause" in error, error.cause], [ended.error !== undefined, ended.error]);
    });
  }
});
