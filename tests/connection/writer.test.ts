import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import process from "node:process";
import { describe, test } from "node:test";
import { giveOutput, takeOutput } from "../../src/connection/cork.ts";
import { Traffic } from "../../src/connection/traffic.ts";
import { Writer } from "../../src/connection/writer.ts";
import { ProtocolError, WebSocketClosedError } from "../../src/errors.ts";
import { FakeClock } from "../../src/testing/fake_clock.ts";
import { DONE } from "../../src/timing/turns.ts";
import { timersOf } from "../../src/timing/clock_timers.ts";
import { RecordedTransport } from "./recorded_transport.ts";
import { protocolOf, settle } from "./subject.ts";

/** A writer of a server. `events` has its events. */
function make({ highWaterMark = 1000, maxBufferedAmount = 10_000 } = {}) {
  const transport = new RecordedTransport();
  const traffic = new Traffic();
  const events: string[] = [];
  const environment = {
    limits: { highWaterMark, maxBufferedAmount },
    traffic,
    turns: timersOf(new FakeClock()).turns,
  };
  const writer = new Writer(transport, environment, {
    overflow: (error) => events.push(`${error.code} ${error.message}`),
    congested: () => events.push("congested"),
    drained: () => events.push("drained"),
  });
  writer.protocol = protocolOf("rfc6455", "server");
  return { transport, traffic, events, writer };
}

/** A writer with `bytes` bytes and a frame header waiting in the transport. */
function makeStuck(bytes: number) {
  const made = make();
  made.transport.isStuck = true;
  made.writer.writeMessage(new Uint8Array(bytes));
  made.writer.flush();
  made.transport.take();
  return made;
}

describe("written messages", () => {
  test("are sent together at the end of the microtask queue, and counted", async () => {
    const { transport, traffic, writer } = make();
    assertStrictEquals(writer.writeMessage("a"), DONE);
    writer.writeMessage({ a: 1 });
    assertEquals([transport.take(), writer.bufferedAmount], [[], 12]);
    await settle();
    assertEquals(transport.take(), ["write 12"]);
    assertEquals([traffic.messagesOut, traffic.bytesOut, writer.flushedBytes], [2, 12, 12]);
    writer.flush();
    assertEquals(transport.take(), []);
  });

  test("are sent at once from 64 KiB on", () => {
    for (const [bytes, calls] of [[65_535, 0], [65_536, 1]] as const) {
      const { transport, writer } = make({ highWaterMark: 1e6, maxBufferedAmount: 1e6 });
      writer.writeRaw(new Uint8Array(bytes));
      assertEquals(transport.take().length, calls);
      writer.flush();
    }
  });

  test("do not copy a large frame that others get too, whatever is in front of it", () => {
    const limits = { highWaterMark: 1e6, maxBufferedAmount: 1e7 };
    const [first, second] = [new Uint8Array(65_536).fill(1), new Uint8Array(65_536).fill(2)];
    const { transport, writer } = make(limits);
    writer.writeMessage("a");
    for (const frame of [first, second]) assertEquals(writer.writeFrame(frame), true);
    writer.writeMessage("b");
    writer.flush();
    assertEquals(transport.take(), ["write 3", "write 65536", "write 65536", "write 3"]);
    assertStrictEquals(transport.written[1], first);
    assertStrictEquals(transport.written[2], second);
    // A smaller one goes out in the same write as its neighbours.
    writer.writeMessage("c");
    writer.writeFrame(first.subarray(1));
    assertEquals(transport.take(), ["write 65538"]);
  });

  test("go at once if a short message behind them could exceed maxBufferedAmount", () => {
    for (const [bytes, calls] of [[9000, 0], [9001, 1]] as const) {
      const { transport, writer } = make();
      writer.writeRaw(new Uint8Array(bytes));
      assertEquals(transport.take().length, calls);
      writer.flush();
    }
    // What waits in the transport counts.
    for (const [bytes, calls] of [[850, 0], [851, 1]] as const) {
      const { transport, writer } = make({ highWaterMark: 1000, maxBufferedAmount: 1000 });
      transport.bufferedAmount = 150;
      writer.writeRaw(new Uint8Array(bytes));
      assertEquals(transport.take().length, calls);
      writer.flush();
    }
  });

  const kinds: Readonly<Record<string, (writer: Writer) => void>> = {
    "a message": (writer) => writer.writeMessage("aaaa"),
    "a frame": (writer) => writer.writeFrame(new Uint8Array(6)),
    "a ping": (writer) => writer.writePing(new Uint8Array(4)),
    "a pong": (writer) => writer.writePong(new Uint8Array(4)),
  };
  for (const [name, write] of Object.entries(kinds)) {
    test(`are sent at once with ${name} that makes them 64 KiB`, () => {
      for (const [bytes, calls] of [[65_529, []], [65_530, ["write 65536"]]] as const) {
        const { transport, writer } = make({ maxBufferedAmount: 1e6 });
        writer.writeRaw(new Uint8Array(bytes));
        write(writer);
        assertEquals<readonly string[]>(transport.take(), calls);
        writer.flush();
      }
    });
  }

  test("give their buffer to the next connection", () => {
    const { writer } = make();
    writer.writeMessage("a");
    const output = writer.output();
    writer.flush();
    assertStrictEquals(takeOutput(), output);
    giveOutput(output);
  });

  test("are rejected after the end, with the cause", async () => {
    const cause = new ProtocolError(1009, "too long");
    const { writer, transport } = make();
    writer.stop(cause);
    writer.stop(new Error("later"));
    for (const promise of [writer.writeMessage("a"), writer.ready(), writer.refuse()]) {
      const error = await assertRejects(() => promise, WebSocketClosedError);
      assertEquals(
        [error.message, error.cause],
        ["Cannot write a message: the connection is closed (1009: too long)", cause],
      );
    }
    assertEquals(writer.writeFrame(new Uint8Array(3)), false);
    writer.writePing(new Uint8Array(1));
    writer.writePong(new Uint8Array(1));
    await settle();
    assertEquals(transport.take(), []);
  });

  test("have no cause if the connection ended without an error", async () => {
    const { writer } = make();
    writer.stop();
    writer.stop(new Error("later"));
    const error = await assertRejects(() => writer.writeMessage("a"), WebSocketClosedError);
    const message = "Cannot write a message: the connection is closed";
    assertEquals([error.message, error.cause], [message, undefined]);
  });

  test("that throw leave nothing in the output", async () => {
    const { transport, writer } = make();
    writer.writeMessage("a");
    const protocol = writer.protocol;
    assert(protocol !== null);
    protocol.writeText = (output) => {
      output.append(Uint8Array.of(1, 2));
      throw new RangeError("stack");
    };
    let caught: unknown;
    try {
      writer.writeMessage("b");
    } catch (error) {
      caught = error;
    }
    assert(caught instanceof RangeError);
    await settle();
    assertEquals(transport.written, [Uint8Array.of(0x81, 1, 0x61)]);
  });
});

describe("a shared frame", () => {
  const frame = Uint8Array.of(0x81, 1, 0x61);

  test("is not copied if nothing else waits", async () => {
    const { transport, traffic, writer } = make();
    assertEquals(writer.writeFrame(frame), true);
    assertEquals(writer.bufferedAmount, 3);
    await settle();
    assertStrictEquals(transport.written[0], frame);
    assertEquals([traffic.messagesOut, traffic.bytesOut], [1, 3]);
  });

  test("stays in order with other output", async () => {
    const { transport, writer } = make();
    writer.writeFrame(frame);
    writer.writeMessage("b");
    writer.writeFrame(frame);
    assertEquals(writer.bufferedAmount, 9);
    await settle();
    assertEquals(transport.written, [Uint8Array.of(...frame, 0x81, 1, 0x62, ...frame)]);
    writer.writeFrame(frame);
    writer.writeFrame(frame);
    await settle();
    assertEquals(transport.take(), ["write 9", "write 6"]);
  });

  test("needs room", () => {
    const { writer, events } = makeStuck(8000);
    assertEquals(writer.writeFrame(new Uint8Array(1996)), true);
    writer.flush();
    assertEquals(writer.writeFrame(new Uint8Array(10)), false);
    assertEquals(events.length, 2);
  });
});

describe("a message above 4096 bytes needs room behind output that was not given to the transport", () => {
  for (const [bytes, fits] of [[4096, true], [4097, false]] as const) {
    const ways: [name: string, write: (writer: Writer) => void][] = [
      ["text", (writer) => void writer.writeMessage("x".repeat(bytes))],
      ["frame", (writer) => void writer.writeFrame(new Uint8Array(bytes))],
    ];
    for (const [name, write] of ways) {
      test(`${name} of ${bytes}`, () => {
        const { writer, transport, events } = make();
        transport.isStuck = true;
        writer.writeRaw(new Uint8Array(8000));
        assertEquals([writer.congested, transport.take()], [false, []]);
        write(writer);
        const overflow = "1013 more than maxBufferedAmount (10000 bytes) would wait for the peer";
        assertEquals(events.filter((event) => event !== "congested"), fits ? [] : [overflow]);
      });
    }
  }
});

describe("waiting output", () => {
  test("is congested above the high-water mark", () => {
    for (const [bytes, congested] of [[996, false], [997, true]] as const) {
      const stuck = make();
      stuck.transport.isStuck = true;
      stuck.writer.writeMessage("a".repeat(bytes));
      stuck.writer.flush();
      assertEquals([stuck.writer.congested, stuck.writer.isSlow], [congested, congested]);
      assertEquals(stuck.events, congested ? ["congested"] : []);
    }
  });

  test("is not congested if the system accepts it at once", () => {
    const { writer, transport } = make();
    writer.writeRaw(new Uint8Array(1000));
    assertEquals([writer.isSlow, transport.take()], [false, []]);
    writer.flush();
    assertEquals(transport.take(), ["write 1000"]);
    writer.writeRaw(new Uint8Array(1001));
    assertEquals(writer.isSlow, false);
    assertEquals(transport.take(), ["write 1001"]);
  });

  test("lets writers wait until it is sent", async () => {
    const { writer, transport, events } = makeStuck(2000);
    const ready = writer.writeMessage("a");
    assertStrictEquals(writer.ready(), ready);
    assert(ready !== DONE);
    writer.flush();
    transport.bufferedAmount = 0;
    writer.drain();
    await ready;
    assertEquals(events, ["congested", "drained"]);
    assertEquals(writer.congested, false);
    // In this turn of the event loop, much was written.
    const next = writer.ready();
    assert(next !== DONE);
    await next;
    assertStrictEquals(writer.ready(), DONE);
    writer.drain();
    assertEquals(events, ["congested", "drained"]);
  });

  test("rejects waiting writers at the end", async () => {
    const { writer } = makeStuck(2000);
    const ready = writer.ready();
    writer.stop(new Error("reset"));
    assertEquals(writer.congested, false);
    await assertRejects(() => ready, WebSocketClosedError, "the connection is closed");
  });

  test("causes no unhandled rejection at the end", async () => {
    const { writer } = makeStuck(2000);
    const unhandled: unknown[] = [];
    const note = (error: unknown) => unhandled.push(error);
    process.on("unhandledRejection", note);
    try {
      writer.ready();
      writer.stop(new Error("reset"));
      await settle();
    } finally {
      process.off("unhandledRejection", note);
    }
    assertEquals(unhandled, []);
  });

  test("may have pings behind it, as long as there is room", () => {
    const { writer, transport, events } = makeStuck(2000);
    writer.writePing(Uint8Array.of(7));
    writer.flush();
    assertEquals(transport.written.at(-1), Uint8Array.of(0x89, 1, 7));
    transport.bufferedAmount = 10_000;
    writer.writePing(Uint8Array.of(8));
    assertEquals(events.length, 2);
  });

  test("answers only the last ping", async () => {
    const { writer, transport } = makeStuck(2000);
    writer.writePong(Uint8Array.of(1));
    writer.writePong(Uint8Array.of(2));
    await settle();
    assertEquals(transport.take(), []);
    transport.isStuck = false;
    transport.bufferedAmount = 0;
    writer.drain();
    await settle();
    assertEquals(transport.written.at(-1), Uint8Array.of(0x8a, 1, 2));
    writer.writePong(Uint8Array.of(3));
    writer.writePing(Uint8Array.of(4));
    await settle();
    assertEquals(transport.written.at(-1), Uint8Array.of(0x8a, 1, 3, 0x89, 1, 4));
    assertEquals(transport.take().length, 2);
  });

  test("makes progress while the peer reads", () => {
    const { writer, transport } = makeStuck(2000);
    assertEquals(writer.isProgressing, false);
    transport.bufferedAmount -= 1;
    assertEquals(writer.isProgressing, true);
    transport.bufferedAmount = 1;
    assertEquals(writer.isProgressing, true);
    transport.bufferedAmount = writer.flushedBytes + 1;
    writer.watchProgress();
    assertEquals(writer.isProgressing, false);
    transport.bufferedAmount -= 1;
    assertEquals([writer.isProgressing, writer.flushedBytes], [true, 1]);
    transport.bufferedAmount = 0;
    assertEquals(writer.isProgressing, false);
  });

  test("may not be more than maxBufferedAmount", () => {
    const { writer, events } = makeStuck(8000);
    const waiting = writer.bufferedAmount;
    // In UTF-8. Three bytes for each unit would be too many.
    for (const [length, fits] of [[10_000 - waiting, true], [10_001 - waiting, false]] as const) {
      assertEquals(writer.makeRoom("a".repeat(length)), fits);
      assertEquals(writer.makeRoom(new Uint8Array(length)), fits);
    }
    const overflow = "1013 more than maxBufferedAmount (10000 bytes) would wait for the peer";
    assertEquals(events, ["congested", overflow, overflow]);
  });

  test("may be a message of any size after at most highWaterMark", () => {
    for (const [waiting, fits] of [[1000, true], [1001, false]] as const) {
      const { writer, transport } = make();
      transport.bufferedAmount = waiting;
      assertEquals(writer.makeRoom(new Uint8Array(20_000)), fits);
    }
  });

  test("is flushed before it counts as too much", () => {
    const { writer, transport, events } = make();
    writer.writeRaw(new Uint8Array(5000));
    assertEquals(writer.makeRoom(new Uint8Array(6000)), true);
    assertEquals([transport.take(), events], [["write 5000"], []]);
  });

  test("is not flushed for a message that fits even with three bytes for each unit", () => {
    for (const [length, calls] of [[2000, []], [2001, ["write 4000"]]] as const) {
      const { writer, transport } = make();
      writer.writeRaw(new Uint8Array(4000));
      assertEquals(writer.makeRoom("a".repeat(length)), true);
      assertEquals<readonly string[]>(transport.take(), calls);
    }
  });

  test("is not flushed during congestion", () => {
    const { writer, transport } = makeStuck(2000);
    writer.writeRaw(new Uint8Array(10));
    assertEquals(writer.makeRoom("a".repeat(7000)), true);
    assertEquals(transport.take(), []);
  });

  test("is not flushed for a message that may wait behind it", () => {
    for (const [waiting, calls] of [[1000, []], [1001, ["write 1001"]]] as const) {
      const { writer, transport } = make();
      writer.writeRaw(new Uint8Array(waiting));
      assertEquals(writer.makeRoom(new Uint8Array(20_000)), true);
      assertEquals<readonly string[]>(transport.take(), calls);
    }
  });

  test("is congested at once with a payload that was not copied", () => {
    const { writer, events, transport } = make({ highWaterMark: 1e6, maxBufferedAmount: 1e7 });
    transport.isStuck = true;
    writer.writeMessage(new Uint8Array(100_000));
    writer.flush();
    assertEquals([events, writer.congested], [["congested"], true]);
    for (const [waiting, congested] of [[0, false], [1, true]] as const) {
      const other = make({ highWaterMark: 1e6, maxBufferedAmount: 1e7 });
      other.transport.bufferedAmount = waiting;
      other.writer.writeMessage(new Uint8Array(100_000));
      assertEquals(other.writer.congested, congested);
    }
  });
});
