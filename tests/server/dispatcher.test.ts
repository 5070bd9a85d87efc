import { assertEquals } from "@std/assert";
import { describe, test } from "node:test";
import type { Connection } from "../../src/connection/connection.ts";
import type { IncomingStream } from "../../src/connection/message_stream.ts";
import { ProtocolError } from "../../src/errors.ts";
import { Dispatcher } from "../../src/server/dispatcher.ts";
import { WebSocketHandler } from "../../src/server/handler.ts";
import type { ServerConnection } from "../../src/server/server_connection.ts";
import { gate, settle } from "../support/rig.ts";

/** How a connection is. A test changes it. */
interface Is {
  state: string;
  congested: boolean;
  held: number;
  admits: boolean;
}

/**
 * A dispatcher. `called` has the calls that it makes, and `failed` the errors that its server is told.
 *
 * @param handler The methods of the handler.
 */
function make(handler: object = {}, { maxQueuedSize = 1000, policies = null as unknown } = {}) {
  const failed: unknown[] = [];
  const called: string[] = [];
  const is: Is = { state: "open", congested: false, held: 0, admits: true };
  const note = (name: string) => (...args: unknown[]) =>
    void called.push([name, ...args.filter((arg) => typeof arg !== "object")].join(" "));
  const reader = {
    flood: null as unknown,
    mayParse: true,
    admitMessage: () => is.admits,
    parseHeld: () => is.held > 0 && is.held-- > 0,
    keep: note("keep"),
    open: note("open"),
    close: note("pause"),
    stop: note("stop"),
    get isBehind() {
      return is.held > 0;
    },
  };
  const connection = {
    get state() {
      return is.state;
    },
    get isOpen() {
      return is.state === "open";
    },
    writer: {
      get congested() {
        return is.congested;
      },
    },
    reader,
    countMessage: note("count"),
    pong: note("pong"),
    fail: note("fail"),
    close: note("close"),
    closeWaits: note("closeWaits"),
    peerClosed: note("peerClosed"),
    armCloseTimer: note("arm"),
    settle: note("settle"),
  };
  const server = {
    connection,
    handler: { onMessage: note("onMessage"), onDrain: note("onDrain"), ...handler },
    hookContext: null,
    policies,
    failed: (error: unknown) => failed.push(error),
    environment: { limits: { maxQueuedSize }, wheel: { now: () => 0 } },
    context: { topics: { catchUp: note("catchUp") }, wheel: { now: () => 0 } },
  };
  const dispatcher = new Dispatcher(server as unknown as ServerConnection);
  const take = () => called.splice(0);
  return { dispatcher, connection, is, failed, take };
}

const EMPTY = new Uint8Array(0);

describe("a dispatcher", () => {
  test("closes with 1011 after an error that is not the peer's", () => {
    const { dispatcher, failed, take } = make();
    const error = new RangeError("Invalid array length");
    dispatcher.violation(error);
    assertEquals([failed, take()], [[error], []]);
    dispatcher.violation(new ProtocolError(1002, "not so"));
    assertEquals([failed.length, take()], [1, ["fail protocol"]]);
  });

  test("passes nothing on that the rate does not admit", () => {
    const { dispatcher, is, take } = make();
    is.admits = false;
    const taken = [dispatcher.text("a"), dispatcher.binary(EMPTY), dispatcher.ping(EMPTY)];
    taken.push(dispatcher.pong(EMPTY));
    assertEquals([taken, take()], [[false, false, false, false], ["keep"]]);
    is.admits = true;
    assertEquals([dispatcher.text("a"), take()], [true, ["count", "onMessage a"]]);
  });

  test("without a rate makes no object for one", () => {
    const { dispatcher, connection } = make();
    dispatcher.limit(connection as unknown as Connection);
    assertEquals(connection.reader.flood, null);
  });

  test("drops pings and pongs of which the handler has no callback", () => {
    const { onPing, onPong } = WebSocketHandler.prototype;
    const { dispatcher, take } = make({ onPing, onPong }, { maxQueuedSize: 1 });
    dispatcher.call(() => new Promise(() => {}));
    assertEquals([dispatcher.ping(EMPTY), dispatcher.pong(EMPTY)], [true, true]);
    assertEquals([dispatcher.hasRoom, take()], [true, ["pong"]]);
  });

  test("passes no ping or pong on while the connection closes", () => {
    const seen: string[] = [];
    const onPing = () => void seen.push("ping");
    const onPong = () => void seen.push("pong");
    for (const [state, expected] of [["open", ["ping", "pong"]], ["closing", []]] as const) {
      const { dispatcher, is, take } = make({ onPing, onPong });
      is.state = state;
      assertEquals([dispatcher.ping(EMPTY), dispatcher.pong(EMPTY)], [true, true]);
      assertEquals([seen.splice(0), take()], [[...expected], ["pong"]]);
    }
  });

  test("always queues one event, and more below maxQueuedSize", async () => {
    // An event without a payload counts 64 bytes.
    for (
      const [maxQueuedSize, rooms] of [[1, "yes no no"], [64, "yes no no"], [
        65,
        "yes yes no",
      ]] as const
    ) {
      const { dispatcher } = make({}, { maxQueuedSize });
      const { promise, open } = gate();
      dispatcher.call(() => promise);
      const has = () => dispatcher.hasRoom ? "yes" : "no";
      const before = has();
      const after = [1, 2].map(() => {
        dispatcher.violation(new Error());
        return has();
      });
      assertEquals([before, ...after].join(" "), rooms, `${maxQueuedSize}`);
      open();
      await settle();
    }
  });

  test("counts queued events and the waiting pieces of streams together", () => {
    const onMessageStream = () => new Promise(() => {});
    // 64 bytes for each, and three bytes of text.
    for (const [maxQueuedSize, hasRoom] of [[131, false], [132, true]] as const) {
      const { dispatcher } = make({ onMessageStream }, { maxQueuedSize });
      assertEquals(make({ onMessageStream }, { maxQueuedSize: 1 }).dispatcher.hasRoom, true);
      dispatcher.pieces?.begin("text");
      dispatcher.pieces?.piece("abc");
      dispatcher.pieces?.finish();
      dispatcher.violation(new Error());
      assertEquals(dispatcher.hasRoom, hasRoom, `${maxQueuedSize}`);
    }
  });

  for (
    const [policies, state, told] of [
      [{}, "open", ["catchUp", "onDrain"]],
      [null, "open", ["onDrain"]],
      [{}, "closing", []],
    ] as const
  ) {
    test(`lets a subscriber catch up before onDrain(): ${JSON.stringify({ policies, state })}`, () => {
      const { dispatcher, is, take } = make({}, { policies });
      is.state = state;
      dispatcher.drained();
      assertEquals(take(), [...told, "settle"]);
    });
  }

  test("handles held bytes when nothing else waits", () => {
    const { dispatcher, is, take } = make();
    is.held = 2;
    dispatcher.resume();
    assertEquals([is.held, take()], [0, ["settle"]]);
  });
});

describe("a close frame", () => {
  const rows: [state: string, waiting: number, calls: string[]][] = [
    ["open", 0, ["closeWaits 1000 bye", "stop"]],
    ["open", 1, ["closeWaits 1000 bye", "stop"]],
    // A handler that is busy cannot send anything any more.
    ["closing", 0, ["peerClosed 1000 bye"]],
    ["closing", 1, ["closeWaits 1000 bye", "stop"]],
  ];
  for (const [state, waiting, calls] of rows) {
    test(`while ${state}, with a busy handler and ${waiting} messages that wait`, async () => {
      const { dispatcher, is, take } = make();
      const { promise, open } = gate();
      dispatcher.call(() => promise);
      is.state = state;
      if (waiting > 0) dispatcher.text("a");
      take();
      assertEquals([dispatcher.close(1000, "bye"), take()], [false, calls]);
      open();
      await settle();
      const later = calls.length === 1 ? [] : ["peerClosed 1000 bye"];
      const before = waiting === 0 ? [] : ["onMessage a"];
      assertEquals(take(), [...before, ...later, "settle", "arm"]);
    });
  }

  test("with an idle handler", () => {
    const { dispatcher, take } = make();
    assertEquals([dispatcher.close(1000, "bye"), take()], [false, ["peerClosed 1000 bye"]]);
  });
});

describe("a shutdown", () => {
  test("closes an idle connection at once, and no connection that closes", () => {
    const { dispatcher, is, take } = make();
    is.state = "closing";
    dispatcher.closeWhenIdle(1001, "gone");
    assertEquals(take(), []);
    is.state = "open";
    dispatcher.closeWhenIdle(1001, "gone");
    assertEquals(take(), ["pause", "close 1001 gone shutdown", "open"]);
  });

  test("waits for the handler", async () => {
    const { dispatcher, take } = make();
    const { promise, open } = gate();
    dispatcher.call(() => promise);
    dispatcher.closeWhenIdle(1001, "");
    assertEquals(take(), ["pause"]);
    open();
    await settle();
    assertEquals(take(), ["pause", "close 1001  shutdown", "open", "settle", "arm"]);
    dispatcher.resume();
    assertEquals(take(), ["settle"]);
  });

  test("waits for a message that waits for the client to read", async () => {
    const { dispatcher, is, take } = make();
    const { promise, open } = gate();
    dispatcher.call(() => promise);
    dispatcher.text("a");
    is.congested = true;
    open();
    await settle();
    assertEquals(take(), ["count", "settle", "arm"]);
    dispatcher.closeWhenIdle(1001, "");
    assertEquals(take(), ["pause"]);
    is.congested = false;
    dispatcher.resume();
    assertEquals(take(), ["onMessage a", "pause", "close 1001  shutdown", "open", "settle"]);
  });

  test("waits for held bytes", () => {
    const { dispatcher, is, take } = make();
    is.held = 1;
    dispatcher.closeWhenIdle(1001, "");
    assertEquals(take(), ["pause"]);
    dispatcher.resume();
    assertEquals(take(), ["pause", "close 1001  shutdown", "open", "settle"]);
  });

  test("waits for the message that the handler reads, and reads no other one", async () => {
    const { promise, open } = gate();
    const { dispatcher, take } = make({ onMessageStream: () => promise });
    dispatcher.pieces?.begin("text");
    dispatcher.closeWhenIdle(1001, "");
    assertEquals(take(), ["open"]);
    dispatcher.pieces?.finish();
    assertEquals(take(), ["count", "pause"]);
    open();
    await settle();
    assertEquals(take().includes("close 1001  shutdown"), true);
  });
});

describe("a handler of streams", () => {
  test("gives the client more time with each piece that it reads", async () => {
    const streams: IncomingStream["readable"][] = [];
    const { dispatcher, take } = make({
      onMessageStream(stream: IncomingStream["readable"]) {
        streams.push(stream);
        return new Promise(() => {});
      },
    });
    dispatcher.pieces?.begin("text");
    dispatcher.pieces?.piece("abc");
    await settle();
    take();
    const reader = (streams[0] as ReadableStream<string>).getReader();
    assertEquals((await reader.read()).value, "abc");
    assertEquals(take().slice(0, 2), ["settle", "arm"]);
    assertEquals(dispatcher.hasRoom, true);
  });

  test("is not waited for by the next message once its promise has settled", async () => {
    const seen: string[] = [];
    const { promise, open } = gate();
    const { dispatcher } = make({
      onMessageStream(stream: { readonly kind: string }) {
        seen.push(stream.kind);
        return seen.length === 1 ? promise : undefined;
      },
    });
    dispatcher.text("a");
    dispatcher.binary(Uint8Array.of(1));
    assertEquals(seen, ["text"]);
    open();
    await settle();
    assertEquals(seen, ["text", "binary"]);
  });
});
