import { assertEquals } from "@std/assert";
import { describe, test } from "node:test";
import type { FloodControl } from "../../src/connection/flood_control.ts";
import { settle, Subject } from "./subject.ts";

/** A text of one letter from a client, masked with zeros. */
function text(letter: string): Uint8Array {
  return Uint8Array.of(0x81, 0x81, 0, 0, 0, 0, letter.charCodeAt(0));
}
const letters = (count: number) => "abcdefgh".slice(0, count);
const all = (count: number) =>
  Uint8Array.from([...letters(count)].flatMap((one) => [...text(one)]));

/** Records when the transport is paused and resumed. */
function watch(subject: Subject): string[] {
  const notes: string[] = [];
  const { transport } = subject;
  const { pause, resume } = transport;
  transport.pause = () => {
    notes.push("pause");
    pause.call(transport);
  };
  transport.resume = () => {
    notes.push("resume");
    resume.call(transport);
  };
  return notes;
}

for (const split of [1, 7, 10, Infinity]) {
  describe(`a reader of chunks of ${split} bytes`, () => {
    test("reports everything while there is room, and never pauses", async () => {
      const subject = new Subject({ pair: { split } });
      const notes = watch(subject);
      subject.far.write(all(4), false);
      for (let waited = 0; waited < 30; waited++) await Promise.resolve();
      await settle();
      assertEquals(subject.receiver.events, ["text a", "text b", "text c", "text d"]);
      assertEquals([notes, subject.connection.reader.isBehind], [[], false]);
    });

    test("stops without room, holds the rest, and continues there", async () => {
      const subject = new Subject({ pair: { split, capacity: 0 } });
      const notes = watch(subject);
      const { receiver, connection } = subject;
      receiver.hasRoom = false;
      subject.far.write(all(3), false);
      await settle();
      assertEquals([receiver.events, notes], [[], ["pause"]]);
      assertEquals([connection.reader.paused, connection.reader.isBehind], [true, true]);
      // Only the first chunk is held. No more is read.
      assertEquals(subject.far.bufferedAmount, Math.max(0, 21 - split));
      receiver.hasRoom = true;
      receiver.resume();
      await settle();
      assertEquals(receiver.events, ["text a", "text b", "text c"]);
      assertEquals([connection.reader.paused, notes.at(-1)], [false, "resume"]);
    });

    test("accepts nothing between close() and open(), but parses held bytes", async () => {
      const subject = new Subject({ pair: { split } });
      const { receiver, connection } = subject;
      receiver.hasRoom = false;
      subject.far.write(text("a"), false);
      await settle();
      connection.reader.close();
      receiver.hasRoom = true;
      receiver.resume();
      subject.far.write(text("b"), false);
      await settle();
      // A message that is held in part was not read.
      assertEquals(receiver.events, split < 7 ? [] : ["text a"]);
      assertEquals(connection.reader.paused, true);
      connection.reader.open();
      await settle();
      assertEquals(receiver.events, ["text a", "text b"]);
    });

    test("drops bytes after a broken rule, and reads on", async () => {
      const subject = new Subject({ pair: { split, capacity: 0 } });
      const { receiver, connection } = subject;
      subject.far.write(Uint8Array.of(...text("a"), 0x83, 0x80, 0, 0, 0, 0, ...text("b")), false);
      subject.far.write(text("c"), false);
      await settle();
      assertEquals(receiver.events.length, 2);
      assertEquals(receiver.events[1]?.startsWith("violation"), true);
      assertEquals([connection.reader.paused, subject.far.bufferedAmount], [false, 0]);
    });
  });
}

describe("a reader", () => {
  test("says whether held bytes were parsed: if there are any, and room for them", async () => {
    const subject = new Subject();
    const { receiver } = subject;
    const { reader } = subject.connection;
    assertEquals(reader.parseHeld(), false);
    receiver.hasRoom = false;
    subject.far.write(all(2), false);
    await settle();
    assertEquals([reader.isBehind, reader.parseHeld(), receiver.events], [true, false, []]);
    receiver.hasRoom = true;
    assertEquals([reader.parseHeld(), receiver.events], [true, ["text a", "text b"]]);
    assertEquals(reader.parseHeld(), false);
  });

  test("of a server stops while output waits, and that of a client does not", async () => {
    for (const role of ["server", "client"] as const) {
      const subject = new Subject({ role, pair: { capacity: 0 } });
      subject.far.pause();
      subject.writer.writeMessage("x".repeat(2000));
      await settle();
      const bytes = role === "server" ? text("a") : Uint8Array.of(0x81, 1, 0x61);
      subject.far.write(bytes, false);
      await settle();
      const { reader } = subject.connection;
      assertEquals(subject.receiver.events, role === "server" ? [] : ["text a"]);
      assertEquals(
        [reader.mayParse, reader.paused],
        role === "server" ? [false, true] : [true, false],
      );
    }
  });

  for (const transfersChunks of [true, false]) {
    const whose = transfersChunks ? "its own" : "the transport's";
    test(`keeps held bytes, although the memory of the chunk is ${whose}`, async () => {
      const subject = new Subject({ pair: { transfersChunks } });
      subject.receiver.hasRoom = false;
      subject.far.write(Uint8Array.of(...text("a"), ...text("b")), false);
      await settle();
      subject.receiver.hasRoom = true;
      subject.receiver.resume();
      assertEquals(subject.receiver.events, ["text a", "text b"]);
    });

    test(`owns its binary messages, although the memory of the chunk is ${whose}`, async () => {
      const subject = new Subject({ pair: { transfersChunks } });
      const kept: Uint8Array[] = [];
      const { binary } = subject.receiver;
      subject.receiver.binary = (message) => {
        kept.push(message);
        return binary.call(subject.receiver, message);
      };
      const bytes = Uint8Array.of(0x82, 0x82, 0, 0, 0, 0, 1, 2);
      subject.far.write(bytes, false);
      await settle();
      subject.far.write(bytes, false);
      await settle();
      assertEquals(kept, [Uint8Array.of(1, 2), Uint8Array.of(1, 2)]);
    });
  }

  test("pauses if the last message of a chunk has filled the receiver, and resumes", () => {
    const subject = new Subject();
    const notes = watch(subject);
    const { connection, receiver } = subject;
    receiver.text = (message) => {
      receiver.events.push(message);
      return receiver.hasRoom = false;
    };
    connection.data(text("a"));
    assertEquals([receiver.events, notes, connection.reader.isBehind], [["a"], ["pause"], false]);
    receiver.hasRoom = true;
    receiver.resume();
    assertEquals(notes, ["pause", "resume"]);
  });

  test("releases a chunk, unless a message is a part of it", () => {
    const { connection, transport } = new Subject();
    const released: number[] = [];
    transport.release = (chunk) => released.push(chunk.length);
    connection.data(text("a"));
    assertEquals(released.splice(0), [7]);
    connection.data(Uint8Array.of(0x82, 0x80 | 100, 0, 0, 0, 0, ...new Uint8Array(100)));
    assertEquals(released, []);
    connection.data(text("b"));
    assertEquals(released, [7]);
  });

  test("calls the transport only for a change, and at once", async () => {
    const subject = new Subject({ pair: { capacity: 0 } });
    const notes = watch(subject);
    subject.connection.settle();
    assertEquals(notes, []);
    subject.far.pause();
    subject.writer.writeMessage("x".repeat(2000));
    await settle();
    assertEquals(notes, ["pause"]);
    subject.connection.settle();
    assertEquals(notes, ["pause"]);
    subject.connection.reader.close();
    assertEquals(notes, ["pause"]);
  });

  test("asks the rates for each message, and counts each chunk", () => {
    const { connection, receiver } = new Subject();
    const { reader } = connection;
    const calls: unknown[] = [];
    const flood = {
      isBlocked: false,
      bytes: (count: number) => void calls.push(count),
      message: () => calls.push("message") > 2,
      stop: () => void calls.push("stop"),
    };
    reader.flood = flood as unknown as FloodControl;
    connection.data(text("a"));
    assertEquals([reader.admitMessage(), reader.admitMessage()], [false, true]);
    assertEquals([calls.splice(0), reader.mayParse], [[7, "message", "message"], true]);
    flood.isBlocked = true;
    connection.data(text("b"));
    assertEquals([receiver.events, reader.mayParse, reader.paused], [["text a"], false, true]);
    reader.stop();
    assertEquals(calls, [7, "stop"]);
  });

  test("reports whatever a protocol throws as an error", () => {
    for (const thrown of ["odd", new Error("odd")]) {
      const { connection, protocol, receiver } = new Subject();
      protocol.receive = () => {
        throw thrown;
      };
      connection.data(text("a"));
      assertEquals(receiver.events, [`violation odd`]);
    }
  });

  test("tells whether it has read all the time, and asks only once about a pause", () => {
    const { connection: { reader }, receiver } = new Subject();
    const pause = () => {
      receiver.hasRoom = false;
      reader.update();
      receiver.hasRoom = true;
    };
    assertEquals(reader.takeFlow(), "reading");
    pause();
    assertEquals(reader.takeFlow(), "busy");
    reader.update();
    assertEquals([reader.takeFlow(), reader.takeFlow()], ["resumed", "reading"]);
    reader.close();
    reader.open();
    assertEquals([reader.takeFlow(), reader.takeFlow()], ["resumed", "reading"]);
  });

  test("does not count a pause for slow output as one of the handler", async () => {
    const { connection, receiver, writer, far } = new Subject({ pair: { capacity: 0 } });
    const { reader } = connection;
    receiver.drained = () => connection.settle();
    far.pause();
    writer.writeMessage("x".repeat(2000));
    writer.flush();
    assertEquals([reader.paused, reader.takeFlow()], [true, "busy"]);
    far.resume();
    await settle();
    assertEquals([reader.paused, reader.takeFlow()], [false, "reading"]);
    far.pause();
    writer.writeMessage("x".repeat(2000));
    writer.flush();
    far.resume();
    await settle();
    assertEquals([reader.paused, reader.takeFlow()], [false, "reading"]);
  });

  test("that has stopped is not paused, and open() is for close() only", () => {
    const subject = new Subject();
    const notes = watch(subject);
    const { reader } = subject.connection;
    reader.open();
    assertEquals(notes, []);
    reader.close();
    assertEquals([reader.paused, notes], [true, ["pause"]]);
    reader.open();
    assertEquals([reader.paused, notes.splice(0)], [false, ["pause", "resume"]]);
    reader.stop();
    reader.close();
    assertEquals([reader.paused, notes], [false, []]);
  });

  test("without rates admits every message", () => {
    assertEquals(new Subject().connection.reader.admitMessage(), true);
  });

  test("reports a peer that it refuses, once", () => {
    const { connection, receiver } = new Subject();
    connection.reader.refuse(new Error("too fast"));
    connection.reader.refuse(new Error("again"));
    connection.data(text("a"));
    assertEquals(receiver.events, ["violation too fast"]);
  });

  test("that has stopped reads on and drops everything", async () => {
    const subject = new Subject({ pair: { capacity: 0 } });
    subject.receiver.hasRoom = false;
    subject.far.write(text("a"), false);
    await settle();
    subject.connection.reader.stop();
    subject.far.write(text("b"), false);
    await settle();
    assertEquals([subject.receiver.events, subject.far.bufferedAmount], [[], 0]);
    assertEquals([subject.connection.reader.isBehind, subject.connection.reader.paused], [
      false,
      false,
    ]);
  });
});
