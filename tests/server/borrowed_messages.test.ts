import { assert, assertEquals } from "@std/assert";
import { describe, test } from "node:test";
import { WebSocketHandler } from "../../src/server/handler.ts";
import type { MessageStream } from "../../src/connection/message_stream.ts";
import { connect } from "../../src/testing/mod.ts";
import { begin, continuation, pattern } from "../protocol/hybi_frames.ts";
import type { MemoryClient } from "../support/memory_client.ts";
import { gate, HYBI, Rig, settle, untilQuiet, VERSIONS } from "../support/rig.ts";

const KIB = 1024;
const POISON = 0xdb;
const POISONED = { poisonBorrowed: true };

/** Sizes around those at which the memory or the way of a message changes. */
const SIZES = [0, 1, 125, 511, 512, 4 * KIB + 1, 64 * KIB - 1, 64 * KIB];
/** Around the largest message that borrows. */
const LARGE_SIZES = [...SIZES, 1024 * KIB, 1024 * KIB + 1];

/** A handler whose messages are borrowed, and who keeps them by mistake. */
class Borrowing extends WebSocketHandler<Uint8Array[]> {
  override get borrowMessages(): boolean {
    return true;
  }
  onMessage(message: Uint8Array): unknown {
    this.options.push(message);
    return undefined;
  }
}

class Echo extends Borrowing {
  override onMessage(message: Uint8Array): unknown {
    super.onMessage(message);
    return this.writeMessage(message);
  }
}

/** Makes a class that waits for a promise before it sends a message back. */
function echoingAfter(promise: Promise<void>): typeof Borrowing {
  return class extends Borrowing {
    override async onMessage(message: Uint8Array): Promise<void> {
      super.onMessage(message);
      await promise;
      this.writeMessage(message);
    }
  };
}

function isPoisoned(message: Uint8Array | undefined): boolean {
  return message !== undefined && message.every((byte) => byte === POISON);
}

/** The bytes of the messages that a client has received. */
function received(client: MemoryClient): number[][] {
  return client.take().map((event) => event.replace("binary ", "").split(",").map(Number));
}

const numbers = [...pattern(3000)];

for (const version of HYBI) {
  describe(`borrowed messages of ${version}`, () => {
    for (const split of [100, Infinity]) {
      test(`are sent back whole to a client that reads slowly, in chunks of ${split}`, async () => {
        for (const settings of [{}, POISONED]) {
          const kept: Uint8Array[] = [];
          const rig = new Rig([["/", Echo, kept]], settings);
          const client = await rig.open(version, { pair: { split, capacity: 100 } });
          const most = split === Infinity && version === "rfc6455" ? 64 * KIB : 4 * KIB + 1;
          const sizes = SIZES.filter((size) => size <= most);
          client.transport.pause();
          for (const size of sizes) client.send(pattern(size));
          await untilQuiet();
          client.transport.resume();
          await untilQuiet();
          const expected = sizes.map((size) => `binary ${pattern(size)}`);
          assertEquals(client.take().map(hash), expected.map(hash));
          if (settings === POISONED) assert(kept.every(isPoisoned));
        }
      });
    }

    test("change when the handler returns, throws or its promise settles, not before", async () => {
      let { promise, open } = gate();
      class Failing extends Borrowing {
        override async onMessage(message: Uint8Array): Promise<void> {
          super.onMessage(message);
          await promise;
          throw new Error("expected");
        }
      }
      for (const handler of [Borrowing, Failing]) {
        ({ promise, open } = gate());
        const kept: Uint8Array[] = [];
        const rig = new Rig([["/", handler, kept]], POISONED);
        const client = await rig.open(version);
        client.send(pattern(3000));
        await settle();
        assertEquals(isPoisoned(kept[0]), handler === Borrowing);
        if (handler !== Borrowing) assertEquals(kept[0], pattern(3000));
        open();
        await settle();
        assert(isPoisoned(kept[0]));
      }
    });

    test("that wait for a slow handler are right, and come from memory used again", async () => {
      for (const settings of [{}, POISONED]) {
        const { promise, open } = gate();
        const kept: Uint8Array[] = [];
        const rig = new Rig([["/", echoingAfter(promise), kept]], settings);
        const client = await rig.open(version);
        const sent = Array.from({ length: 9 }, (_, i) => pattern(2000 + i));
        for (const message of sent) client.send(message);
        await untilQuiet();
        open();
        await untilQuiet();
        assertEquals(received(client), sent.map((message) => [...message]));
        const memories = new Set(kept.map(({ buffer }) => buffer)).size;
        assertEquals(memories, settings === POISONED ? sent.length : memories);
      }
    });

    test("in fragments are right, and so is what comes between", async () => {
      const kept: Uint8Array[] = [];
      const rig = new Rig([["/", Echo, kept]], POISONED);
      const client = await rig.open(version);
      const parts = [pattern(700), pattern(3000), pattern(1)];
      client.write(begin(parts[0]!, 2));
      client.ping(Uint8Array.of(0x41));
      client.write(continuation(parts[1]!, false));
      client.write(continuation(parts[2]!, true));
      await untilQuiet();
      assertEquals(client.take(), ["pong A", `binary ${parts.join(",")}`]);
      assert(isPoisoned(kept[0]));
    });

    test("stay valid while the connection closes", async () => {
      const { promise, open } = gate();
      const kept: Uint8Array[] = [];
      const rig = new Rig([["/", echoingAfter(promise), kept]], POISONED);
      const clients = await Promise.all([1, 2].map(() => rig.open(version)));
      for (const client of clients) client.send(pattern(3000));
      await settle();
      clients[0]!.close(1000);
      clients[1]!.reset();
      await untilQuiet();
      assertEquals(kept, [pattern(3000), pattern(3000)]);
      open();
      await untilQuiet();
      assert(kept.every(isPoisoned));
    });

    test("can be published, sent to others, and sent as a ping", async () => {
      class Member extends Borrowing {
        override open(): void {
          this.subscribe("all", { whenSlow: "latest" });
        }
        override onMessage(message: Uint8Array): unknown {
          super.onMessage(message);
          for (const other of this.application.connections()) void other.writeMessage(message);
          this.ping(message.subarray(0, 4));
          return void this.application.publish("all", message);
        }
      }
      const histories = version === "rfc6455" ? [undefined, { all: { size: 3 } }] : [undefined];
      for (const history of histories) {
        const kept: Uint8Array[] = [];
        const settings = history === undefined ? POISONED : { ...POISONED, history };
        const rig = new Rig([["/", Member, kept]], settings);
        const [slow, ...clients] = await Promise.all(
          Array.from({ length: 3 }, () => rig.open(version, { pair: { capacity: 10 } })),
        );
        slow!.transport.pause();
        const [first] = clients;
        for (const size of [3000, 70_000]) first!.send(pattern(size));
        await untilQuiet();
        slow!.transport.resume();
        await untilQuiet();
        for (const client of [slow!, ...clients]) {
          const binary = client.take().filter((event) => event.startsWith("binary"));
          const expected = [3000, 70_000].map((size) => hash(`binary ${pattern(size)}`));
          assertEquals([...new Set(binary.map(hash))], expected);
        }
        assert(kept.every(isPoisoned));
        if (history === undefined) continue;
        const { messages } = await rig.app.history("all");
        assertEquals(messages.map(({ message }) => message), [pattern(3000), pattern(70_000)]);
      }
    });

    test("can be sent while another message is sent in pieces", async () => {
      const { promise, open } = gate();
      async function* pieces(): AsyncGenerator<string> {
        yield "begin";
        await promise;
        yield "end";
      }
      class Streaming extends Borrowing {
        override onMessage(message: Uint8Array): unknown {
          super.onMessage(message);
          this.writeMessage(pieces());
          return void this.writeMessage(message);
        }
      }
      const kept: Uint8Array[] = [];
      const rig = new Rig([["/", Streaming, kept]], POISONED);
      const client = await rig.open(version);
      client.send(pattern(1000));
      await untilQuiet();
      assert(isPoisoned(kept[0]));
      open();
      await untilQuiet();
      assertEquals(client.take(), ["text beginend", `binary ${pattern(1000)}`]);
    });

    test("may be transferred by the handler", async () => {
      class Transferring extends Borrowing {
        override onMessage(message: Uint8Array): unknown {
          super.onMessage(structuredClone(message, { transfer: [message.buffer as ArrayBuffer] }));
          return undefined;
        }
      }
      for (const settings of [{}, POISONED]) {
        const kept: Uint8Array[] = [];
        const rig = new Rig([["/", Transferring, kept]], settings);
        const client = await rig.open(version);
        for (const size of [1000, 1001]) client.send(pattern(size));
        await untilQuiet();
        assertEquals(kept.map((message) => [...message]), [1000, 1001].map((n) => [...pattern(n)]));
        assertEquals(rig.logged, []);
      }
    });

    test("are not those of a handler that reads streams", async () => {
      const kept: Uint8Array[] = [];
      class Reader extends Borrowing {
        override async onMessageStream(stream: MessageStream): Promise<void> {
          for await (const piece of stream) this.options.push(piece as Uint8Array);
        }
      }
      const rig = new Rig([["/", Reader, kept]], POISONED);
      const client = await rig.open(version, { pair: { split: 7000 } });
      client.send(pattern(3000));
      await untilQuiet();
      assertEquals(kept.flatMap((piece) => [...piece]), numbers);
    });
  });
}

describe("borrowed messages", () => {
  for (const contextTakeover of [false, true]) {
    test(`are right if they are compressed, contextTakeover ${contextTakeover}`, async () => {
      const compression = { threshold: 0, contextTakeover };
      const kept: Uint8Array[] = [];
      for (const settings of [{ compression }, { compression, ...POISONED }]) {
        const rig = new Rig([["/", Echo, kept]], settings);
        const client = await connect(rig.app, "/", { compression, split: 1000 });
        for (const size of LARGE_SIZES) {
          client.writeMessage(pattern(size));
          assertEquals(await client.readMessage(), pattern(size));
        }
      }
      assert(kept.slice(LARGE_SIZES.length).every(isPoisoned));
    });
  }

  test("of text are strings, in every version", async () => {
    for (const version of VERSIONS) {
      const kept: Uint8Array[] = [];
      const rig = new Rig([["/", Echo, kept]], POISONED);
      const client = await rig.open(version);
      client.send("Hello");
      await settle();
      assertEquals(client.take(), ["text Hello"]);
    }
  });

  test("that a handler has returned from are used for the next message", async () => {
    const kept: Uint8Array[] = [];
    const rig = new Rig([["/", Echo, kept]], { borrowMessages: true });
    const client = await rig.open("rfc6455");
    for (let i = 0; i < 10; i++) {
      client.send(pattern(16 * KIB));
      await settle();
    }
    assertEquals(new Set(kept.map(({ buffer }) => buffer)).size, 1);
    assertEquals(client.take().length, 10);
  });
});

/** A short form of a long text, so that a failure is readable. */
function hash(text: string): string {
  let hash = 0;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return `${text.slice(0, 20)} ${text.length} ${hash >>> 0}`;
}
