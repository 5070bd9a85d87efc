/**
 * `signal` and `closed` of a handler: both have the record of `ended`, in each version and however the
 * connection ends, also before it is open.
 *
 * @module
 */
import { assertEquals, assertStrictEquals } from "@std/assert";
import { describe, test } from "node:test";
import type { ConnectionEnd, EndedBy } from "../../src/connection/connection_end.ts";
import { HttpError } from "../../src/errors.ts";
import { WebSocketHandler } from "../../src/server/handler.ts";
import { makeOpening } from "../support/memory_client.ts";
import { type Gate, gate, Rig, settle, VERSIONS } from "../support/rig.ts";

/** Notes what its signal and its promise tell, and in which order. */
class Watching extends WebSocketHandler {
  static last: Watching;
  readonly seen: string[] = [];
  resolved: ConnectionEnd | undefined = undefined;

  watch(): void {
    this.signal.addEventListener("abort", () => this.seen.push("abort"));
    void this.closed.then((end) => {
      this.seen.push("closed");
      this.resolved = end;
    });
  }
  override open(): void {
    Watching.last = this;
    this.watch();
  }
  onMessage(message: string | Uint8Array): void {
    if (message === "close") this.close(4000, "enough");
    if (message === "throw") throw new Error("a mistake");
  }
  override onClose(): void {
    this.seen.push("onClose");
  }
}

/** Asserts that both tell the one record. */
function check({ signal, ended, resolved }: Watching, by: EndedBy): void {
  assertEquals([signal.aborted, ended?.by], [true, by]);
  assertStrictEquals(signal.reason, ended);
  assertStrictEquals(resolved, ended);
}

describe("an open connection", () => {
  const ends: Readonly<Record<string, [by: EndedBy, act: (rig: Opened) => unknown]>> = {
    "the client is gone": ["network", ({ client }) => client.transport.destroy()],
    "the handler closes": ["server", async ({ client }) => {
      client.send("close");
      await settle();
      client.transport.end();
    }],
    "the handler throws": ["server", ({ client }) => client.send("throw")],
    "the server shuts down": ["shutdown", ({ rig, client }) => {
      void rig.app.shutdown();
      client.transport.end();
    }],
  };
  interface Opened {
    readonly rig: Rig;
    readonly client: Awaited<ReturnType<Rig["open"]>>;
  }

  for (const version of VERSIONS) {
    for (const [name, [by, act]] of Object.entries(ends)) {
      test(`${version}: ${name}`, async () => {
        const rig = new Rig(Watching);
        const client = await rig.open(version);
        const handler = Watching.last;
        assertEquals([handler.signal.aborted, handler.ended], [false, undefined]);
        assertStrictEquals(handler.signal, handler.signal);
        assertStrictEquals(handler.closed, handler.closed);
        await act({ rig, client });
        await settle();
        client.transport.destroy();
        await settle();
        check(handler, by);
        assertEquals(handler.seen.filter((event) => event !== "closed"), ["abort", "onClose"]);
      });
    }
  }

  test("tells its end to those who ask later, too", async () => {
    class Late extends Watching {
      override watch(): void {}
    }
    const rig = new Rig(Late);
    (await rig.open("rfc6455")).transport.destroy();
    await settle();
    const handler = Watching.last;
    assertEquals(handler.signal.aborted, true);
    handler.resolved = await handler.closed;
    check(handler, "network");
  });

  test("ends once: a listener that aborts it again changes nothing", async () => {
    const rig = new Rig(Watching);
    const client = await rig.open("rfc6455");
    const handler = Watching.last;
    handler.signal.addEventListener("abort", () => handler.abort());
    client.transport.destroy();
    await settle();
    check(handler, "network");
    assertEquals(rig.logged, []);
  });
});

describe("a handshake that fails", () => {
  /** Waits in `prepare` for the test. */
  class Preparing extends Watching {
    static gate: Gate;
    override async prepare(): Promise<void> {
      Watching.last = this;
      this.watch();
      await Preparing.gate.promise;
    }
  }

  const ends: Readonly<Record<string, [by: EndedBy, act: (rig: Rig) => unknown]>> = {
    "the handler refuses": ["server", () => Preparing.gate.fail(new HttpError(403))],
    "the handler throws": ["server", () => Preparing.gate.fail(new Error("a mistake"))],
    "the handler closes": ["server", () => Watching.last.close()],
    "the handler aborts": ["server", () => Watching.last.abort()],
    "too much is written": ["overflow", () => {
      for (const _ of [1, 2, 3]) void Watching.last.writeMessage("a".repeat(1000)).catch(() => {});
    }],
    "prepare takes too long": ["timeout", (rig) => rig.clock.advance(11_000)],
    "the server stops": ["shutdown", async (rig) => {
      void rig.app.shutdown();
      await settle();
      Preparing.gate.open();
    }],
    "the server stops and does not wait": ["shutdown", async (rig) => {
      void rig.app.shutdown();
      await rig.clock.advance(6000);
    }],
  };
  for (const [name, [by, act]] of Object.entries(ends)) {
    test(name, async () => {
      Preparing.gate = gate();
      const rig = new Rig(Preparing, { maxBufferedAmount: 1500, highWaterMark: 1000 });
      const { client } = rig.join();
      client.write(makeOpening("rfc6455").head);
      await settle();
      const handler = Watching.last;
      assertEquals(handler.ended, undefined);
      await act(rig);
      await settle();
      check(handler, by);
      assertEquals(handler.ended, { by, code: 1006, reason: "" });
      assertEquals(handler.seen.includes("onClose"), false);
      Preparing.gate.open();
      client.transport.destroy();
    });
  }

  test("because the client is gone", async () => {
    Preparing.gate = gate();
    const rig = new Rig(Preparing);
    const { client } = rig.join();
    client.write(makeOpening("draft76").head);
    await settle();
    const handler = Watching.last;
    client.transport.destroy();
    await settle();
    check(handler, "network");
    Preparing.gate.open();
    await settle();
    check(handler, "network");
  });
});
