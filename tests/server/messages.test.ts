import { Buffer } from "node:buffer";
import { describe, test } from "node:test";
import { runInNewContext } from "node:vm";
import { assertEquals, assertInstanceOf, assertStrictEquals, assertThrows } from "@std/assert";
import { WebSocketClosedError } from "../../src/errors.ts";
import { WebSocketHandler } from "../../src/server/handler.ts";
import { text } from "../../src/protocol/text_codec.ts";
import { Recording } from "../support/recording.ts";
import { gate, HIXIE, HYBI, Rig, settle, VERSIONS } from "../support/rig.ts";

for (const version of VERSIONS) {
  describe(`messages of ${version}`, () => {
    test("are delivered one at a time and in order, however long each takes", async () => {
      const events: string[] = [];
      class Uneven extends Recording {
        override async onMessage(message: string): Promise<void> {
          this.note(`begin ${message}`);
          // The first ones take longest.
          for (let left = 10 - Number(message); left > 0; left--) await settle();
          this.note(`end ${message}`);
        }
      }
      const rig = new Rig([["/", Uneven, events]]);
      const client = await rig.open(version);
      const numbers = [..."0123456789"];
      for (const number of numbers) client.send(number);
      for (let waited = 0; waited < 70; waited++) await settle();
      assertEquals(events, ["open", ...numbers.flatMap((n) => [`begin ${n}`, `end ${n}`])]);
    });

    test("wait for open(), and stay in order", async () => {
      const events: string[] = [];
      const { promise, open } = gate();
      class Slow extends Recording {
        override async open(): Promise<void> {
          this.note("opening");
          await promise;
          this.note("open");
        }
      }
      const rig = new Rig([["/", Slow, events]]);
      const client = await rig.open(version);
      for (const text of ["a", "b", "c"]) client.send(text);
      await settle();
      assertEquals(events, ["opening"]);
      open();
      client.send("d");
      await settle();
      assertEquals(events, ["opening", "open", "text a", "text b", "text c", "text d"]);
    });

    test("wait for all pending promises, not only for the first one", async () => {
      const events: string[] = [];
      const gates = [gate(), gate()];
      class Waiting extends Recording {
        override async onMessage(message: string): Promise<void> {
          this.note(`begin ${message}`);
          if (message === "a") await gates[0]?.promise;
          this.note(`end ${message}`);
        }
        override async onPing(): Promise<void> {
          this.note("begin ping");
          await gates[1]?.promise;
          this.note("end ping");
        }
      }
      const rig = new Rig([["/", Waiting, events]]);
      const client = await rig.open(version);
      client.send("a");
      if (HYBI.includes(version)) client.ping(new Uint8Array(0));
      client.send("b");
      await settle();
      gates[1]?.open();
      await settle();
      assertEquals(events.includes("begin b"), false);
      gates[0]?.open();
      await settle();
      assertEquals(events.slice(-2), ["begin b", "end b"]);
    });

    test("that arrived before the peer's end are delivered before onClose()", async () => {
      for (const leave of ["close", "end", "reset"] as const) {
        const events: string[] = [];
        const { promise, open } = gate();
        class Slow extends Recording {
          override async onMessage(message: string): Promise<void> {
            if (message === "a") await promise;
            this.note(message);
          }
        }
        const rig = new Rig([["/", Slow, events]]);
        const client = await rig.open(version);
        for (const text of ["a", "b", "c"]) client.send(text);
        await settle();
        if (leave === "close") client.close(1000, "bye");
        else client[leave]();
        if (leave === "close") client.end();
        await settle();
        assertEquals(events, ["open"]);
        open();
        await settle();
        const code = leave === "close" && HYBI.includes(version) ? " 1000 bye" : "";
        assertEquals(events, ["open", "a", "b", "c", `close${code}`], leave);
      }
    });

    test("are rejected with WebSocketClosedError when the connection is closing", async () => {
      const handlers: WebSocketHandler[] = [];
      const errors: unknown[] = [];
      class Closing extends WebSocketHandler {
        override open(): void {
          handlers.push(this);
        }
        override async onMessage(): Promise<void> {
          this.close();
          this.writeMessage("ignored");
          await this.writeMessage("x").catch((error) => errors.push(error));
        }
      }
      const rig = new Rig(Closing);
      const client = await rig.open(version);
      client.send("a");
      await settle();
      assertEquals(client.events.filter((event) => event.startsWith("text")), []);
      assertInstanceOf(errors[0], WebSocketClosedError);
      client.end();
      await settle();
      handlers[0]?.writeMessage("ignored");
      await handlers[0]?.writeMessage("x").catch((error) => errors.push(error));
      assertInstanceOf(errors[1], WebSocketClosedError);
      assertEquals(rig.logged, []);
    });

    test("are rejected with WebSocketClosedError when the socket is lost while the handler is busy", async () => {
      const outcomes: string[] = [];
      const { promise, open } = gate();
      class Busy extends WebSocketHandler {
        async onMessage(): Promise<void> {
          await promise;
          await this.writeMessage("x").catch((error: Error) => outcomes.push(error.name));
          this.close(1000);
          outcomes.push("went on");
        }
        override onClose(): void {
          outcomes.push("onClose");
        }
      }
      const rig = new Rig(Busy);
      const client = await rig.open(version);
      client.send("a");
      await settle();
      client.reset();
      await settle();
      open();
      await settle();
      assertEquals(outcomes, ["WebSocketClosedError", "went on", "onClose"]);
    });

    test("are sent as text, and objects as JSON", async () => {
      class Sender extends WebSocketHandler {
        override open(): void {
          this.writeMessage("caf\u00e9 \u{1F600} \ud800");
          this.writeMessage("");
          this.writeMessage({ a: [1, null], toJSON: undefined });
          this.writeMessage([1, "2"]);
          this.writeMessage(Object.create(null));
        }
        onMessage(): void {}
      }
      const client = await new Rig(Sender).open(version);
      const expected = ["caf\u00e9 \u{1F600} \ufffd", "", '{"a":[1,null]}', '[1,"2"]', "{}"];
      assertEquals(client.events, expected.map((text) => `text ${text}`));
    });

    test("that cannot be encoded leave nothing in the output", async () => {
      const handlers: WebSocketHandler[] = [];
      class Sender extends Recording {
        override open(): void {
          handlers.push(this);
        }
      }
      const client = await new Rig([["/", Sender, []]]).open(version);
      const encode = text.encode;
      handlers[0]?.writeMessage("before");
      for (const size of [200, 20_000, 100_000]) {
        // It fails after it has written a part, like a call deep in a recursion.
        text.encode = (message, bytes, at) => {
          encode(message, bytes, at);
          throw new RangeError("Maximum call stack size exceeded");
        };
        try {
          assertThrows(() => handlers[0]?.writeMessage("x".repeat(size)), RangeError);
        } finally {
          text.encode = encode;
        }
        handlers[0]?.writeMessage(`after ${size}`);
      }
      await settle();
      const expected = ["before", "after 200", "after 20000", "after 100000"];
      assertEquals(client.events, expected.map((text) => `text ${text}`));
    });

    test("that cannot be sent are a TypeError that names their kind", async () => {
      const circle: unknown[] = [];
      circle.push(circle);
      const refused: [value: unknown, because: string][] = [
        [undefined, "undefined"],
        [null, "null"],
        [5, "5"],
        [true, "true"],
        [Symbol("s"), "Symbol(s)"],
        [() => 1, "a function"],
        [new Date(), "a Date"],
        [new Map(), "a Map"],
        [new SharedArrayBuffer(1), "a SharedArrayBuffer"],
        [Promise.resolve("x"), "a Promise"],
        [new Blob(["x"]), "a Blob"],
        [["x"].values(), "got a"],
        [{ n: 1n }, "Cannot send a message as JSON: "],
        [circle, "Cannot send a message as JSON: "],
        [{ toJSON: () => undefined }, "returned undefined"],
      ];
      const handlers: WebSocketHandler[] = [];
      class Sender extends Recording {
        override open(): void {
          handlers.push(this);
        }
      }
      const rig = new Rig([["/", Sender, []]]);
      const client = await rig.open(version);
      for (const [value, because] of refused) {
        assertThrows(() => handlers[0]?.writeMessage(value as string), TypeError, because);
      }
      await settle();
      assertEquals(client.events, []);
    });

    test("resolve at once while the client reads, without a promise for each", async () => {
      const promises: Promise<void>[] = [];
      class Sender extends WebSocketHandler {
        onMessage(message: string): void {
          promises.push(this.writeMessage(message));
        }
      }
      const client = await new Rig(Sender).open(version);
      client.send("a");
      client.send("b");
      await settle();
      assertStrictEquals(promises[0], promises[1]);
      assertEquals(client.take(), ["text a", "text b"]);
    });
  });
}

describe("binary messages", () => {
  for (const version of HYBI) {
    test(`${version}: work in both directions, and belong to the handler`, async () => {
      const kept: Uint8Array[] = [];
      class Keeper extends WebSocketHandler {
        onMessage(message: Uint8Array): void {
          kept.push(message);
          this.writeMessage(message);
        }
      }
      const rig = new Rig(Keeper);
      const client = await rig.open(version, { pair: { transfersChunks: false } });
      for (const byte of [1, 2, 3]) client.send(new Uint8Array(5).fill(byte));
      await settle();
      assertEquals(kept.map((bytes) => bytes.join("")), ["11111", "22222", "33333"]);
      assertEquals(
        client.take(),
        ["1,1,1,1,1", "2,2,2,2,2", "3,3,3,3,3"].map((b) => `binary ${b}`),
      );
    });
  }

  for (const version of HYBI) {
    test(`${version}: may be an ArrayBuffer or any view of one`, async () => {
      const bytes = Uint8Array.of(9, 1, 2, 3, 4, 9, 9, 9);
      const { buffer } = bytes;
      const realm = runInNewContext("Uint8Array.of(1, 2, 3, 4)") as Uint8Array<ArrayBuffer>;
      const messages = [
        buffer.slice(1, 5),
        bytes.subarray(1, 5),
        new DataView(buffer, 1, 4),
        new Uint16Array(buffer.slice(1, 5)),
        new Float32Array(buffer.slice(1, 5)),
        Buffer.from(buffer, 1, 4),
        realm,
        realm.buffer,
      ];
      class Sender extends WebSocketHandler {
        override open(): void {
          for (const message of messages) this.writeMessage(message);
        }
        onMessage(): void {}
      }
      const client = await new Rig(Sender).open(version);
      await settle();
      assertEquals(client.take(), messages.map(() => "binary 1,2,3,4"));
    });
  }

  for (const version of HIXIE) {
    test(`${version}: do not exist, and neither do pings`, async () => {
      const handlers: WebSocketHandler[] = [];
      class Sender extends Recording {
        override open(): void {
          handlers.push(this);
        }
      }
      const client = await new Rig([["/", Sender, []]]).open(version);
      const message = `Cannot send a binary message: ${version} has none`;
      assertThrows(() => handlers[0]?.writeMessage(Uint8Array.of(1)), TypeError, message);
      assertThrows(() => handlers[0]?.ping(), TypeError, `Cannot send a ping: ${version} has none`);
      await settle();
      assertEquals(client.events, []);
    });
  }
});
