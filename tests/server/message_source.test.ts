import { assert, assertEquals, assertInstanceOf, assertLess, assertThrows } from "@std/assert";
import { describe, test } from "node:test";
import type { MessageSource } from "../../src/connection/message_source.ts";
import type { MessageStream } from "../../src/connection/message_stream.ts";
import { HttpError, WebSocketClosedError } from "../../src/errors.ts";
import type { WebSocketVersion } from "../../src/handshake/versions.ts";
import { Hixie } from "../../src/protocol/hixie.ts";
import { Hybi } from "../../src/protocol/hybi.ts";
import { WebSocketHandler } from "../../src/server/handler.ts";
import { connect } from "../../src/testing/mod.ts";
import { sameBytes } from "../support/bytes.ts";
import type { MemoryClient } from "../support/memory_client.ts";
import { gate, HYBI, Rig, settle, untilQuiet, VERSIONS } from "../support/rig.ts";
import { bytes } from "../protocol/hixie_cases.ts";
import { LIMITS } from "../protocol/hybi_receive.ts";
import { PiecesSink } from "../protocol/pieces_sink.ts";
import { pattern } from "../protocol/hybi_frames.ts";

/** Gives itself to the test. */
class Held extends WebSocketHandler<Held[]> {
  override open(): void {
    this.options.push(this);
  }
  onMessage(message: string | Uint8Array): void {
    this.writeMessage(message);
  }
}

/** A source whose pieces are the test's. */
class Source {
  /** How many pieces were asked for. */
  asked = 0;
  /** How it ended: `"done"`, or the reason of a cancellation. */
  ended: unknown;
  #next = Promise.withResolvers<unknown>();

  /** Gives a piece, and waits until everything has happened that follows. */
  async give(piece: unknown): Promise<void> {
    this.#next.resolve(piece);
    await untilQuiet();
  }
  async fail(error: unknown): Promise<void> {
    this.#next.reject(error);
    await untilQuiet();
  }
  async #take(): Promise<unknown> {
    this.asked++;
    try {
      return await this.#next.promise;
    } finally {
      this.#next = Promise.withResolvers();
    }
  }
  /** As an async generator. */
  async *generator(): AsyncGenerator<never> {
    try {
      for (let piece; (piece = await this.#take()) !== undefined;) yield piece as never;
    } finally {
      this.ended ??= "done";
    }
  }
  /** As a stream. */
  stream(): ReadableStream<never> {
    return new ReadableStream<never>({
      pull: async (controller) => {
        const piece = await this.#take();
        if (piece === undefined) controller.close();
        else controller.enqueue(piece as never);
      },
      cancel: (reason) => void (this.ended = reason),
    }, { highWaterMark: 0 });
  }
}

/** What a client receives, in pieces. */
function watch(client: MemoryClient, version: WebSocketVersion): PiecesSink & { ends: string[] } {
  const sink = Object.assign(new PiecesSink(), { ends: [] as string[] });
  const protocol = version === "draft75" || version === "draft76"
    ? new Hixie(LIMITS, { version })
    : new Hybi(LIMITS, { role: "client", version });
  client.transport.events = {
    data: (chunk) => void sink.feed(protocol, [chunk]),
    drain: () => {},
    end: () => void sink.ends.push("FIN"),
    closed: () => void sink.ends.push("closed"),
  };
  return sink;
}

async function open(
  version: WebSocketVersion,
  settings: ConstructorParameters<typeof Rig>[1] = {},
  capacity?: number,
) {
  const handlers: Held[] = [];
  const rig = new Rig([["/", Held, handlers]], settings);
  const pair = capacity === undefined ? {} : { capacity };
  const client = await rig.open(version, { pair });
  const [handler] = handlers as [Held];
  return { rig, client, handler, sink: watch(client, version), source: new Source() };
}

/** The outcome of a promise, once it has settled. */
function outcomeOf(promise: Promise<void>): { readonly value: unknown } {
  const outcome: { value: unknown } = { value: "pending" };
  promise.then(() => outcome.value = "written", (error: unknown) => outcome.value = error);
  return outcome;
}

async function* pieces<Piece>(...all: Piece[]): AsyncGenerator<Piece> {
  for (const piece of all) yield await Promise.resolve(piece);
}

for (const version of VERSIONS) {
  const isHybi = HYBI.includes(version);

  describe(`a message in pieces to a client of ${version}`, () => {
    for (const kind of ["generator", "stream"] as const) {
      test(`goes out as the ${kind} makes it, and the promise resolves with its end`, async () => {
        const { handler, sink, source } = await open(version);
        const outcome = outcomeOf(handler.writeMessage(source[kind]()));
        await source.give("one ");
        await source.give("");
        await source.give("two");
        assertEquals([sink.sizes, sink.events, outcome.value], [[4, 3], [], "pending"]);
        await source.give(undefined);
        assertEquals([sink.events, outcome.value], [[["text", "one two"]], "written"]);
        handler.abort();
      });

      test(`has other messages wait behind it in their order: ${kind}`, async () => {
        const { handler, rig, sink, source } = await open(version);
        handler.subscribe("news");
        handler.writeMessage(source[kind]());
        await source.give("pieces");
        const behind = [outcomeOf(handler.writeMessage("first"))];
        rig.app.publish("news", "second");
        handler.writeMessage(pieces("th", "ird"));
        behind.push(outcomeOf(handler.writeMessage({ fourth: 4 })));
        assertEquals(handler.bufferedAmount > 0, true);
        await untilQuiet();
        assertEquals([sink.events, ...behind.map(({ value }) => value)], [
          [],
          "pending",
          "pending",
        ]);
        await source.give(undefined);
        const sent = ["pieces", "first", "second", "third", '{"fourth":4}'];
        assertEquals(sink.events, sent.map((text) => ["text", text] as const));
        assertEquals(behind.map(({ value }) => value), ["written", "written"]);
        assertEquals([handler.bufferedAmount, rig.app.stats().traffic.messagesOut], [0, 5]);
        handler.writeMessage("later");
        await untilQuiet();
        assertEquals(sink.events.at(-1), ["text", "later"]);
        handler.abort();
      });

      test(`is cut off by close(), and the ${kind} is cancelled`, async () => {
        const { handler, sink, source, client } = await open(version);
        const outcomes = [outcomeOf(handler.writeMessage(source[kind]()))];
        outcomes.push(outcomeOf(handler.writeMessage("behind")));
        await source.give("half");
        handler.close(1000, "enough");
        await untilQuiet();
        assertEquals(sink.sizes, [4]);
        // In draft76, a close frame would end the text, and make it look complete.
        assertEquals(sink.events, isHybi ? [["close", 1000, "enough"]] : []);
        assertEquals(sink.ends, isHybi ? [] : ["FIN"]);
        for (const { value } of outcomes) assertInstanceOf(value, WebSocketClosedError);
        if (kind === "stream") assertInstanceOf(source.ended, WebSocketClosedError);
        await source.give("too late");
        assertEquals(source.ended !== undefined, true);
        assertEquals(sink.sizes, [4]);
        client.reset();
      });

      test(`closes with 1011 if the ${kind} throws, logged once`, async () => {
        const { handler, rig, sink, source } = await open(version);
        const outcome = outcomeOf(handler.writeMessage(source[kind]()));
        await source.give("half");
        const mistake = new Error("mistake");
        await source.fail(mistake);
        assertEquals(sink.events, isHybi ? [["close", 1011, "internal error"]] : []);
        assertEquals(sink.ends[0], "FIN");
        assertEquals(rig.logged, ['Uncaught exception in "/": mistake']);
        assertInstanceOf(outcome.value, WebSocketClosedError);
        assertEquals(outcome.value.cause, mistake);
        const { by, error } = handler.ended!; // the connection is closed
        assertEquals([by, error], ["server", mistake]);
      });

      test(`takes no piece from a ${kind} while the client does not read`, async () => {
        const settings = { highWaterMark: 10_000 };
        const { handler, sink, source, client } = await open(version, settings, 0);
        handler.writeMessage(source[kind]());
        await source.give("x".repeat(10_000));
        assertEquals(source.asked, 2);
        client.transport.pause();
        await source.give("y".repeat(10_001));
        assertEquals([source.asked, handler.bufferedAmount > 10_000], [2, true]);
        client.transport.resume();
        await untilQuiet();
        assertEquals([source.asked, handler.bufferedAmount], [3, 0]);
        await source.give(undefined);
        assertEquals(sink.events.map(([, text]) => (text as string).length), [20_001]);
        handler.abort();
      });

      test(`is rejected when the connection is closed, and the ${kind} cancelled`, async () => {
        const { handler, source, client } = await open(version);
        client.reset();
        await untilQuiet();
        const outcome = outcomeOf(handler.writeMessage(source[kind]()));
        await untilQuiet();
        assertInstanceOf(outcome.value, WebSocketClosedError);
        assertEquals(source.asked, 0);
        if (kind === "stream") assertInstanceOf(source.ended, WebSocketClosedError);
      });
    }

    for (const how of ["reset", "FIN"] as const) {
      test(`is cut off by the client's ${how}`, async () => {
        const { handler, source, client, rig } = await open(version);
        const outcome = outcomeOf(handler.writeMessage(source.stream()));
        await source.give("half");
        if (how === "reset") client.reset();
        else client.end();
        await untilQuiet();
        assertInstanceOf(outcome.value, WebSocketClosedError);
        assertInstanceOf(source.ended, WebSocketClosedError);
        assertEquals(rig.logged, []);
      });
    }

    test("keeps surrogate pairs together", async () => {
      const { handler, sink } = await open(version);
      const [high, low] = "😀";
      const rows: [pieces: string[], text: string][] = [
        [["a\ud83d", "\ude00b"], "a😀b"],
        [["\ud83d", "", "\ude00"], "😀"],
        [["\ud83d", "\ud83d", "\ude00"], "\ufffd😀"],
        [["a\ud83d"], "a\ufffd"],
        [["\ude00", "\ud83d"], "\ufffd\ufffd"],
      ];
      assertEquals([high, low], ["😀", undefined]);
      for (const [given, text] of rows) {
        await handler.writeMessage(pieces(...given));
        await untilQuiet();
        assertEquals(sink.events.at(-1), ["text", text], JSON.stringify(given));
      }
      handler.abort();
    });

    test("may be empty", async () => {
      const { handler, sink } = await open(version);
      await handler.writeMessage(pieces<string>());
      await handler.writeMessage(pieces("", ""));
      await untilQuiet();
      assertEquals(sink.events, [["text", ""], ["text", ""]]);
      handler.abort();
    });

    const wrong: [given: unknown[], says: string][] = [
      [[5], "must be a string, an ArrayBuffer or a view of one, got 5"],
      [[null], "must be a string, an ArrayBuffer or a view of one, got null"],
      [[["a"]], "must be a string, an ArrayBuffer or a view of one, got a Array"],
      [["a", new Uint8Array(1)], "must be a string, as before, got a Uint8Array"],
    ];
    if (isHybi) wrong.push([[new Uint8Array(1), "a"], "must be bytes, as before, got a string"]);
    for (const [given, says] of wrong) {
      test(`closes with 1011 for a wrong piece: ${says}`, async () => {
        const { handler, sink, rig } = await open(version);
        let isCancelled = false;
        async function* source(): AsyncGenerator<string> {
          try {
            yield* pieces(...given) as AsyncGenerator<string>;
            yield "";
          } finally {
            isCancelled = true;
          }
        }
        const outcome = outcomeOf(handler.writeMessage(source()));
        await untilQuiet();
        assertEquals(rig.logged, [
          `Uncaught exception in "/": Cannot send a piece of a message: ${says}`,
        ]);
        assertEquals(sink.events, isHybi ? [["close", 1011, "internal error"]] : []);
        assertInstanceOf(outcome.value, WebSocketClosedError);
        assertEquals(isCancelled, true);
      });
    }

    test("binary", async () => {
      const { handler, sink, rig } = await open(version);
      const bytes = pattern(300);
      const given = [
        bytes.slice(0, 100).buffer,
        new DataView(bytes.buffer, 100, 50),
        bytes.subarray(150),
      ];
      const outcome = outcomeOf(handler.writeMessage(pieces(...given)));
      await untilQuiet();
      if (isHybi) assertEquals([sink.events, sink.sizes], [[["binary", bytes]], [100, 50, 150]]);
      else {
        const says = `Cannot send a binary message: ${version} has none`;
        assertEquals(rig.logged, [`Uncaught exception in "/": ${says}`]);
        assertInstanceOf(outcome.value, WebSocketClosedError);
      }
      handler.abort();
    });

    test("a binary message behind it throws in a version without", async () => {
      if (isHybi) return;
      const { handler, source } = await open(version);
      handler.writeMessage(source.stream());
      await source.give("a");
      assertThrows(() => handler.writeMessage(new Uint8Array(1)), TypeError, `${version} has none`);
      handler.abort();
    });

    test("a stream that is read already is a TypeError", async () => {
      const { handler } = await open(version);
      const stream = new ReadableStream<string>();
      stream.getReader();
      assertThrows(() => handler.writeMessage(stream), TypeError, "the stream is locked");
      handler.abort();
    });

    test("what waits behind it is limited by maxBufferedAmount", async () => {
      const settings = { highWaterMark: 1000, maxBufferedAmount: 5000 };
      const { handler, sink, source } = await open(version, settings);
      const outcome = outcomeOf(handler.writeMessage(source.stream()));
      await source.give("half");
      const behind = Array.from(
        { length: 4 },
        () => outcomeOf(handler.writeMessage("x".repeat(1500))),
      );
      await untilQuiet();
      const { by } = handler.ended!; // the connection is closed
      assertEquals(by, "overflow");
      for (const { value } of [outcome, ...behind]) assertInstanceOf(value, WebSocketClosedError);
      assertEquals(
        sink.events.map(([kind, code]) => [kind, code]),
        isHybi ? [["close", 1013]] : [],
      );
    });

    test("a subscriber that skips while slow is slow behind it, and gets the latest after it", async () => {
      const { handler, rig, sink, source } = await open(version, { highWaterMark: 1000 });
      handler.subscribe("prices", { whenSlow: "latest" });
      handler.writeMessage(source.stream());
      await source.give("pieces");
      handler.writeMessage("x".repeat(1001));
      for (const price of ["1", "2", "3"]) rig.app.publish("prices", price);
      await source.give(undefined);
      assertEquals(sink.events.map(([, text]) => (text as string).slice(0, 6)), [
        "pieces",
        "xxxxxx",
        "3",
      ]);
      handler.abort();
    });

    test("written during the handshake is sent after it, in order", async () => {
      const outcomes: { value: unknown }[] = [];
      class Early extends WebSocketHandler {
        override prepare(): void {
          for (const message of ["a", pieces("b", "c"), "d"] as const) {
            outcomes.push(outcomeOf(this.writeMessage(message as string)));
          }
        }
        onMessage(): void {}
      }
      const client = await new Rig(Early).open(version);
      await untilQuiet();
      assertEquals(client.take(), ["text a", "text bc", "text d"]);
      assertEquals(outcomes.map(({ value }) => value), ["written", "written", "written"]);
      client.reset();
    });

    test("written during a handshake that fails is rejected, and its source cancelled", async () => {
      const source = new Source();
      let outcome = { value: undefined } as { readonly value: unknown };
      class Refusing extends WebSocketHandler {
        override prepare(): void {
          outcome = outcomeOf(this.writeMessage(source.stream()));
          throw new HttpError(403);
        }
        onMessage(): void {}
      }
      const { client } = new Rig(Refusing).join();
      await client.open(version).catch(() => {});
      await untilQuiet();
      assertInstanceOf(outcome.value, WebSocketClosedError);
      assertInstanceOf(source.ended, WebSocketClosedError);
    });

    test("of an endless source gives the event loop a turn after highWaterMark bytes", async () => {
      const { handler, rig, sink } = await open(version, { highWaterMark: 10_000 }, Infinity);
      for (const piece of ["x".repeat(3000), ""]) {
        rig.clock.holdTurns();
        let made = 0;
        // It would run for ever: without turns, the test would not go on.
        handler.writeMessage((async function* () {
          for (; made < 10_000; made++) yield piece;
        })());
        await settle();
        for (let turn = 0; turn < 5; turn++) {
          const before = made;
          assertEquals(await rig.clock.turn(), 1);
          await settle();
          assert(made - before <= 13, `${made - before} pieces in a turn`);
        }
        assertLess(made, 100);
        if (piece !== "") assert(sink.sizes.length > 0);
        while (made < 10_000 && piece === "") await rig.clock.turn();
        if (piece !== "") {
          handler.abort();
          break;
        }
      }
    });

    test("that a handler awaits is sent to its end by a shutdown; one that it does not is cut off", async () => {
      for (const isAwaited of [true, false]) {
        const source = new Source();
        class Sending extends WebSocketHandler {
          onMessage(): unknown {
            const written = this.writeMessage(source.stream());
            return isAwaited ? written : undefined;
          }
        }
        const rig = new Rig(Sending);
        const client = await rig.open(version);
        const sink = watch(client, version);
        client.send("go");
        await untilQuiet();
        await source.give("half");
        const done = rig.app.shutdown();
        await untilQuiet();
        if (isAwaited) {
          await source.give(undefined);
          assertEquals(sink.events[0], ["text", "half"]);
        } else assertInstanceOf(source.ended, WebSocketClosedError);
        client.reset();
        await done;
      }
    });
  });

  describe(`an echo of streams to ${version}`, () => {
    test("passes a message through, with both ends' backpressure", async () => {
      class Echo extends WebSocketHandler {
        override onMessageStream(stream: MessageStream): Promise<void> {
          return this.writeMessage(stream);
        }
        onMessage(): void {}
      }
      const settings = { maxQueuedSize: 10_000, highWaterMark: 10_000 };
      const rig = new Rig(Echo, settings);
      const client = await rig.open(version, { pair: { capacity: 0, split: 4000 } });
      const sink = watch(client, version);
      const message = Array.from({ length: 30_000 }, (_, i) => `${i} é`).join();
      client.transport.pause();
      client.send(message);
      client.send("next");
      await untilQuiet();
      // The server's input and output each hold their limit and what was in flight.
      const left = client.transport.bufferedAmount;
      assertLess(new TextEncoder().encode(message).length - left, 45_000);
      client.transport.resume();
      await untilQuiet();
      assertEquals(sink.events, [["text", message], ["text", "next"]]);
      client.reset();
    });
  });
}

for (const version of HYBI) {
  test(`${version}: pings and pongs go between the pieces`, async () => {
    const { handler, sink, source, client } = await open(version);
    handler.writeMessage(source.stream());
    await source.give("a");
    handler.ping("are you there?");
    client.ping(Uint8Array.of(7));
    await source.give("b");
    assertEquals(sink.events.map(([kind]) => kind), ["ping", "pong"]);
    await source.give(undefined);
    assertEquals(sink.events.at(-1), ["text", "ab"]);
    handler.abort();
  });
}

describe("a client", () => {
  for (const version of VERSIONS) {
    test(`sends a message in pieces to ${version}`, async () => {
      const seen: string[] = [];
      class Reading extends WebSocketHandler {
        override async onMessageStream(stream: MessageStream): Promise<void> {
          for await (const piece of stream) seen.push(`${piece}`);
          seen.push("end");
        }
        onMessage(): void {}
      }
      const rig = new Rig(Reading);
      const client = await connect(rig.app, "/", { version });
      const source = new Source();
      client.writeMessage(source.generator());
      client.writeMessage("next");
      await source.give("one ");
      await source.give("two");
      assertEquals(seen, ["one ", "two"]);
      await source.give(undefined);
      assertEquals(seen, ["one ", "two", "end", "next", "end"]);
      client.abort();
    });

    test(`closes ${version} if the source throws`, async () => {
      const rig = new Rig([["/", Held, []]]);
      const client = await connect(rig.app, "/", { version });
      const source = new Source();
      const outcome = outcomeOf(client.writeMessage(source.stream() as MessageSource));
      await source.give("half");
      const mistake = new Error("mistake");
      await source.fail(mistake);
      assertInstanceOf(outcome.value, WebSocketClosedError);
      assertEquals(outcome.value.cause, mistake);
      assertEquals([client.ended?.by, client.ended?.error], ["client", mistake]);
      assertEquals(client.ended?.code, HYBI.includes(version) ? 1011 : 1006);
    });
  }

  for (const contextTakeover of [true, false]) {
    test(`sends and gets compressed pieces ${contextTakeover ? "with" : "without"} context`, async () => {
      class Echo extends WebSocketHandler {
        override onMessageStream(stream: MessageStream): Promise<void> {
          return this.writeMessage(stream);
        }
        onMessage(): void {}
      }
      const compression = { threshold: 0, contextTakeover };
      const rig = new Rig(Echo, { compression });
      const client = await connect(rig.app, "/", { compression });
      const given = [pattern(100_000), new Uint8Array(200_000), pattern(5)];
      for (let i = 0; i < 2; i++) {
        await client.writeMessage("between");
        await client.writeMessage(pieces(...given));
        assertEquals(await client.readMessage(), "between");
        const message = await client.readMessage();
        assert(message instanceof Uint8Array && sameBytes(message, bytes(...given)));
      }
      client.abort();
    });
  }
});

test("an array of pieces stays JSON", async () => {
  const { handler, sink } = await open("rfc6455");
  handler.writeMessage(["a", "b"]);
  await untilQuiet();
  assertEquals(sink.events, [["text", '["a","b"]']]);
  handler.abort();
});

test("a source whose clean-up throws is logged, and does no harm", async () => {
  const { handler, rig } = await open("rfc6455");
  const started = gate();
  handler.writeMessage(
    new ReadableStream<string>({
      pull: () => started.open(),
      cancel: () => Promise.reject(new Error("clean-up")),
    }),
  );
  await started.promise;
  handler.close(1000);
  await untilQuiet();
  assertEquals(rig.logged, ['Uncaught exception in "/": clean-up']);
  handler.abort();
});
