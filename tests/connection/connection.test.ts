import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { describe, test } from "node:test";
import { lossOf } from "../../src/connection/connection_end.ts";
import { ProtocolError, WebSocketClosedError } from "../../src/errors.ts";
import { settle, Subject, type SubjectOptions } from "./subject.ts";

/** A client's frame with a masking key of zeros. */
function frame(opcode: number, ...payload: readonly number[]): Uint8Array {
  return Uint8Array.of(0x80 | opcode, 0x80 | payload.length, 0, 0, 0, 0, ...payload);
}

const CLOSE = 8;

describe("a connection", () => {
  test("counts received messages, and reports the peer's close frame", async () => {
    const subject = new Subject();
    const { connection, receiver, traffic } = subject;
    const bytes = [frame(1, 0x61), frame(9, 0x62), frame(CLOSE, 0x0f, 0xa1, 0x62, 0x79, 0x65)];
    assertEquals([connection.closeCode, connection.closeReason], [undefined, ""]);
    for (const chunk of bytes) connection.data(chunk);
    assertEquals(traffic.bytesIn, bytes.reduce((sum, { length }) => sum + length, 0));
    assertEquals([connection.closeCode, connection.closeReason], [4001, "bye"]);
    assertEquals(receiver.end, { by: "peer", code: 4001, reason: "bye" });
    assertEquals(connection.ended, receiver.end);
    await settle();
    assertEquals(receiver.events.filter((event) => !event.startsWith("ping")), [
      "text a",
      "closing",
      "ended",
      ...receiver.events.filter((event) => event === "gone"),
    ]);
    // The pong, and the same code and reason.
    assertEquals(subject.take().slice(0, 1), ["8a 01 62 88 05 0f a1 62 79 65"]);
  });

  test("echoes a close frame without a code as it is", async () => {
    const subject = new Subject();
    subject.connection.data(frame(CLOSE));
    assertEquals(subject.connection.closeCode, undefined);
    assertEquals(subject.receiver.end, { by: "peer", code: 1005, reason: "" });
    await settle();
    assertEquals(subject.take()[0], "88 00");
  });

  test("closes without a code", async () => {
    const subject = new Subject();
    subject.connection.close();
    await settle();
    assertEquals(subject.take(), ["88 00"]);
    subject.connection.data(frame(CLOSE));
    assertEquals(subject.receiver.end, { by: "server", code: 1005, reason: "" });
  });

  test("that has ended ignores a close frame", () => {
    const { connection, receiver } = new Subject();
    connection.abort();
    connection.peerClosed(4001, "late");
    assertEquals([connection.closeCode, connection.closeReason], [undefined, ""]);
    assertEquals(receiver.end, { by: "server", code: 1006, reason: "" });
  });

  test("counts a loss or a broken rule before its own close as the cause", async () => {
    const broken = new ProtocolError(1002, "not so");
    const rows = [["network", undefined], ["protocol", broken]] as const;
    for (const [by, error] of rows) {
      const { connection, receiver, far } = new Subject();
      receiver.isBehind = true;
      far.destroy();
      await settle();
      assertEquals(connection.state, "lost");
      if (error === undefined) connection.abort();
      else connection.fail(error, "protocol");
      assertEquals(receiver.end?.by, by);
    }
  });

  test("waits closeTimeout for the peer's close frame", async () => {
    const { connection, receiver, clock } = new Subject();
    connection.close(1000);
    await clock.advance(4900);
    assertEquals(connection.state, "closing");
    await clock.advance(1000);
    assertEquals([connection.state, receiver.end?.by], ["closed", "server"]);
  });

  test("pings, and is closed if no message arrives", async () => {
    const limits = { pingInterval: 1000, pingTimeout: 1000, idleTimeout: 3000 };
    const subject = new Subject({ limits });
    const { connection, clock, receiver } = subject;
    connection.data(frame(1, 0x61));
    for (let second = 0; second < 6; second++) {
      await clock.advance(1000);
      connection.data(frame(10));
    }
    const pings = subject.take().join(" ");
    assertEquals(pings.startsWith("89 00 89 00"), true);
    assertEquals(receiver.events.includes("closing"), true);
    // "idle timeout" after the code 1001.
    assertEquals(pings.includes("88 0e 03 e9 69 64 6c 65 20 74 69 6d 65 6f 75 74"), true);
  });

  test("is closed if a ping is not answered", async () => {
    const { clock, receiver } = new Subject({ limits: { pingInterval: 1000, pingTimeout: 1000 } });
    await clock.advance(4000);
    assertEquals([receiver.end?.by, receiver.end?.code], ["timeout", 1006]);
    assertEquals(receiver.end?.error?.message, "no data within pingTimeout (1000 ms) of a ping");
  });

  test("is not closed for a ping while it does not read the answer", async () => {
    const subject = new Subject({ limits: { pingInterval: 1000, pingTimeout: 1000 } });
    const { connection, clock, receiver } = subject;
    receiver.hasRoom = false;
    connection.data(frame(1, 0x61));
    assertEquals(connection.reader.paused, true);
    await clock.advance(6000);
    assertEquals([connection.state, receiver.end], ["open", undefined]);
  });
});

describe("the closing handshake", () => {
  test("does not start with a code that must not be sent", () => {
    const { connection } = new Subject();
    assertEquals(connection.isOpen, true);
    assertThrows(() => connection.close(1005), RangeError, "1005");
    assertEquals(connection.state, "open");
  });

  test("has the code of the peer, although messages before it wait", () => {
    for (
      const [payload, code, reason] of [[[], 1005, ""], [[0x0f, 0xa1, 0x62], 4001, "b"]] as const
    ) {
      const { connection, receiver } = new Subject();
      receiver.isBehind = true;
      connection.data(frame(CLOSE, ...payload));
      const expected = code === 1005 ? undefined : code;
      assertEquals([connection.state, connection.closeCode], ["open", expected]);
      connection.abort();
      assertEquals(receiver.end, { by: "peer", code, reason });
    }
  });

  test("parses held bytes soon, if there are any", async () => {
    for (const isHeld of [true, false]) {
      const { connection, receiver } = new Subject();
      receiver.hasRoom = !isHeld;
      connection.data(frame(1, 0x61));
      let resumed = 0;
      receiver.resume = () => resumed++;
      connection.close(1000);
      assertEquals(resumed, 0);
      await settle();
      assertEquals(resumed, isHeld ? 1 : 0);
    }
  });

  test("starts only once, and so does its timer", async () => {
    const { connection, clock, receiver } = new Subject();
    connection.close(1000);
    await clock.advance(3000);
    connection.close(4000, "again");
    await clock.advance(2200);
    assertEquals([connection.state, receiver.end], ["closed", {
      by: "server",
      code: 1000,
      reason: "",
    }]);
  });

  test("has closeTimeout from the peer's close frame on, even with messages before it", async () => {
    const { connection, clock, receiver } = new Subject();
    receiver.isBehind = true;
    connection.close(1000);
    await clock.advance(3000);
    connection.data(frame(CLOSE, 0x03, 0xe8));
    await clock.advance(4800);
    assertEquals(connection.state, "closing");
    await clock.advance(400);
    assertEquals([connection.state, receiver.end?.by], ["closed", "server"]);
  });
});

describe("the close timer", () => {
  for (const [closeTimeout, state] of [[0, "closing"], [1, "closed"]] as const) {
    test(`of ${closeTimeout} ms takes the place of that of pings`, async () => {
      const limits = { closeTimeout, pingInterval: 1000, pingTimeout: 500 };
      const { connection, clock, wheel } = new Subject({ limits });
      connection.close(1000);
      wheel.rest();
      assertEquals(clock.pending, closeTimeout);
      await clock.advance(30);
      assertEquals(connection.state, state);
      await clock.advance(100_000);
      assertEquals(connection.state, state);
    });
  }

  test("does not start for a close frame behind messages that a handler still answers", async () => {
    const { connection, clock, receiver } = new Subject();
    receiver.isBehind = true;
    connection.data(frame(CLOSE, 0x03, 0xe8));
    await clock.advance(60_000);
    assertEquals([connection.state, clock.pending], ["open", 0]);
  });

  test("does not start, and nothing else, for a connection without pings", () => {
    assertEquals(new Subject().connection.deadline, 0);
  });
});

describe("the idle timeout", () => {
  test("of one millisecond counts from the last message, too", async () => {
    const { connection, clock, receiver } = new Subject({ limits: { idleTimeout: 1 } });
    await clock.advance(10);
    connection.countMessage();
    connection.expire(clock.now());
    assertEquals(connection.state, "open");
    await clock.advance(1000);
    connection.data(frame(CLOSE));
    assertEquals(receiver.end, { by: "timeout", code: 1001, reason: "idle timeout" });
  });

  test("starts again with each message", async () => {
    const { connection, clock, traffic } = new Subject({ limits: { idleTimeout: 3000 } });
    await clock.advance(2000);
    connection.countMessage();
    await clock.advance(2800);
    assertEquals([connection.state, traffic.messagesIn], ["open", 1]);
    await clock.advance(400);
    assertEquals(connection.state, "closing");
  });
});

describe("a connection that is lost with undelivered messages", () => {
  test("ends after closeTimeout", async () => {
    const { connection, clock, receiver } = new Subject();
    receiver.isBehind = true;
    connection.closed();
    await clock.advance(4800);
    assertEquals(connection.state, "lost");
    await clock.advance(400);
    assertEquals(receiver.end, { by: "network", code: 1006, reason: "" });
  });

  test("is not kept by a client that closes: it ends after closeTimeout", async () => {
    const { connection, clock, receiver } = new Subject({ role: "client" });
    receiver.isBehind = true;
    connection.close(1000);
    connection.end();
    await clock.advance(4800);
    assertEquals(connection.state, "closing");
    await clock.advance(400);
    assertEquals([connection.state, receiver.end?.by], ["closed", "client"]);
  });

  test("is kept by a client, without a timer", async () => {
    const limits = { pingInterval: 1000 };
    const { connection, receiver, wheel, clock } = new Subject({ role: "client", limits });
    receiver.isBehind = true;
    connection.end();
    await clock.advance(60_000);
    assertEquals(connection.state, "open");
    connection.closed();
    wheel.rest();
    assertEquals([connection.state, clock.pending], ["lost", 0]);
  });
});

describe("a connection that has ended", () => {
  for (const isLost of [true, false]) {
    test(`has no timer after ${isLost ? "a loss" : "a failure"}, and has freed its memory`, () => {
      const { connection, protocol, transport, wheel, clock } = new Subject({
        limits: { pingInterval: 60_000 },
      });
      let freed = 0;
      protocol.free = () => freed++;
      if (!isLost) connection.fail(new ProtocolError(1002, "not so"), "protocol");
      transport.events.closed();
      wheel.rest();
      assertEquals([connection.state, clock.pending, freed], ["closed", 0, 1]);
    });
  }

  test("reads on, and drops received and held bytes", () => {
    const { connection, receiver } = new Subject();
    receiver.hasRoom = false;
    connection.data(frame(1, 0x61));
    assertEquals(connection.reader.paused, true);
    connection.fail(new ProtocolError(1002, "not so"), "protocol");
    assertEquals([connection.reader.paused, connection.reader.isBehind], [false, false]);
    receiver.hasRoom = true;
    connection.data(frame(1, 0x62));
    assertEquals(receiver.events, ["closing", "ended"]);
  });

  test("because its socket closed during the last write, is not closed again", () => {
    const { connection, receiver, transport } = new Subject();
    const reset = new Error("reset");
    transport.write = () => connection.closed(reset);
    connection.close(1000);
    assertEquals([connection.state, receiver.end?.by], ["closed", "server"]);
    assertEquals(receiver.events, ["closing", "ended", "gone"]);
  });
});

describe("a connection whose output waits", () => {
  for (const isCongested of [true, false]) {
    test(`of draft75 sends FIN ${isCongested ? "when it has drained" : "at once"}`, async () => {
      const { connection, writer, far, transport, heard } = new Subject({
        version: "draft75",
        pair: { capacity: 0 },
      });
      let ended = 0;
      const end = transport.end.bind(transport);
      transport.end = () => {
        ended++;
        end();
      };
      if (isCongested) {
        far.pause();
        writer.writeMessage("x".repeat(2000));
        writer.flush();
      }
      connection.close();
      assertEquals(ended, isCongested ? 0 : 1);
      far.resume();
      await settle();
      assertEquals([ended, heard.at(-1)], [1, "FIN"]);
    });
  }

  test("is alive when it has drained, if that took a while", async () => {
    for (const duration of [50, 200]) {
      const limits = { pingInterval: 1000, pingTimeout: 1500 };
      const subject = new Subject({ limits, pair: { capacity: 0 } });
      const { clock, connection, receiver, writer, far } = subject;
      receiver.drained = () => connection.settle();
      await clock.advance(1100); // the first ping
      await clock.advance(1000);
      far.pause();
      writer.writeMessage("x".repeat(2000));
      writer.flush();
      await clock.advance(duration);
      far.resume();
      await settle();
      await clock.advance(600 - duration);
      assertEquals(connection.state, duration < 100 ? "closed" : "open");
    }
  });
});

describe("a connection whose peer has ended", () => {
  test("is not over before held bytes are parsed", async () => {
    const { connection, receiver, far } = new Subject();
    receiver.hasRoom = false;
    connection.data(frame(1, 0x61));
    far.end();
    connection.end();
    assertEquals([connection.state, receiver.events], ["open", []]);
    receiver.hasRoom = true;
    receiver.resume();
    assertEquals([connection.state, receiver.events], ["closed", ["text a", "closing", "ended"]]);
    await settle();
  });
});

describe("a ping", () => {
  test("is told to the receiver, and not sent while closing", async () => {
    const subject = new Subject();
    const { connection, receiver } = subject;
    connection.ping(new Uint8Array(1));
    connection.close(1000);
    connection.ping(new Uint8Array(2));
    await settle();
    assertEquals([receiver.pings, subject.take()], [[1], ["89 01 00 88 02 03 e8"]]);
  });
});

describe("TCP keep-alive", () => {
  const rows = [
    ["draft76", 1000, true],
    ["draft76", 1, true],
    ["draft76", 0, false],
    ["draft75", 1000, true],
    ["rfc6455", 1000, false],
  ] as const;
  for (const [version, pingInterval, keepAlive] of rows) {
    test(`is ${keepAlive ? "on" : "off"} in ${version} with a pingInterval of ${pingInterval}`, () => {
      assertEquals(
        new Subject({ version, limits: { pingInterval } }).transport.keepAlive,
        keepAlive,
      );
    });
  }
});

describe("a connection whose peer does not read", () => {
  const pair = { capacity: 100, split: 500 };

  /** A connection with 1500 bytes or more of waiting output. */
  function stalled({ limits = {}, ...options }: SubjectOptions): Subject {
    const subject = new Subject({ ...options, limits: { pingInterval: 1000, ...limits }, pair });
    subject.far.pause();
    subject.writer.writeMessage("a".repeat(1600));
    subject.writer.flush();
    return subject;
  }

  test("is not dead before its answer could be read, after the handler was busy", async () => {
    const limits = { pingInterval: 1000, pingTimeout: 500 };
    const { connection, clock, far, receiver } = new Subject({ limits });
    await clock.advance(990);
    receiver.hasRoom = false;
    connection.reader.update();
    await clock.advance(200);
    // The pong waits in the transport.
    far.write(Uint8Array.of(0x8a, 0x80, 0, 0, 0, 0), true);
    await settle();
    receiver.hasRoom = true;
    connection.reader.update();
    connection.expire(connection.deadline);
    assertEquals(connection.state, "open");
    await clock.advance(5000);
    assertEquals(receiver.end?.by, "timeout");
  });

  for (const version of ["rfc6455", "draft76"] as const) {
    for (const idleTimeout of [0, 60_000]) {
      test(`of ${version} is dead after pingTimeout, with an idleTimeout of ${idleTimeout}`, async () => {
        const subject = stalled({ version, limits: { pingTimeout: 2000, idleTimeout } });
        await subject.clock.advance(2800);
        assertEquals(subject.connection.state, "open");
        await subject.clock.advance(400);
        const { end } = subject.receiver;
        assertEquals([end?.by, end?.error?.message], [
          "timeout",
          "no data within pingTimeout (2000 ms) of a ping",
        ]);
      });
    }

    test(`of ${version} is not watched with a pingInterval of 0`, async () => {
      const subject = stalled({ version, limits: { pingInterval: 0, pingTimeout: 2000 } });
      await subject.clock.advance(60_000);
      assertEquals(subject.connection.state, "open");
    });

    test(`of ${version} is not watched after its FIN: closeTimeout applies`, async () => {
      const subject = new Subject({
        version,
        limits: { pingInterval: 1000, pingTimeout: 1000 },
        pair,
      });
      const { connection, receiver, clock, far, writer } = subject;
      receiver.isBehind = true;
      far.pause();
      // The part that the peer's system accepts. Later, it accepts nothing.
      writer.writeMessage("a".repeat(200));
      writer.flush();
      far.end();
      await settle();
      writer.writeMessage("a".repeat(1600));
      writer.flush();
      assertEquals(writer.congested, true);
      await clock.advance(4800);
      assertEquals(connection.state, "open");
      await clock.advance(400);
      assertEquals(receiver.end, { by: "network", code: 1006, reason: "" });
    });
  }

  test("is pinged as soon as it has read, if a ping was due meanwhile", async () => {
    const subject = new Subject({ limits: { pingInterval: 1000, pingTimeout: 500 }, pair });
    const { connection, clock, far, writer, receiver } = subject;
    await clock.advance(990);
    far.pause();
    writer.writeMessage("a".repeat(1600));
    writer.flush();
    await clock.advance(20);
    assertEquals([writer.congested, receiver.pings], [true, []]);
    far.resume();
    await settle();
    assertEquals([receiver.pings, subject.take().join(" ").slice(-5)], [[0], "89 00"]);
    await clock.advance(400);
    far.write(Uint8Array.of(0x8a, 0x80, 0, 0, 0, 0), true);
    await settle();
    await clock.advance(500);
    assertEquals(connection.state, "open");
  });

  test("needs no timer when the peer has read everything", async () => {
    const { connection, far, clock } = stalled({
      version: "draft76",
      limits: { pingTimeout: 2000 },
    });
    far.resume();
    await clock.advance(10_000);
    assertEquals([connection.state, clock.pending], ["open", 0]);
  });

  test("tells writers why it ended, or that it is lost", async () => {
    const broken = new ProtocolError(1002, "not so");
    const reset = new Error("reset");
    for (const cause of [broken, reset]) {
      const { connection, receiver, writer } = stalled({});
      receiver.isBehind = true;
      const ready = writer.ready();
      if (cause === broken) connection.fail(broken, "protocol");
      else connection.closed(reset);
      const error = await assertRejects(() => ready, WebSocketClosedError);
      assertEquals([connection.state, error.cause], [cause === broken ? "closed" : "lost", cause]);
    }
  });

  test("fails when more than maxBufferedAmount would wait", () => {
    const { receiver, writer } = stalled({});
    writer.writeMessage(new Uint8Array(10_000));
    assertEquals([receiver.end?.by, receiver.end?.code], ["overflow", 1013]);
  });

  test("reports when the peer has read everything", async () => {
    const { receiver, far } = stalled({});
    assertEquals(receiver.events, []);
    far.resume();
    await settle();
    assertEquals(receiver.events, ["drained"]);
  });

  test("may take closeTimeout for each part that the peer reads", async () => {
    const { connection, far, clock, receiver } = stalled({ limits: { pingInterval: 0 } });
    far.events = { data: () => far.pause(), drain() {}, end() {}, closed() {} };
    connection.close(1000);
    await clock.advance(3000);
    far.resume();
    await settle();
    await clock.advance(6800);
    assertEquals(connection.state, "closing");
    await clock.advance(400);
    assertEquals([connection.state, receiver.end?.by], ["closed", "server"]);
  });
});

describe("the loss of a connection", () => {
  test("after its FIN does not start closeTimeout again", async () => {
    const { connection, receiver, clock, far } = new Subject();
    receiver.isBehind = true;
    far.end();
    await settle();
    await clock.advance(4000);
    far.destroy();
    await settle();
    assertEquals(connection.state, "lost");
    await clock.advance(800);
    assertEquals(connection.state, "lost");
    await clock.advance(400);
    assertEquals([receiver.end?.by, clock.pending], ["network", 0]);
  });

  test("counts as the peer's end only without close frames and without an error", () => {
    const error = new Error("reset");
    const rows = [
      [true, undefined, "network"],
      [true, error, "network"],
      [false, error, "network"],
      [false, undefined, "peer"],
    ] as const;
    for (const [expectsCloseFrame, cause, by] of rows) {
      const end = { by, code: 1006, reason: "", ...(cause === undefined ? {} : { error: cause }) };
      assertEquals(lossOf({ expectsCloseFrame }, cause), end);
    }
  });
});
