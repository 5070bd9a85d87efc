import { assert, assertEquals, assertInstanceOf, assertLess } from "@std/assert";
import { describe, test } from "node:test";
import { connect } from "../../src/testing/mod.ts";
import { IncompleteMessageError, type MessageStream } from "../../src/connection/message_stream.ts";
import type { WebSocketVersion } from "../../src/handshake/versions.ts";
import { WebSocketHandler } from "../../src/server/handler.ts";
import { begin, continuation } from "../protocol/hybi_frames.ts";
import type { MemoryClient } from "../support/memory_client.ts";
import { gate, HYBI, Rig, settle, untilQuiet, VERSIONS } from "../support/rig.ts";

/** What the handlers of a test have seen. */
type Seen = string[];

/** Reads each message to its end, and notes what comes. */
class Reading extends WebSocketHandler<Seen> {
  override onMessageStream(stream: MessageStream): unknown {
    return this.#read(stream);
  }
  async #read(stream: MessageStream): Promise<void> {
    this.options.push(stream.kind);
    try {
      for await (const piece of stream) this.piece(piece);
      this.options.push("end");
    } catch (error) {
      this.options.push(`failed: ${(error as Error).message}`);
      throw error;
    }
  }
  piece(piece: string | Uint8Array): void {
    this.options.push(`${piece}`);
  }
  onMessage(): void {
    this.options.push("onMessage");
  }
  override onPing(payload: Uint8Array): void {
    this.options.push(`ping ${payload.length}`);
  }
  override onClose(): void {
    const { by, code } = this.ended!; // set before `onClose` is called
    this.options.push(`close ${by} ${code}`);
  }
}

/** Reads its stream as the test says. */
class Led extends Reading {
  static reader: ReadableStreamDefaultReader<string | Uint8Array>;
  static stream: MessageStream;
  static release = gate();
  override async onMessageStream(stream: MessageStream): Promise<void> {
    this.options.push(stream.kind);
    Led.stream = stream;
    Led.release = gate();
    Led.reader = (stream as ReadableStream<string>).getReader();
    await Led.release.promise;
    this.options.push("returned");
  }
}

/** The bytes of a message. */
function bytesOf(client: MemoryClient, message: string | Uint8Array): Uint8Array {
  return client.encode((protocol, output) =>
    typeof message === "string"
      ? protocol.writeText(output, message)
      : protocol.writeBinary(output, message)
  );
}

async function open(
  version: WebSocketVersion,
  handler: typeof Reading,
  settings: ConstructorParameters<typeof Rig>[1] = {},
  split = 4000,
) {
  const seen: Seen = [];
  const rig = new Rig([["/", handler, seen]], settings);
  const client = await rig.open(version, { pair: { capacity: 0, split } });
  const take = async () => {
    await untilQuiet();
    return seen.splice(0);
  };
  return { client, rig, seen, take };
}

for (const version of VERSIONS) {
  const isHybi = HYBI.includes(version);

  describe(`a stream of ${version}`, () => {
    test("gives the parts of a frame while it arrives", async () => {
      const { client, take } = await open(version, Reading);
      const bytes = bytesOf(client, "abcdefé!");
      const head = isHybi ? 6 : 1;
      client.write(bytes.subarray(0, head + 3));
      assertEquals(await take(), ["text", "abc"]);
      // A character that is divided waits for its other bytes.
      client.write(bytes.subarray(head + 3, head + 7));
      assertEquals(await take(), ["def"]);
      client.write(bytes.subarray(head + 7));
      assertEquals(await take(), ["é!", "end"]);
      client.write(bytesOf(client, "next"));
      assertEquals(await take(), ["text", "next", "end"]);
    });

    test("wins over onMessage, for every message, and counts each once", async () => {
      const { client, rig, take } = await open(version, Reading);
      client.write(bytesOf(client, ""));
      client.write(bytesOf(client, "whole"));
      for (const byte of bytesOf(client, "ab")) {
        client.write(Uint8Array.of(byte));
        await untilQuiet();
      }
      assertEquals(await take(), ["text", "end", "text", "whole", "end", "text", "a", "b", "end"]);
      assertEquals(rig.app.stats().traffic.messagesIn, 3);
    });

    test("has the next message wait for the end of the stream and for the promise", async () => {
      const { client, take } = await open(version, Led);
      const bytes = bytesOf(client, "abcd");
      client.write(bytes.subarray(0, bytes.length - 2));
      client.write(bytes.subarray(bytes.length - 2));
      client.send("next");
      assertEquals(await take(), ["text"]);
      Led.release.open();
      assertEquals(await take(), ["returned"]);
      for (;;) if ((await Led.reader.read()).done) break;
      assertEquals(await take(), ["text"]);
      await Led.reader.cancel();
      client.send("last");
      assertEquals(await take(), []);
      Led.release.open();
      assertEquals(await take(), ["returned", "text"]);
      client.reset();
    });

    for (const how of ["ignores", "cancels", "stops reading"] as const) {
      test(`that a handler ${how} is drained, and the next message follows`, async () => {
        class Careless extends Reading {
          override onMessageStream(stream: MessageStream): unknown {
            this.options.push("stream");
            if (how === "cancels") return stream.cancel("not of interest");
            if (how === "ignores") return undefined;
            return (async () => {
              for await (const piece of stream) return void this.options.push(`${piece}`);
            })();
          }
        }
        const { client, rig, take } = await open(version, Careless, { maxQueuedSize: 1000 });
        const bytes = bytesOf(client, "x".repeat(100_000));
        client.write(bytes.subarray(0, 10));
        await untilQuiet();
        for (let at = 10; at < bytes.length; at += 5000) {
          client.write(bytes.subarray(at, at + 5000));
        }
        client.send("y");
        const seen = await take();
        assertEquals(seen.filter((event) => event === "stream").length, 2);
        assertEquals(seen.at(-1), how === "stops reading" ? "y" : "stream");
        assertEquals([client.transport.bufferedAmount, rig.logged], [0, []]);
        client.reset();
      });
    }

    test("that is cancelled is still limited by maxMessageSize", async () => {
      class Cancelling extends Reading {
        override onMessageStream(stream: MessageStream): unknown {
          return stream.cancel();
        }
      }
      const { client, take } = await open(version, Cancelling, { maxMessageSize: 1000 });
      const bytes = bytesOf(client, "x".repeat(1001));
      for (let at = 0; at < bytes.length; at += 100) client.write(bytes.subarray(at, at + 100));
      assertEquals(await take(), [`close protocol ${isHybi ? 1009 : 1006}`]);
    });

    test("that nobody reads stops the reading from the client, and loses nothing", async () => {
      const { client, take } = await open(version, Led, { maxQueuedSize: 10_000 });
      const message = Array.from({ length: 20_000 }, (_, i) => `${i} `).join("");
      const bytes = bytesOf(client, message);
      for (let at = 0; at < bytes.length; at += 4000) client.write(bytes.subarray(at, at + 4000));
      client.send("next");
      assertEquals(await take(), ["text"]);
      const taken = bytes.length - client.transport.bufferedAmount;
      assertLess(taken, 10_000 + 2 * 4000, "the server has taken too much");
      let read = "";
      let most = 0;
      for (;;) {
        const before = client.transport.bufferedAmount;
        const { value, done } = await Led.reader.read();
        if (done) break;
        read += value;
        await untilQuiet();
        most = Math.max(most, before - client.transport.bufferedAmount);
      }
      assertLess(most, 3 * 4000, "one piece has let in too much");
      assertEquals(read, message);
      Led.release.open();
      assertEquals(await take(), ["returned", "text"]);
      assertEquals((await Led.reader.read()).value, "next");
      client.reset();
    });

    test("waits in the queue of a busy handler, within maxQueuedSize", async () => {
      const opening = gate();
      class Slow extends Reading {
        override open(): Promise<void> {
          return opening.promise;
        }
      }
      const { client, seen, take } = await open(version, Slow, { maxQueuedSize: 10_000 });
      const bytes = bytesOf(client, "x".repeat(50_000));
      for (let at = 0; at < bytes.length; at += 4000) client.write(bytes.subarray(at, at + 4000));
      assertEquals(await take(), []);
      assertLess(bytes.length - client.transport.bufferedAmount, 18_000);
      opening.open();
      await untilQuiet();
      assertEquals([seen[0], seen.slice(1, -1).join("").length, seen.at(-1)], [
        "text",
        50_000,
        "end",
      ]);
    });

    /** How a message is cut off, and what `this.ended` says then. */
    const cuts: [name: string, cut: (client: MemoryClient, rig: Rig) => unknown, ended: string][] =
      [
        ["FIN", (client) => client.end(), version === "draft75" ? "peer 1006" : "network 1006"],
        ["a reset", (client) => client.reset(), "network 1006"],
        ["abort()", () => last.abort(), "server 1006"],
        ["an exception", () =>
          last.asyncCallback(() => {
            throw new Error("mistake");
          })(), isHybi ? "server 1011" : "server 1006"],
      ];
    if (isHybi) {
      cuts.push(
        ["a close frame", (client) => client.close(1001, "bye"), "peer 1001"],
        [
          "bytes that are not UTF-8",
          (client) => client.write(continuation(Uint8Array.of(0xff), false)),
          "protocol 1007",
        ],
        ["a broken rule", (client) => client.write(begin("again")), "protocol 1002"],
        ["too many fragments", (client) => {
          for (let i = 0; i < 10; i++) client.write(continuation("", false));
        }, "protocol 1009"],
      );
    }
    let last: WebSocketHandler<Seen>;
    for (const [name, cut, ended] of cuts) {
      for (const isRead of [true, false]) {
        test(`is cut off by ${name}, ${isRead ? "while it is read" : "after what waits"}`, async () => {
          class Last extends (isRead ? Reading : Led) {
            override open(): void {
              last = this;
            }
          }
          const { client, rig, take } = await open(version, Last, { maxFragments: 5 });
          if (isHybi) client.write(begin("abc"));
          else client.write(bytesOf(client, "abc").subarray(0, 4));
          assertEquals(await take(), isRead ? ["text", "abc"] : ["text"]);
          await cut(client, rig);
          const seen = await take();
          const [by, code] = ended.split(" ");
          const { reason } = last.ended!; // the connection is closed
          const says = `Cannot read the rest of a message: the connection was ended by ${by} ` +
            `(${reason === "" ? code : `${code}: ${reason}`})`;
          const close = `close ${ended}`;
          assertEquals(new Set(seen), new Set(isRead ? [`failed: ${says}`, close] : [close]));
          assertEquals(rig.logged.length, name === "an exception" ? 1 : 0, rig.logged.join());
          if (isRead) return;
          assertEquals(await Led.reader.read(), { done: false, value: "abc" });
          const error = await Led.reader.read().catch((error: unknown) => error);
          assertInstanceOf(error, IncompleteMessageError);
          assertEquals([error.message, error.ended], [says, last.ended]);
          Led.release.fail(error);
          await settle();
          assertEquals(rig.logged.length, name === "an exception" ? 1 : 0, rig.logged.join());
        });
      }
    }

    test("that is complete can be read to its end after the connection", async () => {
      const { client, take } = await open(version, Led, {}, 1);
      client.write(bytesOf(client, "abcd"));
      await take();
      client.reset();
      await untilQuiet();
      let read = "";
      for (let part; !(part = await Led.reader.read()).done;) read += part.value;
      assertEquals(read, "abcd");
    });

    test("that the handler reads slowly is not ended by closeTimeout after FIN", async () => {
      const { client, rig, seen, take } = await open(version, Led, { closeTimeout: 1000 }, 1);
      client.write(bytesOf(client, "abcd"));
      client.end();
      await take();
      for (const piece of ["a", "b", "c", "d"]) {
        await rig.clock.advance(900);
        assertEquals(await Led.reader.read(), { done: false, value: piece });
      }
      assertEquals(seen, []);
      Led.release.open();
      await untilQuiet();
      assertEquals(seen, [
        "returned",
        version === "draft75" ? "close peer 1006" : "close network 1006",
      ]);
    });

    test("of a handler that throws closes with 1011, logged once", async () => {
      class Throwing extends Reading {
        override async onMessageStream(stream: MessageStream): Promise<void> {
          for await (const _piece of stream) throw new Error("mistake");
        }
      }
      const { client, rig, take } = await open(version, Throwing);
      client.write(bytesOf(client, "abcdef").subarray(0, -2));
      assertEquals(await take(), [`close server ${isHybi ? 1011 : 1006}`]);
      assertEquals(rig.logged, ['Uncaught exception in "/": mistake']);
    });

    test("is received to its end by a shutdown, and no message after it", async () => {
      const { client, rig, take } = await open(version, Reading);
      const bytes = bytesOf(client, "abcdef");
      client.write(bytes.subarray(0, -3));
      await take();
      const done = rig.app.shutdown();
      await untilQuiet();
      assertEquals(client.take(), []);
      client.write(bytes.subarray(-3));
      assertEquals((await take()).at(-1), "end");
      const goodbye = isHybi ? ["close 1001"] : version === "draft76" ? ["close"] : ["FIN"];
      assertEquals(client.take(), goodbye);
      client.close(1001);
      client.end();
      await done;
    });

    test("is the last that is read before a shutdown, however long the handler takes", async () => {
      const { client, rig, take } = await open(version, Led);
      const bytes = bytesOf(client, "abcdef");
      client.write(bytes.subarray(0, -3));
      await take();
      const done = rig.app.shutdown();
      client.write(bytes.subarray(-3));
      await untilQuiet();
      assertEquals(client.transport.bufferedAmount, 0);
      const next = bytesOf(client, "next");
      client.write(next);
      await untilQuiet();
      assertEquals(client.transport.bufferedAmount, next.length);
      client.reset();
      await untilQuiet();
      await Led.reader.cancel();
      Led.release.open();
      await done;
    });

    test("that is longer than the shutdown's timeout is cut off", async () => {
      const { client, rig, take } = await open(version, Reading);
      client.write(bytesOf(client, "abcdef").subarray(0, -3));
      await take();
      const done = rig.app.shutdown({ timeout: 1000 });
      await rig.clock.advance(1000);
      await done;
      const events = (await take()).sort();
      assertEquals(events[0], "close shutdown 1006");
      assertEquals(events[1]?.endsWith("ended by shutdown (1006)"), true, events[1]);
    });

    test("keeps idleTimeout from closing the connection while pieces arrive", async () => {
      const { client, rig, take } = await open(version, Reading, {
        idleTimeout: 1000,
        pingInterval: 0,
      });
      const bytes = bytesOf(client, "abcdef");
      const head = bytes.length - (isHybi ? 5 : 6);
      client.write(bytes.subarray(0, head));
      for (const byte of bytes.subarray(head)) {
        await rig.clock.advance(900);
        client.write(Uint8Array.of(byte));
      }
      assertEquals((await take()).at(-1), "end");
      await rig.clock.advance(1100);
      assertEquals(client.take().length > 0, true);
      client.reset();
    });
  });
}

for (const version of HYBI) {
  describe(`control frames of ${version} inside of a streamed message`, () => {
    test("are handled at once", async () => {
      const { client, take } = await open(version, Reading);
      client.write(begin("a"));
      await untilQuiet();
      client.ping(new Uint8Array(3));
      await untilQuiet();
      client.write(continuation("b", false));
      assertEquals(await take(), ["text", "a", "ping 3", "b"]);
      assertEquals(client.take(), ["pong \0\0\0"]);
      client.write(continuation("c", true));
      assertEquals(await take(), ["c", "end"]);
    });

    test("that wait with it for a busy handler follow its first pieces", async () => {
      const opening = gate();
      class Slow extends Reading {
        override open(): Promise<void> {
          return opening.promise;
        }
      }
      const { client, take } = await open(version, Slow, { maxQueuedSize: 1000 });
      client.write(begin("a"));
      for (let i = 0; i < 20; i++) client.ping(new Uint8Array(3));
      client.write(continuation("b", true));
      assertEquals(await take(), []);
      opening.open();
      const seen = await take();
      assertEquals(seen.filter((event) => !event.startsWith("ping")), ["text", "a", "b", "end"]);
      assertEquals(seen.length, 24);
      client.reset();
    });

    test("do not stop the message, however many there are", async () => {
      const { client, take } = await open(version, Led, { maxQueuedSize: 1000 });
      client.write(begin("a"));
      await take();
      for (let i = 0; i < 200; i++) client.ping(new Uint8Array(3));
      client.write(continuation("b", true));
      await untilQuiet();
      assertEquals((await Led.reader.read()).value, "a");
      assertEquals((await Led.reader.read()).value, "b");
      client.reset();
    });
  });
}

describe("a compressed stream", () => {
  for (const contextTakeover of [true, false]) {
    test(`${contextTakeover ? "with" : "without"} context gives its pieces, and what is around it`, async () => {
      const seen: Seen = [];
      class Counting extends Reading {
        override piece(piece: string | Uint8Array): void {
          this.options.push(`${piece.length}`);
        }
      }
      const compression = { threshold: 0, contextTakeover };
      const rig = new Rig([["/", Counting, seen]], { compression, maxMessageSize: 1_000_000 });
      const client = await connect(rig.app, "/", { compression, split: 100 });
      for (const message of ["short", "x".repeat(1_000_000), new Uint8Array(500_000)]) {
        client.writeMessage(message);
        await untilQuiet();
        const [kind, ...sizes] = seen.splice(0);
        assertEquals([kind, sizes.pop()], [typeof message === "string" ? "text" : "binary", "end"]);
        assertEquals(sizes.reduce((sum, size) => sum + Number(size), 0), message.length);
        assert(Math.max(...sizes.map(Number)) <= 64 * 1024);
      }
      client.writeMessage("x".repeat(1_000_001));
      await untilQuiet();
      assertEquals(seen.includes("close protocol 1009"), true);
    });
  }

  test("that inflates to much waits for its reader", async () => {
    const seen: Seen = [];
    const compression = {};
    const rig = new Rig([["/", Led, seen]], { compression, maxQueuedSize: 1000 });
    const client = await connect(rig.app, "/", { compression });
    client.writeMessage(new Uint8Array(1_000_000));
    await untilQuiet();
    let size = 0;
    const waiting: number[] = [];
    for (;;) {
      const { value, done } = await Led.reader.read();
      if (done) break;
      size += value.length;
      waiting.push(value.length);
    }
    assertEquals(size, 1_000_000);
    assertLess(Math.max(...waiting), 65_536);
    client.abort();
  });
});
