import { assertEquals } from "@std/assert";
import { describe, test } from "node:test";
import { Dispatcher } from "../../src/server/dispatcher.ts";
import type { ServerConnection } from "../../src/server/server_connection.ts";

describe("a dispatcher", () => {
  test("closes with 1011 after an error that is not the peer's", () => {
    const failed: unknown[] = [];
    const server = { handler: null, failed: (error: unknown) => failed.push(error) };
    const error = new RangeError("Invalid array length");
    new Dispatcher(server as unknown as ServerConnection).violation(error);
    assertEquals(failed, [error]);
  });

  test("accepts nothing before it has a connection", () => {
    const dispatcher = new Dispatcher({ handler: null } as unknown as ServerConnection);
    const empty = new Uint8Array(0);
    const taken = [dispatcher.text("a"), dispatcher.binary(empty), dispatcher.ping(empty)];
    assertEquals([...taken, dispatcher.pong(empty), dispatcher.close(1000, "")], [
      ...[false, false, false],
      ...[false, false],
    ]);
    dispatcher.resume();
    dispatcher.closeWhenIdle(1001, "");
  });
});
