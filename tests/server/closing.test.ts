import { describe, test } from "node:test";
import { setImmediate } from "node:timers";
import { assertEquals, assertThrows } from "@std/assert";
import type { WebSocketVersion } from "../../src/handshake/versions.ts";
import type { MemoryClient } from "../support/memory_client.ts";
import { Recording } from "../support/recording.ts";
import { gate, HIXIE, HYBI, Rig, settle, VERSIONS } from "../support/rig.ts";

/** A handler that obeys the texts that it receives. */
class Obedient extends Recording {
  override open(): void {
    super.open();
    this.setNodelay(true);
  }

  override onMessage(message: string): void | Promise<void> {
    this.note(`text ${message}`);
    switch (message) {
      case "close":
        return this.close(4000, "enough");
      case "close plainly":
        return this.close();
      case "abort":
        return this.abort();
      case "throw":
        throw new Error("thrown on purpose");
      case "reject":
        return Promise.reject(new Error("rejected on purpose"));
      case "flood":
        for (let left = 20; left > 0; left--) this.writeMessage("x".repeat(1000));
        return;
      case "late":
        setImmediate(this.asyncCallback(() => this.onMessage("throw")));
        return;
    }
  }
}

/** A way to end a connection, and the results. */
interface Way {
  /** The cause of the end. */
  readonly act: (joined: { rig: Rig; client: MemoryClient }) => unknown;
  /** The versions that have it. */
  readonly versions?: readonly WebSocketVersion[];
  /** The events of the handler, after `open` and the messages. */
  readonly closes?: string;
  /** What the client receives, in versions with close codes and in draft76. */
  readonly hears: readonly [hybi: string, draft76: string];
}

/** The client replies to a close frame, and sends FIN. */
async function answer(client: MemoryClient, code?: number): Promise<void> {
  await settle();
  client.close(code);
  client.end();
}

const ways: Readonly<Record<string, Way>> = {
  "the client's closing handshake": {
    act: ({ client }) => {
      client.close(4001, "done");
      client.end();
    },
    closes: "close 4001 done",
    hears: ["close 4001 done, FIN, gone", "close, FIN, gone"],
  },
  "the client's closing handshake without a code": {
    act: ({ client }) => {
      client.close();
      client.end();
    },
    hears: ["close, FIN, gone", "close, FIN, gone"],
  },
  "the client's close frame, and its socket left open": {
    act: async ({ rig, client }) => {
      client.close(1000);
      await settle();
      await rig.clock.advance(4990);
      assertEquals(client.events.includes("reset"), false);
      await rig.clock.advance(100);
    },
    versions: [...HYBI, "draft76"],
    closes: "close 1000",
    hears: ["close 1000, FIN, reset", "close, FIN, reset"],
  },
  "the client's FIN": {
    act: ({ client }) => client.end(),
    hears: ["FIN, gone", "FIN, gone"],
  },
  "a reset": { act: ({ client }) => client.reset(), hears: ["gone", "gone"] },
  "close(4000)": {
    act: async ({ client }) => {
      client.send("close");
      await answer(client, 4000);
    },
    closes: "close 4000",
    hears: ["close 4000 enough, FIN, gone", "close, FIN, gone"],
  },
  "close(), answered by FIN alone": {
    act: async ({ client }) => {
      client.send("close plainly");
      await settle();
      client.end();
    },
    hears: ["close, FIN, gone", "close, FIN, gone"],
  },
  "close(), answered by a reset": {
    act: async ({ client }) => {
      client.send("close plainly");
      await settle();
      client.reset();
    },
    versions: [...HYBI, "draft76"],
    hears: ["close, gone", "close, gone"],
  },
  "close(), not answered": {
    act: async ({ rig, client }) => {
      client.send("close plainly");
      client.send("ignored");
      await settle();
      await rig.clock.advance(4990);
      assertEquals(client.events, ["close"]);
      await rig.clock.advance(100);
    },
    versions: [...HYBI, "draft76"],
    hears: ["close, reset", "close, reset"],
  },
  "abort()": { act: ({ client }) => client.send("abort"), hears: ["reset", "reset"] },
  "an error thrown in onMessage()": {
    act: ({ client }) => client.send("throw"),
    hears: ["close 1011 internal error, FIN", "FIN"],
  },
  "a rejection in onMessage()": {
    act: ({ client }) => client.send("reject"),
    hears: ["close 1011 internal error, FIN", "FIN"],
  },
  "an error thrown in asyncCallback()": {
    act: ({ client }) => client.send("late"),
    hears: ["close 1011 internal error, FIN", "FIN"],
  },
  "a broken rule": {
    act: ({ client, rig: _ }) => {
      if (client.raw.startsWith("HTTP/1.1 101 Web")) client.write(new Uint8Array(20).fill(0xff));
      else client.write(Uint8Array.of(0x83, 0x80, 0, 0, 0, 0));
    },
    hears: ["close 1002 opcodes 3 to 7 and 11 to 15 are reserved (RFC 6455 §5.2), FIN", "FIN"],
  },
  "a message beyond maxMessageSize": {
    act: ({ client }) => client.send("x".repeat(10_001)),
    hears: [
      "close 1009 a message must not exceed maxMessageSize (10000 bytes) (RFC 6455 §7.4.1), FIN",
      "FIN",
    ],
  },
  "no message for idleTimeout": {
    act: async ({ rig, client }) => {
      await rig.clock.advance(60_100);
      await answer(client, 1001);
    },
    closes: "close 1001",
    hears: ["close 1001 idle timeout, FIN, gone", "close, FIN, gone"],
  },
};

const settings = {
  maxMessageSize: 10_000,
  highWaterMark: 5000,
  maxBufferedAmount: 10_000,
  idleTimeout: 60_000,
  pingInterval: 0,
};

describe("onClose() is called once after", () => {
  for (
    const [name, { act, closes = "close", hears, versions = VERSIONS }] of Object.entries(ways)
  ) {
    for (const version of versions) {
      test(`${name} (${version})`, async () => {
        const events: string[] = [];
        const rig = new Rig([["/", Obedient, events]], settings);
        const client = await rig.open(version);
        await act({ rig, client });
        await settle();
        await settle();
        const hybi = HYBI.includes(version);
        const last = events.at(-1);
        assertEquals(last, hybi ? closes : "close");
        const expected = hybi ? hears[0] : hears[1];
        const heard = version === "draft75" ? expected.replace(/^close, /, "") : expected;
        assertEquals(client.events.join(", "), heard);
        assertEquals(events.filter((event) => event.startsWith("close")).length, 1);
        // The rest of the connection ends too, without further events.
        await rig.clock.advance(120_000);
        assertEquals(events.filter((event) => event.startsWith("close")).length, 1);
        assertEquals(["gone", "reset"].includes(client.events.at(-1) ?? ""), true);
        assertEquals(rig.clock.pending, 0);
      });
    }
  }
});

describe("close()", () => {
  for (const version of VERSIONS) {
    test(`${version}: sends its close frame once, even if it is called again`, async () => {
      class Talkative extends Recording {
        override onMessage(): void {
          this.writeMessage("before");
          this.close(1000, "first");
          this.close(1001, "second");
          this.writeMessage("after");
          if (HYBI.includes(version)) this.ping();
        }
      }
      const client = await new Rig([["/", Talkative, []]]).open(version);
      client.send("go");
      await settle();
      const closing = { draft75: "FIN", draft76: "close" }[version as string] ?? "close 1000 first";
      assertEquals(client.events, ["text before", closing]);
    });
  }

  test("checks its arguments", async () => {
    const handlers: Obedient[] = [];
    class Kept extends Obedient {
      override open(): void {
        handlers.push(this);
      }
    }
    const client = await new Rig([["/", Kept, []]]).open("rfc6455");
    const handler = handlers[0];
    for (const code of [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 1000.5, NaN]) {
      assertThrows(() => handler?.close(code), RangeError, `Cannot close with code ${code}`);
    }
    assertThrows(() => handler?.close(1000, "\u00e9".repeat(62)), RangeError, "got 124");
    assertThrows(() => handler?.close(undefined, "why"), TypeError, "no code");
    await settle();
    assertEquals(client.events, []);
    handler?.close(1000, "x".repeat(123));
    await settle();
    assertEquals(client.events, [`close 1000 ${"x".repeat(123)}`]);
  });

  for (const version of [...HYBI, "draft76"] as const) {
    test(`${version}: delivers waiting messages, and finds the client's close frame after them`, async () => {
      const events: string[] = [];
      const { promise, open } = gate();
      class Closing extends Recording {
        override onMessage(message: string): Promise<void> {
          this.note(`text ${message.slice(0, 5)}`);
          this.close(1000);
          return promise;
        }
      }
      const rig = new Rig([["/", Closing, events]], { maxQueuedSize: 1000 });
      const client = await rig.open(version);
      client.send("first");
      for (let left = 50; left > 0; left--) client.send("x".repeat(100));
      client.close(1000);
      await settle();
      const code = version === "draft76" ? "" : " 1000";
      assertEquals(events, ["open", "text first"]);
      assertEquals(client.events, [`close${code}`]);
      open();
      await settle();
      const waited = Array.from({ length: 50 }, () => "text xxxxx");
      assertEquals(events, ["open", "text first", ...waited, `close${code}`]);
      assertEquals(client.events, [`close${code}`, "FIN"]);
    });

    test(`${version}: lets the client read waiting output, as long as it reads`, async () => {
      class Writing extends Recording {
        override onMessage(): void {
          this.writeMessage("x".repeat(10_000));
          this.close(1000);
        }
      }
      const rig = new Rig([["/", Writing, []]]);
      const { client, transport } = rig.join({ capacity: 100, split: 1000 });
      await client.open(version);
      client.transport.pause();
      client.send("go");
      await settle();
      // A thousand bytes every four seconds, for much longer than closeTimeout.
      for (let taken = 0; taken < 9; taken++) {
        assertEquals(transport.bufferedAmount > 0, true);
        client.transport.resume();
        await Promise.resolve();
        client.transport.pause();
        await rig.clock.advance(4000);
      }
      client.transport.resume();
      await settle();
      assertEquals(client.events.map((event) => event.length), [
        10_005,
        version === "draft76" ? 5 : 10,
      ]);
    });
  }
});

describe("a lost peer", () => {
  for (const version of VERSIONS) {
    test(`${version}: does not wait for a handler that never settles`, async () => {
      for (const leave of ["end", "reset"] as const) {
        const events: string[] = [];
        class Stuck extends Recording {
          override onMessage(): Promise<void> {
            return new Promise(() => {});
          }
        }
        const rig = new Rig([["/", Stuck, events]]);
        const client = await rig.open(version);
        client.send("work");
        await settle();
        client[leave]();
        await settle();
        assertEquals(events, ["open"]);
        await rig.clock.advance(4990);
        assertEquals(events, ["open"]);
        await rig.clock.advance(50);
        assertEquals(events, ["open", "close"]);
        await rig.clock.advance(60_000);
        assertEquals([events.length, rig.clock.pending], [2, 0]);
      }
    });

    test(`${version}: waits for a handler that processes its messages`, async () => {
      const events: string[] = [];
      const gates = [gate(), gate(), gate()];
      class Working extends Recording {
        override async onMessage(message: string): Promise<void> {
          await gates[Number(message)]?.promise;
          this.note(message);
        }
      }
      const rig = new Rig([["/", Working, events]]);
      const client = await rig.open(version);
      for (const message of ["0", "1", "2"]) client.send(message);
      await settle();
      client.reset();
      await settle();
      for (const { open } of gates) {
        await rig.clock.advance(4000);
        open();
        await settle();
      }
      assertEquals(events, ["open", "0", "1", "2", "close"]);
    });
  }

  for (const version of HIXIE) {
    test(`${version}: closeCode stays undefined and closeReason empty`, async () => {
      const seen: unknown[] = [];
      class Telling extends Recording {
        override onClose(): void {
          seen.push(this.closeCode, this.closeReason);
        }
      }
      const client = await new Rig([["/", Telling, []]]).open(version);
      client.close(1000, "bye");
      client.end();
      await settle();
      assertEquals(seen, [undefined, ""]);
    });
  }
});
