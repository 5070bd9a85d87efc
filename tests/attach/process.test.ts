import { assertEquals } from "@std/assert";
import { describe, test } from "node:test";
import { websocketConnect } from "../../src/client/mod.ts";
import { spawnScript } from "../support/spawn.ts";

describe("a process with app.shutdown() on SIGTERM", () => {
  for (const mode of ["accept", "attach"]) {
    test(`ends although clients of ${mode} stay`, async () => {
      const child = spawnScript("tests/attach/scripts/stop.ts", [mode]);
      try {
        const [, port] = await child.waitFor(/^port (\d+)$/m);
        const connection = await websocketConnect(`ws://127.0.0.1:${port}/`);
        connection.writeMessage("Hello");
        assertEquals(await connection.readMessage(), "Hello");
        const stopped = child.stop();
        assertEquals(await connection.readMessage(), undefined);
        assertEquals([connection.closeCode, await stopped], [1001, 0]);
      } finally {
        await child.stop();
      }
    });
  }
});
