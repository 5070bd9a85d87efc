import { assert, assertEquals, assertGreater, assertLess } from "@std/assert";
import { describe, test } from "node:test";
import { WebSocketHandler } from "../../mod.ts";
import { rawHandshake, RawSession, TYPES } from "./raw_session.ts";
import { Http2Rig } from "./rig.ts";

const MESSAGE = "x".repeat(16 * 1024);
const MIB = 1024 * 1024;
/** More than both ends' windows and buffers hold. */
const MUCH = 256;

class Echo extends WebSocketHandler {
  onMessage(message: string | Uint8Array): Promise<void> {
    return this.writeMessage(message);
  }
}

/** Waits until a number does not change any more. */
async function settled(read: () => number): Promise<number> {
  for (let before = -1, same = 0;;) {
    await new Promise((next) => setTimeout(next, 5));
    const now = read();
    same = now === before ? same + 1 : 0;
    before = now;
    if (same === 20) return now;
  }
}

async function until(reached: () => boolean, what: string): Promise<void> {
  for (let i = 0; i < 60_000 && !reached(); i++) await new Promise((next) => setTimeout(next, 1));
  assert(reached(), `Waited in vain for ${what}`);
}

describe("flow control of HTTP/2 is backpressure", () => {
  test("stops a handler that writes to a client that does not read, and only that one", async () => {
    const counts = { written: 0, done: false };
    class Writing extends WebSocketHandler {
      override async open(): Promise<void> {
        for (let i = 0; i < MUCH; i++) {
          await this.writeMessage(MESSAGE);
          counts.written++;
        }
        counts.done = true;
      }
      onMessage(): void {}
    }
    await using rig = await Http2Rig.start([["/writing", Writing], ["/echo", Echo]]);
    const http2 = await rig.session();
    const slow = await rig.open("/writing", { http2, maxQueuedSize: 64 * 1024 });
    const written = await settled(() => counts.written);
    // The windows, the client's queue and highWaterMark: far from the 4 MiB of all messages.
    assertLess(written * MESSAGE.length, MIB);
    assertEquals(counts.done, false);
    const other = await rig.open("/echo", { http2 });
    for (let i = 0; i < 50; i++) {
      await other.writeMessage(MESSAGE);
      assertEquals((await other.readMessage())?.length, MESSAGE.length);
    }
    assertEquals(counts.written, written);
    for (let i = 0; i < MUCH; i++) {
      assertEquals((await slow.readMessage())?.length, MESSAGE.length);
    }
    await until(() => counts.done, "the last message");
    slow.abort();
    other.abort();
  });

  test("stops handlers whose client has a large window, but reads nothing from its socket", async () => {
    // On each of two streams, more than the buffers of the system hold.
    const [size, count] = [64 * 1024, 16 * 16];
    const counts = { written: 0, done: 0 };
    class Writing extends WebSocketHandler {
      override async open(): Promise<void> {
        for (let i = 0; i < count; i++) {
          await this.writeMessage(new Uint8Array(size));
          counts.written++;
        }
        counts.done++;
      }
      onMessage(): void {}
    }
    await using rig = await Http2Rig.start([["/", Writing]]);
    const window = Uint8Array.of(0x70, 0, 0, 0);
    const session = await RawSession.connect(rig.port, [[4, 0x7000_0000]]);
    session.send(TYPES.windowUpdate, 0, 0, window);
    try {
      session.pause();
      const streams = [session.request(rawHandshake()), session.request(rawHandshake())];
      assertLess(await settled(() => counts.written) * size, 16 * MIB);
      assertEquals(counts.done, 0);
      session.resume();
      await until(() => counts.done === 2, "the last message");
      // Each message has a header of 10 bytes.
      const all = count * (size + 10);
      await until(() => streams.every((stream) => session.size(stream) === all), "all bytes");
    } finally {
      session.destroy();
    }
  });

  test("stops a client that writes to a handler that is busy, and only that one", async () => {
    const gate = Promise.withResolvers<void>();
    let received = 0;
    class Busy extends WebSocketHandler {
      async onMessage(): Promise<void> {
        received++;
        await gate.promise;
      }
    }
    await using rig = await Http2Rig.start([["/busy", Busy], ["/echo", Echo]]);
    const http2 = await rig.session();
    const client = await rig.open("/busy", { http2 });
    let sent = 0;
    const sending = (async () => {
      for (let i = 0; i < MUCH; i++) {
        await client.writeMessage(MESSAGE);
        sent++;
      }
    })();
    const before = await settled(() => sent);
    assertLess(before * MESSAGE.length, MIB);
    assertGreater(client.bufferedAmount, 0);
    assertEquals(received, 1);
    const other = await rig.open("/echo", { http2 });
    for (let i = 0; i < 50; i++) {
      await other.writeMessage(MESSAGE);
      assertEquals((await other.readMessage())?.length, MESSAGE.length);
    }
    assertEquals([sent, received], [before, 1]);
    gate.resolve();
    await sending;
    await until(() => received === MUCH, "all messages");
    assertEquals(client.bufferedAmount, 0);
    client.abort();
    other.abort();
  });

  test("closes with 1013 who does not read and whose handler does not wait", async () => {
    const ends: unknown[] = [];
    class Flooding extends WebSocketHandler {
      override open(): void {
        for (let i = 0; i < MUCH; i++) this.writeMessage(MESSAGE).catch(() => {});
      }
      onMessage(): void {}
      override onClose(): void {
        ends.push(this.ended?.by, this.ended?.code);
      }
    }
    await using rig = await Http2Rig.start([["/", Flooding]], { maxBufferedAmount: 2 * MIB });
    const http2 = await rig.session();
    const slow = await rig.open("/", { http2, maxQueuedSize: 64 * 1024 });
    await until(() => ends.length > 0, "onClose()");
    assertEquals(ends, ["overflow", 1013]);
    slow.abort();
    await until(() => rig.app.stats().sockets === 0, "the end of the socket");
  });
});
