/**
 * `messageRate` and `byteRate`: what exceeds them waits and is not lost, or ends the connection.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { describe, test } from "node:test";
import type { ConnectionRate } from "../../src/connection/flood_control.ts";
import type { WebSocketVersion } from "../../src/handshake/versions.ts";
import { metricsResponse } from "../../src/metrics/prometheus.ts";
import { FakeClock } from "../../src/testing/fake_clock.ts";
import { begin, continuation } from "../protocol/hybi_frames.ts";
import type { MemoryClient } from "../support/memory_client.ts";
import { Recording } from "../support/recording.ts";
import { type Gate, gate, HYBI, Rig, settle, untilQuiet, VERSIONS } from "../support/rig.ts";

/** A connection, and what its handler received. */
class Flooded {
  readonly rig: Rig;
  readonly client: MemoryClient;
  readonly events: string[];

  private constructor(rig: Rig, client: MemoryClient, events: string[]) {
    this.rig = rig;
    this.client = client;
    this.events = events;
  }

  static async open(
    version: WebSocketVersion,
    settings: ConstructorParameters<typeof Rig>[1],
    { Handler = Recording, split }: {
      readonly Handler?: typeof Recording;
      readonly split?: number | undefined;
    } = {},
  ): Promise<Flooded> {
    const events: string[] = [];
    const rig = new Rig([["/", Handler, events]], { pingInterval: 0, ...settings });
    const client = await rig.open(version, split === undefined ? {} : { pair: { split } });
    events.length = 0;
    return new Flooded(rig, client, events);
  }

  /** Sends messages in one chunk. */
  send(...messages: readonly string[]): void {
    const frames = messages.map((message) =>
      this.client.encode((protocol, output) => protocol.writeText(output, message))
    );
    this.client.write(Uint8Array.from(frames.flatMap((frame) => [...frame])));
  }

  /** What the handler received since the last call. */
  take(): string[] {
    return this.events.splice(0);
  }

  get throttled(): number {
    return this.rig.app.stats().throttled;
  }
}

/** `m0`, `m1` … */
function messages(count: number, first = 0): string[] {
  return Array.from({ length: count }, (_, index) => `m${first + index}`);
}

function texts(count: number, first = 0): string[] {
  return messages(count, first).map((message) => `text ${message}`);
}

const messageRate: ConnectionRate = { perSecond: 10, burst: 3 };

describe("messageRate", () => {
  for (const version of VERSIONS) {
    for (const split of [undefined, 1, 7]) {
      test(`${version}: what exceeds it waits${split ? `, in pieces of ${split}` : ""}`, async () => {
        const flooded = await Flooded.open(version, { messageRate }, { split });
        flooded.send(...messages(6));
        await untilQuiet();
        assertEquals([flooded.take(), flooded.throttled], [texts(3), 1]);
        await flooded.rig.clock.advance(99);
        assertEquals(flooded.take(), []);
        await flooded.rig.clock.advance(26);
        await untilQuiet();
        assertEquals(flooded.take(), texts(1, 3));
        await flooded.rig.clock.advance(1000);
        await untilQuiet();
        assertEquals([flooded.take(), flooded.client.take()], [texts(2, 4), []]);
        await flooded.rig.clock.advance(10_000);
        flooded.send(...messages(4));
        await untilQuiet();
        assertEquals(flooded.take(), texts(3));
      });
    }

    test(`${version}: with action "close", what exceeds it closes with 1008`, async () => {
      const rate: ConnectionRate = { ...messageRate, action: "close" };
      const flooded = await Flooded.open(version, { messageRate: rate });
      flooded.send(...messages(3));
      await flooded.rig.clock.advance(100);
      flooded.send(...messages(3, 3));
      await untilQuiet();
      assertEquals(flooded.take().slice(0, 4), texts(4));
      const isHybi = HYBI.includes(version);
      assertEquals(flooded.client.take().slice(0, 1), [
        isHybi
          ? "close 1008 messages must not exceed messageRate (10 per second, 3 at once)"
          : "FIN",
      ]);
      const { closed, throttled } = flooded.rig.app.stats();
      assertEquals([closed, throttled], [{ [isHybi ? 1008 : 1006]: 1 }, 0]);
      flooded.client.reset();
      await flooded.rig.clock.advance(10_000);
      assertEquals([flooded.rig.clock.pending, flooded.rig.logged], [0, []]);
    });
  }

  test("is kept to in the long run", async () => {
    const flooded = await Flooded.open("rfc6455", { messageRate: { perSecond: 30, burst: 5 } });
    flooded.send(...messages(1000));
    await flooded.rig.clock.advance(10_000);
    assertEquals(flooded.take().length, 305);
  });

  for (const version of HYBI) {
    test(`${version}: counts pings and pongs`, async () => {
      const flooded = await Flooded.open(version, { messageRate });
      const { client } = flooded;
      client.ping(new Uint8Array(0));
      client.pong(new Uint8Array(0));
      flooded.send("m0", "m1");
      client.ping(new Uint8Array(0));
      await settle();
      assertEquals([flooded.take(), client.take()], [["ping ", "pong ", "text m0"], ["pong"]]);
      await flooded.rig.clock.advance(300);
      assertEquals([flooded.take(), client.take()], [["text m1", "ping "], ["pong"]]);
    });

    test(`${version}: counts pings that no handler looks at, and closes`, async () => {
      class Plain extends Recording {
        override onPing = Recording.prototype.onPong;
      }
      const rate: ConnectionRate = { perSecond: 1, burst: 2, action: "close" };
      for (const send of ["ping", "pong"] as const) {
        const flooded = await Flooded.open(version, { messageRate: rate }, { Handler: Plain });
        for (let i = 0; i < 3; i++) flooded.client[send](new Uint8Array(0));
        await settle();
        const received = flooded.client.take();
        assertEquals(received.filter((event) => event === "pong").length, send === "ping" ? 2 : 0);
        assertEquals(received.some((event) => event.startsWith("close 1008")), true);
        flooded.client.reset();
      }
    });

    test(`${version}: counts a message once, however many frames it has`, async () => {
      const flooded = await Flooded.open(version, { messageRate });
      for (let i = 0; i < 3; i++) {
        flooded.client.write(begin("a"));
        for (let left = 9; left >= 0; left--) flooded.client.write(continuation("", left === 0));
      }
      await settle();
      assertEquals(flooded.take(), ["text a", "text a", "text a"]);
    });
  }

  test("does not drop a client that is made to wait", async () => {
    const flooded = await Flooded.open("rfc6455", {
      messageRate: { perSecond: 0.01, burst: 1 },
      pingInterval: 1000,
      pingTimeout: 1000,
      idleTimeout: 5000,
    });
    flooded.send("m0", "m1");
    await flooded.rig.clock.advance(99_000);
    assertEquals(flooded.take(), ["text m0"]);
    await flooded.rig.clock.advance(2000);
    assertEquals(flooded.take(), ["text m1"]);
  });

  test("waits for a busy handler, too", async () => {
    let busy: Gate = gate();
    class Busy extends Recording {
      override async onMessage(message: string): Promise<void> {
        await super.onMessage(message);
        await busy.promise;
      }
    }
    const flooded = await Flooded.open("rfc6455", { messageRate }, { Handler: Busy });
    flooded.send(...messages(5));
    await flooded.rig.clock.advance(5000);
    assertEquals(flooded.take(), texts(1));
    const { open } = busy;
    busy = gate();
    busy.open();
    open();
    await flooded.rig.clock.advance(500);
    assertEquals(flooded.take(), texts(4, 1));
  });

  for (const rate of ["messageRate", "byteRate"] as const) {
    test(`with ${rate}, FIN behind what waits is read while the handler is busy`, async () => {
      class Hanging extends Recording {
        override onMessage(message: string): Promise<void> {
          super.onMessage(message);
          return new Promise(() => {});
        }
      }
      const settings = { [rate]: { perSecond: 10, burst: 3 }, closeTimeout: 1000 };
      for (const split of [undefined, 1]) {
        const flooded = await Flooded.open("rfc6455", settings, { Handler: Hanging, split });
        flooded.send(...messages(5));
        flooded.client.end();
        await flooded.rig.clock.advance(10_000);
        await untilQuiet();
        await flooded.rig.clock.advance(1100);
        assertEquals(flooded.take(), ["text m0", "close"], `split ${split}`);
      }
    });
  }

  test("a close frame behind what waits is answered after it", async () => {
    const flooded = await Flooded.open("rfc6455", { messageRate });
    flooded.send(...messages(4));
    flooded.client.close(1000);
    await settle();
    assertEquals(flooded.client.take(), []);
    await flooded.rig.clock.advance(200);
    assertEquals(flooded.client.take().at(0), "close 1000");
    assertEquals(flooded.take(), [...texts(4), "close 1000"]);
  });

  test("loses nothing when the client leaves", async () => {
    const flooded = await Flooded.open("rfc6455", { messageRate });
    flooded.send(...messages(9));
    await settle();
    flooded.client.reset();
    await flooded.rig.clock.advance(1000);
    assertEquals(flooded.take(), [...texts(9), "close"]);
  });

  test("keeps what a lost client has sent for closeTimeout, and no timer after it", async () => {
    const flooded = await Flooded.open("rfc6455", { messageRate: { perSecond: 0.1, burst: 3 } });
    flooded.send(...messages(9));
    await settle();
    flooded.client.reset();
    await flooded.rig.clock.advance(6000);
    assertEquals(flooded.take(), [...texts(3), "close"]);
    await flooded.rig.app.shutdown();
    assertEquals(flooded.rig.clock.pending, 0);
  });

  test("is counted in the metrics", async () => {
    const flooded = await Flooded.open("rfc6455", { messageRate });
    flooded.send(...messages(9));
    await flooded.rig.clock.advance(125);
    const text = await metricsResponse(flooded.rig.app).text();
    assertEquals(text.includes("\nwaterspout_throttled_total 2\n"), true, text);
  });
});

describe("messageRate with messages as streams", () => {
  /** Notes the pieces of each message, and what cuts it off. */
  class Streaming extends Recording {
    override async onMessageStream(stream: ReadableStream<string | Uint8Array>): Promise<void> {
      try {
        let text = "";
        for (const reader = stream.getReader();;) {
          const { done, value } = await reader.read();
          if (done) break;
          text += value;
        }
        this.note(`text ${text}`);
      } catch (error) {
        this.note(`cut off: ${(error as Error).name}`);
      }
    }
  }

  /** Sends `m0`, `m1` … in two frames each. */
  function sendFragmented({ client }: Flooded, count: number): void {
    for (let i = 0; i < count; i++) {
      client.write(begin("m"));
      client.write(continuation(`${i}`, true));
    }
  }

  test("lets what exceeds it wait", async () => {
    const flooded = await Flooded.open("rfc6455", { messageRate }, { Handler: Streaming });
    sendFragmented(flooded, 6);
    await untilQuiet();
    assertEquals(flooded.take(), texts(3));
    await flooded.rig.clock.advance(125);
    await untilQuiet();
    assertEquals(flooded.take(), texts(1, 3));
    flooded.client.reset();
  });

  test("cuts the message off that exceeds it", async () => {
    const rate: ConnectionRate = { ...messageRate, action: "close" };
    const flooded = await Flooded.open(
      "rfc6455",
      { messageRate: rate },
      { Handler: Streaming },
    );
    sendFragmented(flooded, 3);
    await untilQuiet();
    assertEquals(flooded.take(), texts(3));
    sendFragmented(flooded, 3);
    await untilQuiet();
    assertEquals(flooded.take().sort(), ["close", "cut off: IncompleteMessageError"]);
    assertEquals(flooded.rig.app.stats().closed, { 1008: 1 });
    flooded.client.reset();
  });
});

describe("byteRate", () => {
  const byteRate: ConnectionRate = { perSecond: 1000, burst: 100 };

  for (const version of VERSIONS) {
    test(`${version}: what exceeds it waits`, async () => {
      const flooded = await Flooded.open(version, { byteRate });
      // With two to six bytes of header each.
      const received: number[] = [];
      for (const wait of [0, 0, 50, 75]) {
        await flooded.rig.clock.advance(wait);
        flooded.send("a".repeat(60));
        await untilQuiet();
        received.push(flooded.take().length);
      }
      assertEquals(received, [1, 0, 1, 1]);
      await flooded.rig.clock.advance(75);
      await untilQuiet();
      assertEquals([flooded.take().length, flooded.client.take()], [1, []]);
    });

    test(`${version}: lets a message through that is larger than the burst`, async () => {
      const flooded = await Flooded.open(version, { byteRate });
      flooded.send("a".repeat(1000));
      await flooded.rig.clock.advance(800);
      assertEquals(flooded.take(), []);
      await flooded.rig.clock.advance(200);
      assertEquals(flooded.take().length, 1);
    });

    for (const split of [undefined, 1]) {
      test(`${version}: with action "close", 1008${split ? ", byte by byte" : ""}`, async () => {
        const rate: ConnectionRate = { ...byteRate, action: "close" };
        const flooded = await Flooded.open(version, { byteRate: rate }, { split });
        flooded.send("a".repeat(90));
        await untilQuiet();
        await flooded.rig.clock.advance(10);
        flooded.send("b".repeat(90));
        await untilQuiet();
        assertEquals(flooded.take().slice(0, 1), [`text ${"a".repeat(90)}`]);
        assertEquals(flooded.client.take().slice(0, 1), [
          HYBI.includes(version)
            ? "close 1008 bytes must not exceed byteRate (1000 per second, 100 at once)"
            : "FIN",
        ]);
        flooded.client.reset();
      });
    }
  }

  test("limits empty fragments", async () => {
    const flooded = await Flooded.open("rfc6455", { byteRate });
    flooded.client.write(begin("a"));
    for (let left = 999; left > 0; left--) flooded.client.write(continuation("", false));
    await settle();
    assertEquals(flooded.throttled, 1);
  });

  test("works beside messageRate: the slower one counts", async () => {
    const flooded = await Flooded.open("rfc6455", { byteRate, messageRate });
    flooded.send(...messages(4));
    await flooded.rig.clock.advance(0);
    assertEquals(flooded.take(), texts(3));
    await flooded.rig.clock.advance(125);
    assertEquals(flooded.take(), texts(1, 3));
    flooded.send("a".repeat(500));
    await flooded.rig.clock.advance(350);
    assertEquals(flooded.take(), []);
    await flooded.rig.clock.advance(175);
    assertEquals(flooded.take().length, 1);
    flooded.send(...messages(4));
    await flooded.rig.clock.advance(100);
    assertEquals(flooded.take(), texts(3));
  });
});

/** Counts how often it is read. */
class CountingClock extends FakeClock {
  reads = 0;
  override now(): number {
    this.reads++;
    return super.now();
  }
}

describe("without a rate", () => {
  for (const version of VERSIONS) {
    test(`${version}: no message reads the clock, and no connection has an object for it`, async () => {
      const clock = new CountingClock();
      const flooded = await Flooded.open(version, { clock });
      const before = clock.reads;
      flooded.send(...messages(1000));
      await settle();
      assertEquals([flooded.take().length, clock.reads], [1000, before]);
      const [handler] = flooded.rig.app.connections();
      const { flood } = readerOf(handler?.connection);
      assertEquals(flood, null);
    });
  }

  test("the same count sees a rate", async () => {
    const clock = new CountingClock();
    const rate = { perSecond: 10_000, burst: 10_000 };
    const flooded = await Flooded.open("rfc6455", { clock, messageRate: rate });
    const before = clock.reads;
    flooded.send(...messages(1000));
    await settle();
    assertEquals(clock.reads - before, 1000);
  });
});

/** The reader of a server's connection. */
function readerOf(info: unknown): { readonly flood: unknown } {
  return (info as { connection: { reader: { flood: unknown } } }).connection.reader;
}
