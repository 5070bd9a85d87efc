import { describe, test } from "node:test";
import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { WebSocketClosedError } from "../../src/errors.ts";
import { WebSocketHandler } from "../../src/server/handler.ts";
import { Recording } from "../support/recording.ts";
import { gate, HYBI, Rig, settle, VERSIONS } from "../support/rig.ts";

/** A handler that gives itself to the test. */
class Known extends Recording {
  static last: Known;
  override open(): void {
    Known.last = this;
  }
}

for (const version of VERSIONS) {
  describe(`backpressure of ${version}`, () => {
    test("a slow handler stops the reading, and nothing is lost", async () => {
      const { promise, open } = gate();
      const received: string[] = [];
      class Slow extends WebSocketHandler {
        async onMessage(message: string): Promise<void> {
          await promise;
          received.push(message);
        }
      }
      const rig = new Rig(Slow, { maxQueuedSize: 10_000 });
      const client = await rig.open(version, { pair: { capacity: 0, split: 4000 } });
      const sent = Array.from({ length: 1000 }, (_, i) => `${i} ${"x".repeat(1000)}`);
      for (const message of sent) client.send(message);
      await settle();
      const taken = 1000 * 1010 - client.transport.bufferedAmount;
      assert(taken < 30_000, `the server has taken ${taken} bytes`);
      open();
      while (client.transport.bufferedAmount > 0) await settle();
      await settle();
      assertEquals(received, sent);
    });

    for (const [maxQueuedSize, reads] of [[328, false], [329, true]] as const) {
      test(`reading ${reads ? "goes on below" : "stops at"} maxQueuedSize`, async () => {
        const { promise, open } = gate();
        const received: string[] = [];
        class Slow extends WebSocketHandler {
          async onMessage(message: string): Promise<void> {
            received.push(message);
            await promise;
          }
        }
        const rig = new Rig(Slow, { maxQueuedSize });
        const client = await rig.open(version, { pair: { capacity: 0 } });
        client.send("busy");
        await settle();
        // A waiting message counts as its size plus 64 bytes.
        for (const letter of ["a", "b"]) client.send(letter.repeat(100));
        await settle();
        client.send("c");
        await settle();
        assertEquals(client.transport.bufferedAmount === 0, reads);
        open();
        await settle();
        await settle();
        assertEquals(received.map(([letter]) => letter), ["b", "a", "b", "c"]);
      });
    }

    test("with maxQueuedSize 1, messages still arrive, one at a time", async () => {
      const received: string[] = [];
      class Slow extends WebSocketHandler {
        async onMessage(message: string): Promise<void> {
          await settle();
          received.push(message);
        }
      }
      const rig = new Rig(Slow, { maxQueuedSize: 1 });
      const client = await rig.open(version);
      for (const letter of "abcdef") client.send(letter);
      for (let waited = 0; waited < 20; waited++) await settle();
      assertEquals(received.join(""), "abcdef");
    });

    test("writers wait for a client that does not read, and onDrain is called when it does", async () => {
      const events: string[] = [];
      const rig = new Rig([["/", Known, events]], { highWaterMark: 1000 });
      const client = await rig.open(version, { pair: { capacity: 0 } });
      const handler = Known.last;
      client.transport.pause();
      let resolved = 0;
      for (let i = 0; i < 5; i++) {
        handler.writeMessage("x".repeat(400)).then(() => resolved++);
        await settle();
      }
      assertEquals(resolved, 3);
      assert(handler.bufferedAmount >= 2000 && handler.bufferedAmount < 2100);
      assertEquals(events, []);
      client.transport.resume();
      await settle();
      assertEquals([resolved, handler.bufferedAmount, events], [5, 0, ["drain"]]);
      assertEquals(client.take().length, 5);
    });

    test("a client that does not read gets no messages handled", async () => {
      let done = 0;
      class Echo extends WebSocketHandler {
        onMessage(message: string): void {
          done++;
          this.writeMessage(message);
        }
      }
      const rig = new Rig(Echo, { highWaterMark: 10_000 });
      const client = await rig.open(version, { pair: { capacity: 0, split: 5000 } });
      client.transport.pause();
      for (let i = 0; i < 1000; i++) client.send(`${i} ${"x".repeat(100)}`);
      await settle();
      assert(done < 200, `${done} messages were answered`);
      client.transport.resume();
      for (let i = 0; i < 100; i++) await settle();
      assertEquals(done, 1000);
      assertEquals(
        client.take().map((event) => event.split(" ")[1]),
        [...Array(1000).keys()].map(String),
      );
    });

    test("beyond maxBufferedAmount the connection is closed, and memory stays within it", async () => {
      for (const text of ["x".repeat(5000), "\u20ac".repeat(1666) + "xx"]) {
        const events: string[] = [];
        const settings = { highWaterMark: 1000, maxBufferedAmount: 20_000 };
        const rig = new Rig([["/", Known, events]], settings);
        const client = await rig.open(version, { pair: { capacity: 0 } });
        const handler = Known.last;
        client.transport.pause();
        const errors: unknown[] = [];
        let most = 0;
        for (let i = 0; i < 10; i++) {
          handler.writeMessage(text).catch((error) => errors.push(error));
          most = Math.max(most, handler.bufferedAmount);
          await settle();
        }
        assert(most > 10_000 && most <= 20_000, `${most} bytes waited`);
        // The first write did not have to wait.
        assertEquals(errors.length, 9);
        for (const error of errors) assertInstanceOf(error, WebSocketClosedError);
        assertEquals(events, ["close"]);
        client.transport.resume();
        await settle();
        const heard = client.take();
        assertEquals(heard.filter((event) => event === `text ${text}`).length, 3);
        if (HYBI.includes(version)) {
          assertEquals(
            heard[3],
            "close 1013 more than maxBufferedAmount (20000 bytes) would wait for the peer",
          );
        }
        assertEquals([heard.at(-1), rig.logged], ["FIN", []]);
      }
    });

    for (const beyond of [0, 1]) {
      const fits = beyond === 0;
      test(`a message that ${fits ? "fills" : "exceeds"} what may wait ${fits ? "is taken" : "is not"}`, async () => {
        for (const first of ["x", "\u00e9"]) {
          const rig = new Rig([["/", Known, []]], {
            highWaterMark: 1000,
            maxBufferedAmount: 10_000,
          });
          const client = await rig.open(version, { pair: { capacity: 0 } });
          const handler = Known.last;
          client.transport.pause();
          handler.writeMessage("y".repeat(2000));
          await settle();
          const room = 10_000 - handler.bufferedAmount + beyond;
          const text = first + "x".repeat(room - new TextEncoder().encode(first).length);
          handler.writeMessage(text).catch(() => {});
          client.transport.resume();
          await settle();
          assertEquals(client.take().includes(`text ${text}`), fits);
          assertEquals(handler.ended?.by, fits ? undefined : "overflow");
        }
      });
    }

    test("a message of any size is accepted while at most highWaterMark waits", async () => {
      const rig = new Rig([["/", Known, []]], { highWaterMark: 1000, maxBufferedAmount: 10_000 });
      const client = await rig.open(version, { pair: { capacity: 0 } });
      client.transport.pause();
      const texts = ["x".repeat(990), "y".repeat(300_000)];
      for (const text of texts) Known.last.writeMessage(text);
      client.transport.resume();
      await settle();
      assertEquals(client.take(), texts.map((text) => `text ${text}`));
    });

    test("messages before the 101 must not exceed maxBufferedAmount either", async () => {
      const outcomes: string[] = [];
      class Early extends WebSocketHandler {
        override async prepare(): Promise<void> {
          await settle();
          for (let i = 0; i < 4; i++) {
            this.writeMessage("x".repeat(3000)).then(() => outcomes.push("waits"), () => {
              outcomes.push("refused");
            });
          }
        }
        onMessage(): void {}
      }
      const rig = new Rig(Early, { highWaterMark: 1000, maxBufferedAmount: 10_000 });
      const { client } = rig.join();
      await client.open(version).catch(() => {});
      await settle();
      assertEquals(outcomes.sort(), ["refused", "waits", "waits", "waits"]);
      assertEquals(client.events, ["reset"]);
    });

    test("a message before the 101 is checked once, however much waits", async () => {
      let looked = 0;
      let amount = 0;
      const { charCodeAt } = String.prototype;
      class Early extends WebSocketHandler {
        override prepare(): void {
          String.prototype.charCodeAt = function (this: string, at: number) {
            looked++;
            return charCodeAt.call(this, at);
          };
          try {
            for (let i = 0; i < 1000; i++) this.writeMessage("0123456789");
          } finally {
            String.prototype.charCodeAt = charCodeAt;
          }
          amount = this.bufferedAmount;
        }
        onMessage(): void {}
      }
      const client = await new Rig(Early).open(version);
      await settle();
      assertEquals([amount, client.take().length], [10_000, 1000]);
      assertEquals(looked <= 10_000, true, `${looked}`);
    });

    for (const takes of [false, true]) {
      const outcome = takes ? "lives as long as it takes a byte" : "is dropped as a dead one";
      test(`a client that does not read ${outcome}`, async () => {
        const events: string[] = [];
        const rig = new Rig([["/", Known, events]], {
          highWaterMark: 1000,
          pingInterval: 20_000,
          pingTimeout: 20_000,
        });
        const client = await rig.open(version, { pair: { capacity: 0, split: 1 } });
        client.transport.pause();
        // The client's own messages do not count: they are not read.
        Known.last.writeMessage("x".repeat(5000));
        await settle();
        for (let waited = 0; waited < 39_000; waited += 3000) {
          client.send("not read");
          if (takes) {
            client.transport.resume();
            await Promise.resolve();
            client.transport.pause();
          }
          await rig.clock.advance(3000);
        }
        assertEquals(events, []);
        await rig.clock.advance(1100);
        assertEquals(events, takes ? [] : ["close"]);
        client.reset();
        await settle();
        assertEquals(rig.clock.pending, 0);
      });
    }

    test("a busy handler suspends the check whether its peer is alive", async () => {
      const { promise, open } = gate();
      const events: string[] = [];
      class Busy extends Recording {
        override onMessage(message: string): Promise<void> | void {
          super.onMessage(message);
          if (message === "work") return promise;
        }
      }
      const rig = new Rig([["/", Busy, events]], { maxQueuedSize: 10, idleTimeout: 50_000 });
      const client = await rig.open(version);
      client.send("work");
      client.send("waits");
      client.send("is not read");
      await settle();
      await rig.clock.advance(600_000);
      assertEquals(events, ["open", "text work"]);
      open();
      await settle();
      assertEquals(events, ["open", "text work", "text waits", "text is not read"]);
      await rig.clock.advance(19_000);
      assertEquals(events.length, 4);
      await rig.clock.advance(91_000);
      assertEquals(events.at(-1), "close");
    });
  });
}

describe("pings that a handler sends", () => {
  for (const version of HYBI) {
    test(`${version}: must not exceed maxBufferedAmount`, async () => {
      const rig = new Rig([["/", Known, []]], { highWaterMark: 1000, maxBufferedAmount: 10_000 });
      const client = await rig.open(version, { pair: { capacity: 0 } });
      const handler = Known.last;
      client.transport.pause();
      for (let i = 0; i < 1000; i++) {
        handler.ping("x".repeat(100));
        if (i % 10 === 0) await settle();
      }
      assert(handler.bufferedAmount < 10_200);
      client.transport.resume();
      await settle();
      assertEquals(
        client.events.find((event) => event.startsWith("close")),
        "close 1013 more than maxBufferedAmount (10000 bytes) would wait for the peer",
      );
    });
  }
});
