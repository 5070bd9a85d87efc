import { assertEquals } from "@std/assert";
import { describe, test } from "node:test";
import { Dispatcher } from "../../src/server/dispatcher.ts";
import type { ServerConnection } from "../../src/server/server_connection.ts";
import { gate, settle } from "../support/rig.ts";

/** A dispatcher, and the errors that its server is told. */
function make(maxQueuedSize = 1000) {
  const failed: unknown[] = [];
  const server = {
    connection: null as unknown,
    handler: {},
    hookContext: null,
    failed: (error: unknown) => failed.push(error),
    environment: { limits: { maxQueuedSize } },
  };
  return { dispatcher: new Dispatcher(server as unknown as ServerConnection), server, failed };
}

describe("a dispatcher", () => {
  test("closes with 1011 after an error that is not the peer's", () => {
    const { dispatcher, failed } = make();
    const error = new RangeError("Invalid array length");
    dispatcher.violation(error);
    assertEquals(failed, [error]);
  });

  test("accepts nothing before it has a connection", () => {
    const { dispatcher } = make();
    const empty = new Uint8Array(0);
    const taken = [dispatcher.text("a"), dispatcher.binary(empty), dispatcher.ping(empty)];
    taken.push(dispatcher.pong(empty), dispatcher.close(1000, ""));
    assertEquals(taken, [false, false, false, false, false]);
    dispatcher.resume();
    dispatcher.closeWhenIdle(1001, "");
  });

  test("stops parsing at a close frame", () => {
    const { dispatcher, server } = make();
    const closed: unknown[] = [];
    const peerClosed = (...args: unknown[]) => closed.push(args);
    server.connection = { state: "open", peerClosed };
    assertEquals([dispatcher.close(1000, "bye"), closed], [false, [[1000, "bye"]]]);
  });

  test("always queues one event, and more below maxQueuedSize", async () => {
    // An event without a payload counts 64 bytes.
    for (
      const [maxQueuedSize, rooms] of [[1, "yes no no"], [64, "yes no no"], [
        65,
        "yes yes no",
      ]] as const
    ) {
      const { dispatcher } = make(maxQueuedSize);
      const { promise, open } = gate();
      dispatcher.call(() => promise);
      const has = () => dispatcher.hasRoom ? "yes" : "no";
      const before = has();
      const after = [1, 2].map(() => {
        dispatcher.violation(new Error());
        return has();
      });
      assertEquals([before, ...after].join(" "), rooms, `${maxQueuedSize}`);
      open();
      await settle();
    }
  });

  for (
    const [policies, isOpen, told] of [
      [{}, true, ["catchUp", "onDrain"]],
      [null, true, ["onDrain"]],
      [{}, false, []],
    ] as const
  ) {
    test(`lets a subscriber catch up before onDrain(): ${JSON.stringify({ policies, isOpen })}`, () => {
      const called: string[] = [];
      const note = (name: string) => () => void called.push(name);
      const server = {
        connection: { isOpen, isLive: false, settle: note("settle") },
        policies,
        handler: { onDrain: note("onDrain") },
        hookContext: null,
        context: { topics: { catchUp: note("catchUp") } },
      };
      const dispatcher = new Dispatcher(server as unknown as ServerConnection);
      dispatcher.drained();
      assertEquals(called, [...told, "settle"]);
    });
  }
});
