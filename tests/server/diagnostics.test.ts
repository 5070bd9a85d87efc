import { assertEquals } from "@std/assert";
import { AsyncLocalStorage } from "node:async_hooks";
import { channel, subscribe, unsubscribe } from "node:diagnostics_channel";
import { describe, test } from "node:test";
import { HttpError } from "../../src/errors.ts";
import { DiagnosticsChannel } from "../../src/metrics/diagnostics_channel.ts";
import {
  CLOSE,
  type DiagnosticEvents,
  ERROR,
  HANDSHAKE,
  MESSAGE,
  MESSAGE_STREAM,
  OPEN,
} from "../../src/server/diagnostics.ts";
import { WebSocketHandler } from "../../src/server/handler.ts";
import { Recording } from "../support/recording.ts";
import { Rig, settle, VERSIONS } from "../support/rig.ts";

const NAMES = ["handshake", "open", "message", "close", "error"] as const;

/** Listens on some channels until it is disposed of. */
class Listener implements Disposable {
  readonly heard: [name: string, event: unknown][] = [];
  readonly #undo: (() => void)[] = [];

  constructor(names: readonly string[] = NAMES) {
    for (const name of names) {
      const hear = (event: unknown) => void this.heard.push([name, event]);
      subscribe(`waterspout:${name}`, hear);
      this.#undo.push(() => unsubscribe(`waterspout:${name}`, hear));
    }
  }
  /** The events of a channel. */
  of<Name extends typeof NAMES[number]>(name: Name): DiagnosticEvents[`waterspout:${Name}`][] {
    return this.heard.filter(([other]) => other === name)
      .map(([, event]) => event as DiagnosticEvents[`waterspout:${Name}`]);
  }
  [Symbol.dispose](): void {
    for (const undo of this.#undo) undo();
  }
}

/** Throws if it is asked to, and counts its calls. */
class Handler extends WebSocketHandler<string[]> {
  override prepare(): void {
    if (this.getArgument("refuse", "") !== "") throw new HttpError(403, "not you");
  }
  override open(): void {
    this.options.push("open()");
  }
  onMessage(message: string | Uint8Array): void {
    this.options.push(`onMessage(${message})`);
    if (message === "throw") throw new Error("a mistake");
  }
  override onClose(): void {
    this.options.push("onClose()");
  }
}

/** All that is published in the life of a connection and of a refused one. */
async function live(rig: Rig, version: typeof VERSIONS[number]): Promise<void> {
  const client = await rig.open(version, { path: "/?secret=1" });
  client.send("a");
  client.send("throw");
  await settle();
  client.transport.destroy();
  await rig.send(
    "GET /?refuse=1 HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n" +
      "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" +
      "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
  );
  await settle();
}

describe("the channels", () => {
  for (const version of VERSIONS) {
    test(`${version}: have each event once, in order, before its callback`, async () => {
      using listener = new Listener();
      const calls: string[] = [];
      const rig = new Rig([["/", Handler, calls]]);
      const order = () => listener.heard.map(([name]) => name).join();
      const seen: string[] = [];
      calls.push = (...items) => {
        seen.push(`${order()} ${items.join()}`);
        return 0;
      };
      await live(rig, version);
      assertEquals(seen, [
        "handshake,open open()",
        "handshake,open,message onMessage(a)",
        "handshake,open,message,message onMessage(throw)",
        "handshake,open,message,message,error,close onClose()",
      ]);
      const [accepted, refused] = listener.of("handshake");
      const [open] = listener.of("open");
      const handler = open?.handler;
      assertEquals(accepted?.remoteAddress.transport, "tcp");
      assertEquals({ ...accepted, remoteAddress: undefined }, {
        remoteAddress: undefined,
        method: "GET",
        path: "/",
        version,
        handler: accepted?.handler ?? null,
        status: 101,
        reason: undefined,
      });
      assertEquals([refused?.status, refused?.reason], [403, "handler"]);
      assertEquals(accepted?.handler === handler && handler instanceof Handler, true);
      const messages = listener.of("message");
      assertEquals(messages.map(({ message }) => message), ["a", "throw"]);
      assertEquals(messages.every((event) => event.handler === handler), true);
      const [close] = listener.of("close");
      assertEquals(close?.end === handler?.ended && close?.handler === handler, true);
      const [error] = listener.of("error");
      assertEquals(String(error?.error), "Error: a mistake");
    });
  }

  test("have a refusal before the request", async () => {
    using listener = new Listener();
    const rig = new Rig([["/", Handler, []]], { maxConnections: 1 });
    rig.join();
    rig.join();
    await settle();
    const [{ reason, status, handler, method, version } = {}] = listener.of("handshake");
    assertEquals([reason, status, handler, method, version], [
      "limit",
      503,
      null,
      undefined,
      undefined,
    ]);
  });

  test("tell of a message that is read as a stream", async () => {
    using listener = new Listener(["message", "messageStream"]);
    class Streaming extends Handler {
      override onMessageStream(): void {}
    }
    for (const version of VERSIONS) {
      const client = await new Rig([["/", Streaming, []]]).open(version);
      client.send("a");
      await settle();
      client.reset();
    }
    const events = listener.heard.map(([name, event]) => {
      const { handler, kind } = event as DiagnosticEvents["waterspout:messageStream"];
      return [name, handler instanceof Streaming, kind];
    });
    assertEquals(events, VERSIONS.map(() => ["messageStream", true, "text"]));
    assertEquals([MESSAGE.isObserved, MESSAGE_STREAM.isObserved], [true, true]);
  });

  test("deliver a message that the handler borrows", async () => {
    class Borrowing extends Recording {
      override get borrowMessages(): boolean {
        return true;
      }
    }
    using listener = new Listener(["message"]);
    const notes: string[] = [];
    const client = await new Rig([["/", Borrowing, notes]]).open("rfc6455");
    client.send(Uint8Array.of(1, 2));
    await settle();
    assertEquals([notes, listener.heard.length], [["open", "binary 1,2"], 1]);
  });

  test("give a bound store to the callback", async () => {
    const store = new AsyncLocalStorage<string>();
    const message = channel("waterspout:message");
    message.bindStore(
      store,
      (event) => `span of ${(event as DiagnosticEvents["waterspout:message"]).message}`,
    );
    try {
      const stores: unknown[] = [];
      class Asking extends WebSocketHandler {
        override open(): void {
          this.runHooksIn(AsyncLocalStorage.snapshot());
          stores.push(store.getStore());
        }
        async onMessage(): Promise<void> {
          await Promise.resolve();
          stores.push(store.getStore());
        }
      }
      const client = await new Rig(Asking).open("rfc6455");
      client.send("a");
      await settle();
      assertEquals(stores, [undefined, "span of a"]);
    } finally {
      message.unbindStore(store);
    }
  });
});

/** Counts the events that are made on all channels while something runs. */
async function countMade(run: () => Promise<void>): Promise<number> {
  let made = 0;
  // deno-lint-ignore no-explicit-any -- The arguments differ, and are passed on.
  const channels: DiagnosticsChannel<any[], object>[] = [HANDSHAKE, OPEN, MESSAGE, CLOSE, ERROR];
  const before = channels.map(({ make }) => make);
  channels.forEach((channel, index) => {
    channel.make = (...args) => {
      made++;
      return before[index]?.(...args) ?? {};
    };
  });
  try {
    await run();
  } finally {
    channels.forEach((channel, index) => channel.make = before[index] ?? channel.make);
  }
  return made;
}

describe("an event", () => {
  const run = () => live(new Rig([["/", Handler, []]]), "rfc6455");

  test("is not made while nobody listens", async () => {
    assertEquals(await countMade(run), 0);
  });

  for (
    const [name, count] of [["handshake", 2], ["open", 1], ["message", 2], ["close", 1]] as const
  ) {
    test(`is made for the listeners of ${name} only`, async () => {
      using _listener = new Listener([name]);
      assertEquals(await countMade(run), count);
    });
  }

  test("is not made after the last listener has left", async () => {
    new Listener()[Symbol.dispose]();
    assertEquals(await countMade(run), 0);
  });
});

test("without node:diagnostics_channel, a channel is silent", () => {
  const silent = new DiagnosticsChannel("waterspout:test", () => ({}), {});
  silent.publish();
  assertEquals([silent.isObserved, silent.run(() => 7)], [false, 7]);
});
