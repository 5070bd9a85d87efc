import { describe, test } from "node:test";
import { assertEquals, assertStringIncludes } from "@std/assert";
import { WebSocketHandler } from "../../src/server/handler.ts";
import type { WebSocketVersion } from "../../src/handshake/versions.ts";
import { makeOpening, type MemoryClient } from "../support/memory_client.ts";
import { HIXIE, HYBI, Rig, settle, VERSIONS } from "../support/rig.ts";
import { checkEach } from "../support/rows.ts";

const HANDSHAKE_HOOKS = [
  "initialize",
  "prepare",
  "checkOrigin",
  "selectSubprotocol",
  "getCompressionOptions",
  "getWebSocketScheme",
  "allowDraft76",
] as const;
const OPEN_HOOKS = ["open", "onMessage", "onPing", "onPong", "onDrain"] as const;

/** A handler class with one given hook. Its other hooks are normal. */
function handlerWith(hook: string, act: (this: WebSocketHandler) => unknown): typeof Echo {
  class Broken extends Echo {}
  Object.defineProperty(Broken.prototype, hook, { value: act });
  return Broken;
}

class Echo extends WebSocketHandler {
  readonly logged: unknown[] = [];
  onMessage(message: string | Uint8Array): void {
    this.writeMessage(message);
  }
}

/** The ways to fail. */
const failures: Readonly<Record<string, () => unknown>> = {
  "throws": () => {
    throw new Error("on purpose");
  },
  "rejects": () => Promise.reject(new Error("on purpose")),
  "returns what only has then()": () => ({
    then: (_: unknown, reject: (error: Error) => void) => reject(new Error("on purpose")),
  }),
  "returns what throws in then()": () => ({
    then: () => {
      throw new Error("on purpose");
    },
  }),
  "returns what throws for then": () => ({
    get then() {
      throw new Error("on purpose");
    },
  }),
};

/** An application with the broken handler and a normal one, whose client stays connected. */
async function setUp(broken: typeof Echo, version: WebSocketVersion) {
  const rig = new Rig([["/broken", broken], ["/good", Echo]], { pingInterval: 0 });
  const bystander = await rig.open(version, { path: "/good" });
  const check = async (): Promise<void> => {
    bystander.send("still there");
    await settle();
    assertEquals(bystander.take(), ["text still there"]);
  };
  return { rig, check };
}

async function request(rig: Rig, version: WebSocketVersion): Promise<MemoryClient> {
  const { head, key3 } = makeOpening(version, {
    path: "/broken",
    subprotocols: ["chat"],
    fields: ["Sec-WebSocket-Extensions: permessage-deflate"],
  });
  const client = await rig.send(head);
  client.write(key3);
  await settle();
  return client;
}

/** The hooks that a version's handshake calls. */
function calls(hook: string, version: WebSocketVersion): boolean {
  if (hook === "getCompressionOptions") return HYBI.includes(version);
  if (hook === "allowDraft76" || hook === "getWebSocketScheme") return HIXIE.includes(version);
  return true;
}

for (const version of VERSIONS) {
  describe(`a handler of ${version} that fails`, () => {
    test("in its constructor gets a 500", async () => {
      class Broken extends Echo {
        readonly field = ((): never => {
          throw new Error("on purpose");
        })();
      }
      const { rig, check } = await setUp(Broken, version);
      const { status, body } = (await request(rig, version)).parseAnswer();
      assertEquals([status, body], [500, "internal error\n"]);
      assertEquals(rig.logged, ["Uncaught exception: on purpose"]);
      await check();
    });

    for (const hook of HANDSHAKE_HOOKS.filter((name) => calls(name, version))) {
      test(`in ${hook}() gets a 500`, async () => {
        await checkEach(Object.entries(failures), ([how]) => `if it ${how}`, async ([, fail]) => {
          const { rig, check } = await setUp(handlerWith(hook, fail), version);
          const client = await request(rig, version);
          const { status, body } = client.parseAnswer();
          assertEquals([status, body], [500, "internal error\n"]);
          assertEquals(client.events, ["FIN"]);
          assertEquals(rig.logged.length, 1);
          assertStringIncludes(rig.logged[0] ?? "", 'Uncaught exception in "/broken": ');
          await check();
        });
      });
    }

    for (const hook of OPEN_HOOKS) {
      if (HIXIE.includes(version) && (hook === "onPing" || hook === "onPong")) continue;
      test(`in ${hook}() closes only its connection`, async () => {
        await checkEach(Object.entries(failures), ([how]) => `if it ${how}`, async ([, fail]) => {
          let closed = 0;
          class Broken extends handlerWith(hook, fail) {
            override onClose(): void {
              closed++;
            }
          }
          const { rig, check } = await setUp(Broken, version);
          const { client } = rig.join({ capacity: 0 });
          await client.open(version, { path: "/broken" });
          if (hook !== "open") await provoke(client, hook);
          assertEquals(client.events.at(-1), "FIN");
          if (HYBI.includes(version)) {
            assertEquals(client.events.at(-2), "close 1011 internal error");
          }
          assertEquals([closed, rig.logged], [1, ['Uncaught exception in "/broken": on purpose']]);
          await check();
        });
      });
    }

    test("in onClose() is logged", async () => {
      await checkEach(Object.entries(failures), ([how]) => `if it ${how}`, async ([, fail]) => {
        const { rig, check } = await setUp(handlerWith("onClose", fail), version);
        const client = await rig.open(version, { path: "/broken" });
        client.end();
        await settle();
        assertEquals(client.events, ["FIN", "gone"]);
        assertEquals(rig.logged, ['Uncaught exception in "/broken": on purpose']);
        await check();
      });
    });

    test("in logException() is logged", async () => {
      await checkEach(Object.entries(failures), ([how]) => `if it ${how}`, async ([, fail]) => {
        class Broken extends handlerWith("logException", fail) {
          override onMessage(): void {
            throw new Error("the first");
          }
        }
        const { rig, check } = await setUp(Broken, version);
        const client = await rig.open(version, { path: "/broken" });
        client.send("go");
        await settle();
        assertEquals(client.events.at(-1), "FIN");
        assertEquals(rig.logged, ["Uncaught exception in logException: on purpose"]);
        await check();
      });
    });

    test("while a message is made into JSON closes only its connection", async () => {
      class Broken extends Echo {
        override onMessage(message: string): void {
          this.writeMessage(
            message === "getter"
              ? {
                get value() {
                  throw new Error("on purpose");
                },
              }
              : {
                toJSON() {
                  throw new Error("on purpose");
                },
              },
          );
        }
      }
      for (const kind of ["getter", "toJSON"]) {
        const { rig, check } = await setUp(Broken, version);
        const client = await rig.open(version, { path: "/broken" });
        client.send(kind);
        await settle();
        assertEquals(client.events.at(-1), "FIN");
        assertEquals(rig.logged, ['Uncaught exception in "/broken": on purpose']);
        await check();
      }
    });

    test("is logged once, although more errors follow", async () => {
      class Broken extends Echo {
        override async onMessage(): Promise<void> {
          this.asyncCallback(() => {
            throw new Error("the first");
          })();
          await this.writeMessage("that the connection is closed is no error of its own");
        }
      }
      const { rig, check } = await setUp(Broken, version);
      const client = await rig.open(version, { path: "/broken" });
      client.send("go");
      await settle();
      assertEquals(rig.logged, ['Uncaught exception in "/broken": the first']);
      await check();
    });

    test("while the setting log throws or rejects, closes only its connection", async () => {
      const told: unknown[][] = [];
      const { error } = console;
      console.error = (...line: unknown[]) => told.push(line);
      try {
        for (const how of ["throws", "rejects"]) {
          const rig = new Rig(handlerWith("onMessage", failures["throws"] ?? Object), {
            log: failures[how] as () => void,
          });
          const client = await rig.open(version);
          client.send("go");
          await settle();
          assertEquals(client.events.at(-1), "FIN");
          const bystander = await rig.open(version);
          assertEquals(bystander.events, []);
        }
        assertEquals(told.map(([line]) => String(line).split("\n")[0]), [
          "Uncaught exception in the setting log: Error: on purpose",
          "Uncaught exception in the setting log: Error: on purpose",
        ]);
      } finally {
        console.error = error;
      }
    });
  });
}

/** Causes a call of a hook. */
async function provoke(client: MemoryClient, hook: string): Promise<void> {
  if (hook === "onMessage") client.send("go");
  if (hook === "onPing") client.ping(new Uint8Array(0));
  if (hook === "onPong") client.pong(new Uint8Array(0));
  if (hook === "onDrain") client.send("x".repeat(70_000));
  await settle();
}
