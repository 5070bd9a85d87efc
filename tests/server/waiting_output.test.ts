/**
 * How much output may wait for a client that does not read: `maxBufferedAmount`, and one message
 * beyond it. A message of any size is accepted while no more than `highWaterMark` waits.
 *
 * @module
 */
import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { describe, test } from "node:test";
import { ProtocolError, WebSocketClosedError } from "../../src/errors.ts";
import { WebSocketHandler } from "../../src/server/handler.ts";
import { defaultSettings } from "../../src/server/settings.ts";
import type { MemoryClient } from "../support/memory_client.ts";
import { randomFor, randomInteger } from "../support/random.ts";
import { HYBI, Rig, settle, VERSIONS } from "../support/rig.ts";

const KIB = 1024;
const MIB = 1024 * KIB;
/** The longest head of a frame that a server sends, in bytes. */
const FRAME_HEAD = 10;
/** The longest close frame, in bytes. It follows what waits. */
const CLOSE_FRAME = 127;

/** Subscribes to `room`, and tells the test who it is. */
class Member extends WebSocketHandler {
  static last: Member;
  override open(): void {
    Member.last = this;
    this.subscribe("room");
  }
  onMessage(): void {}
}

/** Opens a client that reads nothing. */
async function openPaused(rig: Rig, version: (typeof VERSIONS)[number]): Promise<MemoryClient> {
  const client = await rig.open(version, { pair: { capacity: 0 } });
  client.transport.pause();
  return client;
}

test("maxMessageSize and maxBufferedAmount may be equal, as they are by default", async () => {
  assertEquals(defaultSettings.maxMessageSize, defaultSettings.maxBufferedAmount);
  const rig = new Rig(Member, { maxMessageSize: 100_000, maxBufferedAmount: 100_000 });
  await rig.open("rfc6455");
  assertEquals(rig.logged, []);
});

for (const version of VERSIONS) {
  describe(`output for a client of ${version}`, () => {
    test("may begin with 300 KiB where 256 KiB may wait", async () => {
      const text = "x".repeat(300 * KIB);
      const ways: Record<string, (rig: Rig) => unknown> = {
        writeMessage: () => Member.last.writeMessage(text),
        "publish to one": (rig) => rig.app.publish("room", text),
        "publish to two": (rig) => rig.app.publish("room", text),
      };
      for (const [name, write] of Object.entries(ways)) {
        const rig = new Rig(Member, { maxBufferedAmount: 256 * KIB });
        const clients = [await openPaused(rig, version)];
        if (name.endsWith("two")) clients.push(await openPaused(rig, version));
        write(rig);
        for (const client of clients) client.transport.resume();
        await settle();
        for (const client of clients) {
          assertEquals(client.take().map(({ length }) => length), [text.length + 5], name);
        }
        assertEquals(Member.last.ended, undefined);
      }
    });

    test("that is beyond the limit tells 1013: in the rejection and in this.ended", async () => {
      const rig = new Rig(Member, { highWaterMark: 1000, maxBufferedAmount: 10_000 });
      await openPaused(rig, version);
      const { last } = Member;
      last.writeMessage("x".repeat(2000));
      // The first is refused, the second comes too late.
      const errors = await Promise.all(
        [9000, 10].map((size) => last.writeMessage("x".repeat(size)).catch((error) => error)),
      );
      const reason = "more than maxBufferedAmount (10000 bytes) would wait for the peer";
      for (const error of errors) {
        assertInstanceOf(error, WebSocketClosedError);
        assertEquals(
          error.message,
          `Cannot write a message: the connection is closed (1013: ${reason})`,
        );
        assertInstanceOf(error.cause, ProtocolError);
        assertEquals([error.cause.code, error.cause.message], [1013, reason]);
      }
      const { by, code, error } = last.ended ?? {};
      assertEquals([by, error], ["overflow", errors[0]?.cause]);
      // Versions without close codes end without one.
      assertEquals(code, HYBI.includes(version) ? 1013 : 1006);
    });

    for (
      const [highWaterMark, maxBufferedAmount] of [
        [1000, 10_000],
        [10_000, 10_000],
        [1000, 100_000],
        [64 * KIB, 100_000],
      ] as const
    ) {
      test(`is ${maxBufferedAmount} bytes and a message, if writers wait at ${highWaterMark}`, async () => {
        const random = randomFor(`waiting ${highWaterMark} ${maxBufferedAmount}`);
        for (const largest of [10, 1000, 4096, 4097, 20_000]) {
          // So many small messages show nothing that fewer do not.
          if (largest === 10 && maxBufferedAmount > 10_000) continue;
          const rig = new Rig(Member, { highWaterMark, maxBufferedAmount });
          const client = await openPaused(rig, version);
          const { last } = Member;
          let most = 0;
          for (; last.ended === undefined; most = Math.max(most, last.bufferedAmount)) {
            const text = "x".repeat(1 + randomInteger(random, largest));
            if (randomInteger(random, 2) === 0) last.writeMessage(text);
            else rig.app.publish("room", text);
            if (randomInteger(random, 100) === 0) await settle();
          }
          assert(most > maxBufferedAmount - largest - FRAME_HEAD, `only ${most} bytes waited`);
          assert(
            most <= maxBufferedAmount + largest + FRAME_HEAD + CLOSE_FRAME,
            `${most} bytes waited`,
          );
          client.reset();
          await settle();
        }
      });
    }
  });
}

for (const version of HYBI) {
  // The default of one version, and less for the others.
  const size = version === "rfc6455" ? defaultSettings.maxBufferedAmount : MIB;
  test(`${version}: a binary message of ${size / MIB} MiB to a room in which nothing waits closes nobody`, async () => {
    const rig = new Rig(Member, version === "rfc6455" ? {} : { maxBufferedAmount: size });
    const clients: MemoryClient[] = [];
    for (let left = 3; left > 0; left--) clients.push(await openPaused(rig, version));
    const { sent, disconnected } = rig.app.publish("room", new Uint8Array(size).fill(65));
    assertEquals({ sent, disconnected }, { sent: 3, disconnected: 0 });
    assertEquals(Member.last.bufferedAmount, size + FRAME_HEAD);
    // A second one would wait behind it.
    const again = rig.app.publish("room", "more than nothing");
    assertEquals(again.disconnected, 3);
    for (const client of clients) client.reset();
    await settle();
  });
}
