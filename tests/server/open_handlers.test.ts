import { assertEquals, assertThrows } from "@std/assert";
import { describe, test } from "node:test";
import { type AnyHandler, WebSocketHandler } from "../../src/server/handler.ts";
import { makeOpening, type MemoryClient } from "../support/memory_client.ts";
import { type Gate, gate, Rig, settle, VERSIONS } from "../support/rig.ts";

/** Is subscribed to the topics in its path. */
class Named extends WebSocketHandler<unknown, { name: string }> {
  static gate: Gate = gate();
  override async prepare(): Promise<void> {
    if (this.params.name === "slow") await Named.gate.promise;
  }
  override open(): void {
    void this.subscribe("all");
    void this.subscribe(this.params.name);
  }
  onMessage(): void {}
}

/** Makes an application with a client for each name. */
async function start(
  ...names: readonly string[]
): Promise<{ rig: Rig; clients: readonly MemoryClient[] }> {
  const rig = new Rig([["/:name", Named]]);
  const clients: MemoryClient[] = [];
  for (const [index, name] of names.entries()) {
    const version = VERSIONS[index % VERSIONS.length] ?? "rfc6455";
    clients.push(await rig.open(version, { path: `/${name}` }));
  }
  return { rig, clients };
}

function names(handlers: Iterable<AnyHandler>): string[] {
  return [...handlers].map((handler) => (handler as Named).params.name).sort();
}

describe("connections()", () => {
  test("has those of every version that are open, and no others", async () => {
    const { rig, clients } = await start("a", "b", "c", "d", "e");
    const { client } = rig.join();
    client.write(makeOpening("rfc6455", { path: "/slow" }).head);
    rig.join();
    await settle();
    assertEquals(names(rig.app.connections()), ["a", "b", "c", "d", "e"]);
    clients[1]?.transport.destroy();
    await settle();
    for (const handler of rig.app.connections()) {
      if ((handler as Named).params.name === "c") handler.close();
    }
    assertEquals(names(rig.app.connections()), ["a", "d", "e"]);
    Named.gate.open();
    await settle();
    assertEquals(names(rig.app.connections()), ["a", "d", "e", "slow"]);
  });

  test("is empty without connections, and can be left early", async () => {
    assertEquals([...new Rig([["/:name", Named]]).app.connections()], []);
    const { rig } = await start("a", "b");
    for (const handler of rig.app.connections()) {
      assertEquals(names([handler]), ["a"]);
      break;
    }
  });
});

const LISTS: Readonly<Record<string, (rig: Rig) => Iterable<AnyHandler>>> = {
  "connections()": ({ app }) => app.connections(),
  "subscribers(topic)": ({ app }) => app.subscribers("all"),
};
for (const [name, list] of Object.entries(LISTS)) {
  describe(`${name}, during an iteration`, () => {
    test("leaves out those that have closed", async () => {
      const { rig } = await start("a", "b", "c", "d", "e", "f");
      const seen: string[] = [];
      for (const handler of list(rig)) {
        seen.push(...names([handler]));
        for (const other of [...list(rig)].slice(-2)) other.abort();
      }
      assertEquals(seen, ["a", "b"]);
      await settle();
      assertEquals(names(list(rig)), ["a", "b"]);
    });

    test("visits the others once, whoever comes and goes", async () => {
      const { rig } = await start("a", "b", "c", "d");
      const seen: string[] = [];
      for (const handler of list(rig)) {
        seen.push(...names([handler]));
        handler.abort();
        await rig.open("rfc6455", { path: "/new" });
      }
      assertEquals(seen, ["a", "b", "c", "d"]);
      assertEquals(names(list(rig)), ["new", "new", "new", "new"]);
    });
  });
}

describe("subscribers(topic)", () => {
  test("has the handlers of the topic, and subscriberCount(topic) their number", async () => {
    const { rig } = await start("a", "b", "b");
    const { app } = rig;
    const seen = ["all", "a", "b", "z"].map((topic) => names(app.subscribers(topic)).join());
    assertEquals(seen, ["a,b,b", "a", "b,b", ""]);
    const counts = ["all", "a", "b", "z"].map((topic) => app.subscriberCount(topic));
    assertEquals(counts, [3, 1, 2, 0]);
  });

  test("leaves out those that unsubscribe during the iteration", async () => {
    const { rig: { app } } = await start("a", "b", "c");
    const seen: string[] = [];
    for (const handler of app.subscribers("all")) {
      seen.push(...names([handler]));
      for (const other of app.subscribers("all")) if (other !== handler) other.unsubscribe("all");
    }
    assertEquals(seen, ["a"]);
  });

  test("refuses a wrong topic at the call", async () => {
    const { rig: { app } } = await start();
    for (const wrong of ["", 1, undefined, "a".repeat(257)]) {
      assertThrows(
        () => app.subscribers(wrong as string),
        TypeError,
        "Cannot list the subscribers of",
      );
    }
  });
});
