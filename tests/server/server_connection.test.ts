import { assertEquals, assertInstanceOf } from "@std/assert";
import { describe, test } from "node:test";
import { HttpError } from "../../src/errors.ts";
import type { AccessEntry } from "../../src/server/access_log.ts";
import { WebSocketHandler } from "../../src/server/handler.ts";
import { ServerConnection } from "../../src/server/server_connection.ts";
import { memoryPair } from "../../src/transport/memory.ts";
import { makeOpening, MemoryClient } from "../support/memory_client.ts";
import { Recording } from "../support/recording.ts";
import { type Gate, gate, Rig, settle } from "../support/rig.ts";

/** Is busy with a message as long as the test says, and has no `onClose()`. */
class Plain extends WebSocketHandler<Plain[]> {
  busy: Gate | null = null;
  readonly calls: string[] = [];
  override initialize(): void {
    this.options.push(this);
  }
  override open(): void {
    this.calls.push("open");
  }
  onMessage(message: string): Promise<void> | undefined {
    this.calls.push(message);
    return this.busy?.promise;
  }
}

/** Has an `onClose()` that never settles. */
class Closing extends Plain {
  override onClose(): Promise<void> {
    this.calls.push("onClose");
    return new Promise(() => {});
  }
}

/** An open connection. `isForgotten` is whether its server has forgotten it. */
async function start(Handler: typeof Plain = Plain) {
  const handlers: Plain[] = [];
  const rig = new Rig([["/", Handler, handlers]]);
  const client = await rig.open("rfc6455");
  const [handler] = handlers as [Plain];
  const connection = handler.connection as unknown as ServerConnection;
  const watched = { isForgotten: false };
  const { owner } = connection;
  if (owner === undefined) throw new TypeError("The connection must have an owner");
  const forget = owner.forget.bind(owner);
  owner.forget = (owned) => {
    if (owned === connection) watched.isForgotten = true;
    forget(owned);
  };
  return { rig, client, handler, connection, watched };
}

describe("a server forgets a connection", () => {
  test("whose handler has no onClose(), when the socket is closed", async () => {
    const { client, watched } = await start();
    client.close(1000);
    await settle();
    assertEquals(watched.isForgotten, false);
    client.end();
    await settle();
    assertEquals(watched.isForgotten, true);
  });

  test("whose handler has no onClose(), when the handler is done", async () => {
    const { client, handler, watched } = await start();
    handler.busy = gate();
    client.send("a");
    client.send("b");
    await settle();
    client.reset();
    await settle();
    assertEquals([handler.calls, watched.isForgotten], [["open", "a"], false]);
    handler.busy.open();
    await settle();
    assertEquals([handler.calls, watched.isForgotten], [["open", "a", "b"], true]);
  });

  test("which it terminates, whatever the handler does", async () => {
    for (const closes of [false, true]) {
      const { client, connection, handler, watched } = await start(Closing);
      if (closes) client.close(1000);
      await settle();
      client.take();
      connection.terminate();
      await settle();
      assertEquals([client.take(), watched.isForgotten], [["reset"], true]);
      assertEquals(handler.calls, ["open", "onClose"]);
      assertEquals(handler.ended?.by, closes ? "peer" : "shutdown");
    }
  });
});

test("a server does not wait for onClose() when it terminates a connection", async () => {
  const { client, connection, watched } = await start(Closing);
  client.reset();
  await settle();
  assertEquals(watched.isForgotten, false);
  connection.terminate();
  assertEquals(watched.isForgotten, true);
});

test("setNodelay reaches the transport", async () => {
  class Delayed extends Recording {
    override open(on: string): void {
      this.setNodelay(on === "on");
    }
  }
  const rig = new Rig([["/:on", Delayed, []]]);
  for (const on of [true, false]) {
    const { client, transport } = rig.join();
    const set: boolean[] = [];
    transport.setNoDelay = (value) => void set.push(value);
    await client.open("rfc6455", { path: on ? "/on" : "/off" });
    assertEquals(set, [on]);
  }
});

test("a ping has no payload by default", async () => {
  const { client, handler } = await start();
  handler.ping();
  await settle();
  assertEquals(client.take(), ["ping"]);
  client.reset();
});

describe("a new connection", () => {
  test("is in no set, and has no end", async () => {
    const { connection: { context } } = await start();
    const connection = new ServerConnection(context, memoryPair()[0]);
    const { index, end, isOpening, closeCode, closeReason, bufferedAmount } = connection;
    assertEquals(
      [index, end, isOpening, closeCode, closeReason, bufferedAmount],
      [-1, undefined, false, undefined, "", 0],
    );
  });

  test("has handshakeTimeout, unless TLS has used a part of it", async () => {
    for (
      const [handshakeTimeout, timeLeft, limit] of [
        [0, undefined, Infinity],
        [1, undefined, 1],
        [5000, undefined, 5000],
        [5000, 1000, 1000],
        [0, 1000, 1000],
      ] as const
    ) {
      const handlers: Plain[] = [];
      const rig = new Rig([["/", Plain, handlers]], { handshakeTimeout });
      const first = await rig.open("rfc6455");
      const { context } = handlers[0]?.connection as unknown as ServerConnection;
      const [transport, far] = memoryPair();
      const client = new MemoryClient(far);
      new ServerConnection(context, transport).start(timeLeft);
      const name = `${handshakeTimeout} ${timeLeft}`;
      await rig.clock.advance(limit === Infinity ? 100_000 : limit - 1);
      assertEquals(client.events, [], name);
      await rig.clock.advance(100);
      assertEquals(client.events, limit === Infinity ? [] : ["reset"], name);
      first.reset();
    }
  });
});

describe("messages before the 101", () => {
  test("are counted, and resolve", async () => {
    const wait = gate();
    const seen: unknown[] = [];
    class Early extends WebSocketHandler {
      override async prepare(): Promise<void> {
        seen.push(this.bufferedAmount);
        const written: unknown = this.writeMessage("abc");
        assertInstanceOf(written, Promise);
        await written;
        seen.push(this.bufferedAmount);
        await wait.promise;
      }
      onMessage(): void {}
    }
    const { client } = new Rig(Early).join();
    client.write(makeOpening("rfc6455").head);
    await settle();
    assertEquals(seen, [0, 3]);
    client.reset();
  });

  test("that are too much for the handler's own limits close it before open()", async () => {
    const handlers: Plain[] = [];
    class Small extends Plain {
      override get highWaterMark(): number {
        return 10;
      }
      override get maxBufferedAmount(): number {
        return 20;
      }
      override prepare(): void {
        for (const _ of [1, 2]) void this.writeMessage("x".repeat(5000));
      }
      override onClose(): void {
        this.calls.push("onClose");
      }
    }
    const entries: string[] = [];
    const accessLog = ({ kind }: AccessEntry) => void entries.push(kind);
    const rig = new Rig([["/", Small, handlers]], { accessLog });
    const { client } = rig.join({ capacity: 0 });
    client.transport.pause();
    client.write(makeOpening("rfc6455").head);
    await settle();
    const [handler] = handlers;
    assertEquals([handler?.calls, entries, handler?.ended?.code], [[], [], 1013]);
    client.reset();
  });
});

test("the first byte of a message may follow the request", async () => {
  const handlers: Plain[] = [];
  const rig = new Rig([["/", Plain, handlers]]);
  const { client } = rig.join();
  client.write(makeOpening("rfc6455").head + "\x81");
  await settle();
  client.write(Uint8Array.of(0x81, 0, 0, 0, 0, 0x61));
  await settle();
  assertEquals(handlers[0]?.calls, ["open", "a"]);
});

test("a handler that closes the connection while its refusal is made sends none", async () => {
  class Closing extends WebSocketHandler {
    override prepare(): void {
      throw new HttpError(403, "no", { "X-Bell": "ding\x07" });
    }
    onMessage(): void {}
    override logException(): void {
      this.close();
    }
  }
  const { client } = new Rig(Closing).join();
  client.write(makeOpening("rfc6455").head);
  await settle();
  assertEquals([client.raw, client.events], ["", ["reset"]]);
});
