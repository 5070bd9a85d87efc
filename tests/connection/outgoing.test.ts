import { assertEquals, assertThrows } from "@std/assert";
import { describe, test } from "node:test";
import { OutgoingMessage } from "../../src/connection/outgoing_message.ts";
import { OutgoingQueue, type QueueWriter } from "../../src/connection/outgoing_queue.ts";
import { toPiece } from "../../src/connection/message_source.ts";
import { Traffic } from "../../src/connection/traffic.ts";
import { Output } from "../../src/protocol/output.ts";
import { protocolOf, settle } from "./subject.ts";

/** A writer with a high-water mark of 1000 bytes. It records what it writes. */
class RecordedWriter {
  readonly protocol = protocolOf("rfc6455", "server");
  readonly environment = {
    limits: { highWaterMark: 1000 },
    traffic: new Traffic(),
    turns: { add() {} },
  };
  readonly written: string[] = [];
  hasRoom = true;

  ready(): Promise<void> {
    return Promise.resolve();
  }
  append(write: (output: Output) => void): void {
    write(new Output());
    this.written.push("piece");
  }
  makeRoom(): boolean {
    return this.hasRoom;
  }
  refuse(): Promise<void> {
    return Promise.reject(new Error("refused"));
  }
  writeNow(_protocol: unknown, payload: string | Uint8Array): Promise<void> {
    this.written.push(`message ${payload.length}`);
    return Promise.resolve();
  }
  writeFrameNow(frame: Uint8Array): void {
    this.written.push(`frame ${frame.length}`);
  }
  queueEnded(wasLong: boolean): void {
    this.written.push(wasLong ? "ended, was long" : "ended");
  }
}

function makeQueue(): { readonly writer: RecordedWriter; readonly queue: OutgoingQueue } {
  const writer = new RecordedWriter();
  return { writer, queue: new OutgoingQueue(writer as unknown as QueueWriter) };
}

describe("messages behind one in pieces", () => {
  for (const [length, end] of [[10, "ended"], [1000, "ended, was long"]] as const) {
    test(`are sent in order when it is complete: ${end}`, async () => {
      const { writer, queue } = makeQueue();
      const gate = Promise.withResolvers<void>();
      const message = new OutgoingMessage(
        async function* () {
          yield "a";
          await gate.promise;
          yield "b";
        }(),
        () => {},
      );
      queue.addPieces(message);
      let isSent = false;
      queue.add("x".repeat(length)).then(() => isSent = true);
      assertEquals(queue.addFrame(new Uint8Array(3)), true);
      const done = queue.run();
      await settle();
      assertEquals([writer.written, isSent], [["piece"], false]);
      gate.resolve();
      await done;
      await settle();
      assertEquals(writer.written.slice(3), [`message ${length}`, "frame 3", end]);
      assertEquals([queue.size, isSent], [0, true]);
    });
  }

  test("are refused without room, and so are frames", async () => {
    const { writer, queue } = makeQueue();
    writer.hasRoom = false;
    assertEquals(queue.addFrame(new Uint8Array(3)), false);
    assertEquals(await queue.add("a").catch((error) => error.message), "refused");
    assertEquals(queue.size, 0);
  });
});

test("a pair of surrogates in two pieces is one character of a message", async () => {
  const writer = new RecordedWriter();
  const message = new OutgoingMessage(
    async function* () {
      await settle();
      yield "\ud83d";
      yield "\ude00";
    }(),
    () => {},
  );
  await message.send(writer as unknown as QueueWriter);
  // The character, and the end.
  assertEquals(writer.written, ["piece", "piece"]);
});

describe("a message in pieces that is cut off", () => {
  const closed = new Error("closed");
  const rows: [name: string, thrown: Error, told: unknown[]][] = [
    ["tells an error of the source", new Error("cannot stop"), ["cannot stop"]],
    ["does not tell the reason again", closed, []],
  ];
  for (const [name, thrown, told] of rows) {
    test(name, async () => {
      const failures: unknown[] = [];
      const iterator = {
        next: () => new Promise<never>(() => {}),
        return: () => Promise.reject(thrown),
      };
      const message = new OutgoingMessage(
        { [Symbol.asyncIterator]: () => iterator },
        (error) => failures.push((error as Error).message),
      );
      message.stop(closed);
      await settle();
      assertEquals(failures, told);
      assertEquals(await message.written.catch((error) => error), closed);
    });
  }
});

describe("a piece", () => {
  const rows: [value: unknown, before: "text" | "binary" | null, message: string][] = [
    ["a", "binary", "must be bytes, as before, got a string"],
    [new Uint8Array(1), "text", "must be a string, as before, got "],
    [1, null, "must be a string, an ArrayBuffer or a view of one, got "],
    [1, "text", "must be a string, as before, got "],
    [1, "binary", "must be bytes, as before, got "],
  ];
  for (const [value, before, message] of rows) {
    test(`${message}, after ${before}`, () => {
      assertThrows(() => toPiece(value, before), TypeError, message);
    });
  }
});
