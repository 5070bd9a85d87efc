import { assertEquals, assertThrows } from "@std/assert";
import { describe, test } from "node:test";
import { OutgoingMessage } from "../../src/connection/outgoing_message.ts";
import { OutgoingQueue, type QueueWriter } from "../../src/connection/outgoing_queue.ts";
import { toPiece } from "../../src/connection/message_source.ts";
import { Traffic } from "../../src/connection/traffic.ts";
import { Writer } from "../../src/connection/writer.ts";
import type { WebSocketVersion } from "../../src/handshake/versions.ts";
import { MessageMemory } from "../../src/protocol/message_memory.ts";
import { Output } from "../../src/protocol/output.ts";
import type { Protocol } from "../../src/protocol/protocol.ts";
import { FakeClock } from "../../src/testing/fake_clock.ts";
import { timersOf } from "../../src/timing/clock_timers.ts";
import { RecordedTransport } from "./recorded_transport.ts";
import { hex, protocolOf, settle } from "./subject.ts";

/** A writer with a high-water mark of 1000 bytes. It records what it writes. */
class RecordedWriter {
  readonly protocol: Protocol;
  readonly environment = {
    limits: { highWaterMark: 1000 },
    traffic: new Traffic(),
    turns: { add() {} },
  };
  readonly written: string[] = [];
  hasRoom = true;

  constructor(version: WebSocketVersion = "rfc6455") {
    this.protocol = protocolOf(version, "server");
  }

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

function makeQueue(version?: WebSocketVersion) {
  const writer = new RecordedWriter(version);
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

  test("cannot be binary in a version without binary messages", () => {
    const { writer, queue } = makeQueue("draft76");
    assertThrows(() => queue.add(new Uint8Array(1)), TypeError, "draft76 has none");
    assertEquals([queue.size, writer.written], [0, []]);
    void queue.add("a");
    assertEquals(queue.size, 65);
  });

  test("take no room when they are dropped", async () => {
    const { queue } = makeQueue();
    const added = queue.add("a");
    const error = new Error("closed");
    queue.stop(error);
    queue.stop(new Error("again"));
    assertEquals([queue.size, await added.catch((thrown) => thrown)], [0, error]);
  });

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

/** A writer of a server with a recorded transport. `events` has its events. */
function makeWriter(highWaterMark = 1000) {
  const transport = new RecordedTransport();
  const traffic = new Traffic();
  const { turns } = timersOf(new FakeClock());
  const environment = { limits: { highWaterMark, maxBufferedAmount: 10_000 }, traffic, turns };
  const events: string[] = [];
  const writer = new Writer(transport, environment, {
    overflow: () => events.push("overflow"),
    congested: () => events.push("congested"),
    drained: () => events.push("drained"),
  });
  writer.protocol = protocolOf("rfc6455", "server");
  return { writer, transport, traffic, events };
}

/** A source that yields what a test gives it. */
class Source {
  readonly cancelled: unknown[] = [];
  readonly stream: ReadableStream<never>;
  #controller: ReadableStreamDefaultController<unknown> | null = null;

  constructor() {
    this.stream = new ReadableStream<unknown>({
      start: (controller) => void (this.#controller = controller),
      cancel: (reason) => void this.cancelled.push(reason),
    }) as ReadableStream<never>;
  }

  async give(...pieces: readonly unknown[]): Promise<void> {
    for (const piece of pieces) this.#controller?.enqueue(piece);
    await settle();
  }

  async end(error?: Error): Promise<void> {
    if (error === undefined) this.#controller?.close();
    else this.#controller?.error(error);
    await settle();
  }
}

/** The bytes of all writes, in hexadecimal. */
function wire({ written }: RecordedTransport): string {
  return hex(Uint8Array.from(written.splice(0).flatMap((bytes) => [...bytes])));
}

/** How a promise settles: `pending`, `resolved`, or the message of its error. */
function watch(promise: Promise<void>): { is: string; cause?: unknown } {
  const watched: { is: string; cause?: unknown } = { is: "pending" };
  promise.then(() => watched.is = "resolved", (error: Error) => {
    watched.is = error.message;
    watched.cause = error.cause;
  });
  return watched;
}

describe("a message in pieces", () => {
  const rows: [name: string, pieces: readonly unknown[], bytes: string][] = [
    ["of texts", ["a", "b"], "01 01 61 00 01 62 80 00"],
    [
      "of bytes",
      [Uint8Array.of(1), new Uint8Array(0), Uint8Array.of(2)],
      "02 01 01 00 01 02 80 00",
    ],
    ["without pieces", [], "81 00"],
    ["of empty pieces", ["", ""], "81 00"],
    ["with a pair of surrogates in two", ["\ud83d", "\ude00"], "01 04 f0 9f 98 80 80 00"],
    ["with half a pair at its end", ["a\ud83d"], "01 01 61 00 03 ef bf bd 80 00"],
    ["with half a pair in it", ["\ud83d", "a"], "01 04 ef bf bd 61 80 00"],
  ];
  for (const [name, pieces, bytes] of rows) {
    test(`${name} is sent, and counted once`, async () => {
      const { writer, transport, traffic } = makeWriter();
      const source = new Source();
      const failures: unknown[] = [];
      const written = watch(
        writer.writePieces(new OutgoingMessage(source.stream, (error) => failures.push(error))),
      );
      await source.give(...pieces);
      assertEquals([written.is, traffic.messagesOut], ["pending", 0]);
      await source.end();
      assertEquals([wire(transport), written.is, failures], [bytes, "resolved", []]);
      assertEquals([traffic.messagesOut, writer.bufferedAmount], [1, 0]);
      writer.writeMessage("c");
      writer.flush();
      assertEquals(wire(transport), "81 01 63");
    });
  }

  test("has others behind it, which count for bufferedAmount", async () => {
    const { writer, transport, traffic, events } = makeWriter();
    const [first, second] = [new Source(), new Source()];
    const fail = () => {};
    const written = [
      writer.writePieces(new OutgoingMessage(first.stream, fail)),
      writer.writePieces(new OutgoingMessage(second.stream, fail)),
      writer.writeMessage("c"),
    ].map(watch);
    assertEquals([writer.writeFrame(Uint8Array.of(0x81, 0)), writer.bufferedAmount], [
      true,
      64 + 65 + 66,
    ]);
    await second.give("b");
    await second.end();
    await first.give("a");
    assertEquals(wire(transport), "01 01 61");
    await first.end();
    assertEquals(wire(transport), "80 00 01 01 62 80 00 81 01 63 81 00");
    assertEquals(written.map(({ is }) => is), ["resolved", "resolved", "resolved"]);
    assertEquals([traffic.messagesOut, writer.bufferedAmount, events], [4, 0, []]);
  });

  test("keeps a copy of borrowed bytes behind it", async () => {
    const memory = new MessageMemory(true);
    const { writer, transport } = makeWriter();
    const source = new Source();
    writer.writePieces(new OutgoingMessage(source.stream, () => {}));
    const borrowed = memory.take(2);
    borrowed.set([1, 2]);
    writer.writeMessage(borrowed);
    memory.give(borrowed);
    await source.end();
    assertEquals(wire(transport), "81 00 82 02 01 02");
  });

  for (const [limit, told] of [[194, ["drained"]], [195, []]] as const) {
    test(`tells slow subscribers when it is sent, with ${limit} bytes as the limit`, async () => {
      const { writer, events } = makeWriter(limit);
      const source = new Source();
      writer.writePieces(new OutgoingMessage(source.stream, () => {}));
      writer.writeFrame(new Uint8Array(65));
      writer.writeFrame(new Uint8Array(2));
      await source.end();
      assertEquals(events, [...told]);
    });
  }

  test("leaves it to the end of a congestion to tell them", async () => {
    const { writer, transport, events } = makeWriter(100);
    const source = new Source();
    writer.writePieces(new OutgoingMessage(source.stream, () => {}));
    writer.writeFrame(new Uint8Array(65_536));
    transport.isStuck = true;
    await source.end();
    assertEquals(events, ["congested"]);
    transport.bufferedAmount = 0;
    writer.drain();
    assertEquals(events, ["congested", "drained"]);
  });

  test("is cut off, with all behind it, when the connection closes", async () => {
    for (const how of ["seal", "stop"] as const) {
      const { writer, transport, traffic } = makeWriter();
      const sources = [new Source(), new Source()];
      const failures: unknown[] = [];
      const cause = new Error("closed");
      const written = [
        ...sources.map(({ stream }) =>
          writer.writePieces(new OutgoingMessage(stream, (error) => failures.push(error)))
        ),
        writer.writeMessage("c"),
      ].map(watch);
      await sources[0]?.give("a");
      assertEquals(wire(transport), "01 01 61");
      writer[how](cause);
      await settle();
      const message = "Cannot write a message: the connection is closed";
      assertEquals(written, written.map(() => ({ is: message, cause })));
      assertEquals(sources.map(({ cancelled }) => cancelled.length), [1, 1]);
      assertEquals([writer.bufferedAmount, traffic.messagesOut, failures], [0, 0, []]);
      const late = watch(writer.writePieces(new OutgoingMessage(new Source().stream, () => {})));
      await settle();
      assertEquals([wire(transport), late.is], ["", message]);
    }
  });

  const faults: [name: string, act: (source: Source) => Promise<void>, message: string][] = [
    ["throws", (source) => source.end(new Error("broken")), "broken"],
    [
      "yields something else",
      (source) => source.give(1),
      "Cannot send a piece of a message: must be a string, as before, got 1",
    ],
  ];
  for (const [name, act, message] of faults) {
    test(`fails if its source ${name}, and nothing more is sent`, async () => {
      const { writer, transport } = makeWriter();
      const source = new Source();
      const failures: string[] = [];
      const written = watch(
        writer.writePieces(
          new OutgoingMessage(source.stream, (error) => failures.push((error as Error).message)),
        ),
      );
      await source.give("a");
      await act(source);
      assertEquals([failures, written.is], [[message], message]);
      assertEquals(source.cancelled.length, name === "throws" ? 0 : 1);
      assertEquals(wire(transport), "01 01 61");
    });
  }

  test("reads no more than it may send", async () => {
    const { writer, transport } = makeWriter(100);
    transport.isStuck = true;
    const source = new Source();
    writer.writePieces(new OutgoingMessage(source.stream, () => {}));
    await source.give("a".repeat(200), "b");
    assertEquals(transport.take(), ["write 204"]);
    transport.bufferedAmount = 0;
    writer.drain();
    await settle();
    await settle();
    assertEquals(transport.take(), ["write 3"]);
  });

  test("reads nothing after it was stopped during a congestion", async () => {
    const { writer, transport } = makeWriter(100);
    transport.isStuck = true;
    const source = new Source();
    const message = new OutgoingMessage(source.stream, () => {});
    writer.writePieces(message);
    await source.give("a".repeat(200), "b");
    message.stop(new Error("closed"));
    transport.take();
    transport.bufferedAmount = 0;
    writer.drain();
    await settle();
    assertEquals([transport.take(), source.cancelled.length], [[], 1]);
  });

  test("frees its compressor, however it ends", async () => {
    for (const how of ["stop", "throw", "end"] as const) {
      const { writer } = makeWriter();
      let freed = 0;
      const { protocol } = writer;
      if (protocol === null) throw new TypeError("There must be a protocol");
      const begin = protocol.beginPieces.bind(protocol);
      protocol.beginPieces = (kind) => Object.assign(begin(kind), { free: () => freed++ });
      const source = new Source();
      const message = new OutgoingMessage(source.stream, () => {});
      writer.writePieces(message);
      await source.give("a");
      if (how === "stop") {
        message.stop(new Error("closed"));
        message.stop(new Error("again"));
      } else await source.end(how === "end" ? undefined : new Error("broken"));
      message.stop(new Error("too late"));
      assertEquals(freed, 1, how);
    }
  });
});
