import { assertEquals } from "@std/assert";
import { describe, test } from "node:test";
import { Network } from "../../src/testing/network.ts";
import { settle } from "../support/settle.ts";

describe("the network of the test kit", () => {
  test("delivers later, one at a time and in order", async () => {
    const network = new Network();
    const log: string[] = [];
    network.schedule(() => {
      log.push("a");
      network.schedule(() => log.push("c"));
    });
    network.schedule(() => log.push("b"));
    assertEquals(log, []);
    await settle();
    assertEquals(log, ["a", "b", "c"]);
  });

  test("keeps the order of held deliveries", async () => {
    const network = new Network();
    const log: string[] = [];
    for (const name of ["a", "b", "c"]) {
      network.schedule(() => {
        log.push(name);
        if (name === "a") network.stall();
      });
    }
    await settle();
    assertEquals([log, network.stalled], [["a"], true]);
    network.schedule(() => log.push("d"));
    network.flow();
    network.flow();
    await settle();
    assertEquals([log, network.stalled], [["a", "b", "c", "d"], false]);
  });
});
