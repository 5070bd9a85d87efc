import { assertEquals } from "@std/assert";
import { describe, test } from "node:test";
import { spawnScript } from "../support/spawn.ts";

describe("a reconnecting client", () => {
  test("waits although the process has nothing else to do", async () => {
    const child = spawnScript("tests/client/waiting_program.ts", [], { permission: "--allow-net" });
    assertEquals(await child.exited, 0, child.output);
    assertEquals(child.output, "gave up: HandshakeError\n");
  });
});
