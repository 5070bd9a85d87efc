/**
 * The order of events while a connection closes: waiting messages, later messages, pings, the peer's close
 * frame and its FIN.
 *
 * @module
 */
import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { describe, test } from "node:test";
import { WebSocketClosedError } from "../../src/errors.ts";
import { Recording } from "../support/recording.ts";
import { gate, Rig, settle, VERSIONS } from "../support/rig.ts";

/** A handler that gives itself to the test, and is busy while `work` is pending. */
class Worker extends Recording {
  static last: Worker;
  static work: Promise<void> | undefined;
  override open(): void {
    Worker.last = this;
  }
  override async onMessage(message: string): Promise<void> {
    this.note(`begin ${message}`);
    await Worker.work;
    this.note(`end ${message}`);
  }
}

for (const version of VERSIONS) {
  const closing = { draft75: "FIN", draft76: "close" }[version as string] ?? "close 4000";
  const answered = { draft75: "close", draft76: "close" }[version as string] ?? "close 1000";

  describe(`while a connection of ${version} closes`, () => {
    test("messages after our close frame are delivered, and writes reject", async () => {
      const errors: unknown[] = [];
      class Replying extends Recording {
        override open(): void {
          this.close(4000);
        }
        override async onMessage(message: string): Promise<void> {
          this.note(`text ${message}`);
          // A rejection that the handler passes on is not an error of the handler.
          await this.writeMessage(`reply to ${message}`).catch((error) => {
            errors.push(error);
            throw error;
          });
        }
      }
      const events: string[] = [];
      const rig = new Rig([["/", Replying, events]]);
      const client = await rig.open(version);
      assertEquals(client.take(), [closing]);
      for (const message of ["a", "b"]) {
        client.send(message);
        await settle();
      }
      assertEquals(events, ["text a", "text b"]);
      client.close(1000);
      client.end();
      await settle();
      assertEquals(events, ["text a", "text b", answered]);
      assertEquals(rig.logged, []);
      assertEquals(errors.length, 2);
      for (const error of errors) assertInstanceOf(error, WebSocketClosedError);
      // Nothing follows a close frame, not even a 1011.
      assertEquals(client.take(), version === "draft75" ? ["gone"] : ["FIN", "gone"]);
    });

    test("waiting messages are delivered before the client's close frame", async () => {
      const { promise, open } = gate();
      Worker.work = promise;
      const events: string[] = [];
      const rig = new Rig([["/", Worker, events]], { maxQueuedSize: 300 });
      const client = await rig.open(version);
      for (const message of ["a", "b", "c", "d"]) client.send(message);
      await settle();
      Worker.last.close(4000);
      client.close(1000);
      client.end();
      await settle();
      assertEquals([events, client.take()[0]], [["begin a"], closing]);
      open();
      await settle();
      const done = ["a", "b", "c", "d"].flatMap((
        message,
      ) => [`begin ${message}`, `end ${message}`]);
      assertEquals(events, [...done, answered]);
    });

    test("a handler gets closeTimeout for each step after the client's close frame", async () => {
      const gates = [gate(), gate(), gate()];
      class Slow extends Recording {
        override async onMessage(message: string): Promise<void> {
          if (message === "0") this.close(4000);
          await gates[Number(message)]?.promise;
          this.note(message);
        }
      }
      const events: string[] = [];
      const rig = new Rig([["/", Slow, events]]);
      const client = await rig.open(version);
      for (const message of ["0", "1", "2"]) client.send(message);
      await settle();
      if (version === "draft75") client.end();
      else client.close(1000);
      for (const { open } of gates) {
        await rig.clock.advance(4000);
        open();
        await settle();
      }
      assertEquals(events, ["open", "0", "1", "2", answered]);
    });

    test("waiting output is sent before FIN", async () => {
      const events: string[] = [];
      Worker.work = undefined;
      const rig = new Rig([["/", Worker, events]], { highWaterMark: 1000 });
      const client = await rig.open(version, { pair: { capacity: 0, split: 5000 } });
      client.transport.pause();
      const text = "x".repeat(20_000);
      const written = Worker.last.writeMessage(text);
      await settle();
      Worker.last.close(4000);
      client.send("late");
      client.close(1000);
      await settle();
      assertEquals([client.take(), events], [[], []]);
      client.transport.resume();
      await settle();
      await settle();
      await written;
      client.end();
      await settle();
      assertEquals(client.take().slice(0, 2), [`text ${text}`, closing]);
      assertEquals(events, ["begin late", "end late", answered]);
      assertEquals([rig.logged, rig.clock.now()], [[], 1000]);
    });

    test("the peer's end waits for the running callback", async () => {
      for (const leave of ["close", "end", "reset"] as const) {
        const { promise, open } = gate();
        Worker.work = promise;
        const events: string[] = [];
        const rig = new Rig([["/", Worker, events]]);
        const client = await rig.open(version);
        client.send("a");
        await settle();
        client.send("b");
        if (leave === "close") client.close(1000);
        await settle();
        client[leave === "reset" ? "reset" : "end"]();
        await settle();
        assertEquals(events, ["begin a"]);
        open();
        await settle();
        const last = leave === "close" ? answered : "close";
        assertEquals(events, ["begin a", "end a", "begin b", "end b", last]);
      }
    });

    test("nothing after a broken rule is delivered, even while the handler is busy", async () => {
      const { promise, open } = gate();
      Worker.work = promise;
      const events: string[] = [];
      const rig = new Rig([["/", Worker, events]], { maxMessageSize: 100 });
      const client = await rig.open(version);
      client.send("a");
      client.send("x".repeat(101));
      await settle();
      client.send("b");
      await settle();
      open();
      await settle();
      assertEquals(events, ["begin a", "end a", "close"]);
      assertEquals(Worker.last.ended?.by, "protocol");
      assertEquals(rig.app.stats().traffic.messagesIn, 1);
      assertEquals(client.take().at(-1), "FIN");
    });
  });
}

describe("a message that was read before the socket was lost", () => {
  for (const version of VERSIONS) {
    test(`${version}: is handled completely before onClose()`, async () => {
      const gates = [gate(), gate(), gate()];
      class Working extends Recording {
        override async onMessage(message: string): Promise<void> {
          await gates[Number(message)]?.promise;
          this.note(message);
        }
      }
      const events: string[] = [];
      const rig = new Rig([["/", Working, events]], { maxQueuedSize: 1 });
      const client = await rig.open(version, { pair: { capacity: 0 } });
      client.write(
        new Uint8Array([0, 1, 2].flatMap((message) => [
          ...client.encode((protocol, output) => protocol.writeText(output, `${message}`)),
        ])),
      );
      client.close(1000);
      await settle();
      client.reset();
      await settle();
      for (const [index, { open }] of gates.entries()) {
        assertEquals(events.length, 1 + index);
        open();
        await settle();
      }
      assertEquals(events.slice(0, 4), ["open", "0", "1", "2"]);
      assert(events[4]?.startsWith("close"));
    });
  }
});
