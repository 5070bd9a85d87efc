import { assertEquals, assertThrows } from "@std/assert";
import { AsyncLocalStorage } from "node:async_hooks";
import { describe, test } from "node:test";
import { WebSocketHandler } from "../../src/server/handler.ts";
import type { HookContext } from "../../src/server/hook_context.ts";
import { HYBI, Rig, settle, VERSIONS } from "../support/rig.ts";

const store = new AsyncLocalStorage<string>();

/** Notes what the store has in each hook. */
class Noting extends WebSocketHandler<string[]> {
  note(hook: string): void {
    this.options.push(`${hook} ${store.getStore() ?? "nothing"}`);
  }
  override checkOrigin(): boolean {
    this.note("checkOrigin");
    return true;
  }
  override prepare(): void | Promise<void> {
    this.note("prepare");
    store.run("it", () => this.runHooksIn(AsyncLocalStorage.snapshot()));
  }
  override get maxMessageSize(): number {
    this.note("maxMessageSize");
    return super.maxMessageSize;
  }
  override selectSubprotocol(): undefined {
    this.note("selectSubprotocol");
  }
  override open(): void {
    this.note("open");
  }
  async onMessage(message: string | Uint8Array): Promise<void> {
    this.note("onMessage");
    await Promise.resolve();
    this.note("onMessage, later");
    if (message === "throw") throw new Error("a mistake");
  }
  override onPing(): void {
    this.note("onPing");
  }
  override onPong(): void {
    this.note("onPong");
  }
  override logException(): void {
    this.note("logException");
  }
  override onClose(): void {
    this.note("onClose");
  }
}

/** Prepares in its own time. */
class Patient extends Noting {
  override async prepare(): Promise<void> {
    await Promise.resolve();
    await super.prepare();
  }
}

const subprotocols = ["a"];

describe("runHooksIn(AsyncLocalStorage.snapshot())", () => {
  for (const version of VERSIONS) {
    for (const Handler of [Noting, Patient]) {
      test(`${version}: ${Handler.name}: all later hooks find what was stored`, async () => {
        const notes: string[] = [];
        const rig = new Rig([["/", Handler, notes]]);
        const client = await rig.open(version, { subprotocols });
        client.send("hi");
        await settle();
        client.send("throw");
        await settle();
        client.transport.destroy();
        await settle();
        const hooks = notes.map((note) => note.split(" ").at(0));
        assertEquals(notes.slice(0, 2), ["checkOrigin nothing", "prepare nothing"]);
        assertEquals(notes.slice(2).filter((note) => !note.endsWith(" it")), []);
        for (
          const hook of ["selectSubprotocol", "maxMessageSize", "open", "logException", "onClose"]
        ) assertEquals(hooks.filter((name) => name === hook), [hook]);
      });
    }
  }

  for (const version of HYBI) {
    test(`${version}: pings and pongs, too`, async () => {
      const notes: string[] = [];
      const client = await new Rig([["/", Noting, notes]]).open(version);
      client.ping(new Uint8Array(1));
      client.pong(new Uint8Array(1));
      await settle();
      assertEquals(notes.slice(-2), ["onPing it", "onPong it"]);
    });
  }
});

describe("runHooksIn", () => {
  /** Runs its hooks in what the test says. */
  class Given extends WebSocketHandler<{ context: HookContext; events: string[] }> {
    override open(): void {
      this.runHooksIn(this.options.context);
    }
    onMessage(message: string | Uint8Array): void {
      this.options.events.push(`message ${message}`);
    }
    override onClose(): void {
      this.options.events.push("close");
    }
  }

  test("takes any function that calls its argument, and the last one counts", async () => {
    const events: string[] = [];
    const outer: HookContext = (callback, ...args) => {
      events.push("in");
      return callback(...args);
    };
    const rig = new Rig([["/", Given, { context: outer, events }]]);
    const client = await rig.open("rfc6455");
    client.send("a");
    await settle();
    assertEquals(events, ["in", "message a"]);
    for (const handler of rig.app.connections()) {
      handler.runHooksIn((callback, ...args) => callback(...args));
    }
    client.send("b");
    await settle();
    client.transport.destroy();
    await settle();
    assertEquals(events, ["in", "message a", "message b", "close"]);
  });

  test("that throws is an exception of the hook", async () => {
    const events: string[] = [];
    const context: HookContext = () => {
      throw new Error("no context");
    };
    const rig = new Rig([["/", Given, { context, events }]]);
    const client = await rig.open("rfc6455");
    client.send("a");
    await settle();
    assertEquals(client.take().at(0), "close 1011 internal error");
    assertEquals(events, []);
    client.transport.destroy();
    await settle();
    // `onMessage`, `onClose`, and `logException` for both.
    const line = "Uncaught exception in logException: no context";
    assertEquals(rig.logged, [line, line]);
  });

  for (const wrong of [undefined, null, 1, {}, new AsyncLocalStorage()]) {
    test(`refuses ${typeof wrong} ${wrong}`, async () => {
      const rig = new Rig([["/", Given, { context: (callback: () => unknown) => callback() }]]);
      await rig.open("rfc6455");
      const [handler] = rig.app.connections();
      assertThrows(
        () => handler?.runHooksIn(wrong as unknown as HookContext),
        TypeError,
        "Cannot run hooks in this context: it must be a function",
      );
    });
  }
});
