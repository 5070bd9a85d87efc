/**
 * Slow subscribers: which messages of a topic they get, in which order, and the counts of `publish`.
 *
 * @module
 */
import { assertEquals, assertThrows } from "@std/assert";
import { describe, test } from "node:test";
import type { Published } from "../../src/pubsub/broadcast.ts";
import type { SubscribeOptions } from "../../src/pubsub/subscription.ts";
import { WebSocketHandler } from "../../src/server/handler.ts";
import type { Settings } from "../../src/server/settings.ts";
import type { MemoryClient } from "../support/memory_client.ts";
import { HYBI, Rig, settle, VERSIONS } from "../support/rig.ts";

const MARK = 1000;
const LIMIT = 10_000;

/** Subscribes to the topics in the path: `/news=skip/prices=latest`. */
class Subscriber extends WebSocketHandler {
  static last: Subscriber;
  override open(path: string): void {
    Subscriber.last = this;
    for (const part of path.split("/").filter((part) => part !== "")) {
      const [topic = "", whenSlow] = part.split("=");
      this.subscribe(topic, (whenSlow === undefined ? {} : { whenSlow }) as SubscribeOptions);
    }
  }
  onMessage(): void {}
}

function makeRig(settings: Partial<Settings> = {}): Rig {
  return new Rig([[/\/(.*)/, Subscriber]], {
    highWaterMark: MARK,
    maxBufferedAmount: LIMIT,
    ...settings,
  });
}

/** The counts of a publish that are not 0. */
function counts(published: Published): Record<string, number> {
  const { sent, skipped, unsupported, disconnected } = published;
  const counts = { sent, skipped, unsupported, disconnected };
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count !== 0));
}

/** A text of a letter. */
function text(letter: string, size = 600): string {
  return letter.repeat(size);
}

/** The letters of the received texts. */
function letters(client: MemoryClient): string {
  return client.take().filter((event) => event.startsWith("text "))
    .map((event) => event.slice(5, 6)).join("");
}

for (const version of VERSIONS) {
  /** Opens a client whose connection can be paused. */
  const open = (rig: Rig, path: string) => rig.open(version, { path, pair: { capacity: 0 } });

  describe(`a slow subscriber of ${version}`, () => {
    test("with whenSlow skip is skipped while more than highWaterMark waits", async () => {
      const rig = makeRig();
      const client = await open(rig, "/t=skip");
      client.transport.pause();
      const results: Record<string, number>[] = [];
      for (const letter of "abcd") {
        results.push(counts(rig.app.publish("t", text(letter))));
        await settle();
      }
      assertEquals(results, [{ sent: 1 }, { sent: 1 }, { skipped: 1 }, { skipped: 1 }]);
      client.transport.resume();
      await settle();
      assertEquals(counts(rig.app.publish("t", text("e"))), { sent: 1 });
      await settle();
      assertEquals([letters(client), Subscriber.last.ended], ["abe", undefined]);
    });

    test("is skipped even within one turn, and only while it is slow", async () => {
      const rig = makeRig();
      const slow = await open(rig, "/t=skip");
      const fast = await rig.open(version, { path: "/t=skip" });
      slow.transport.pause();
      const results = [..."abcd"].map((letter) => counts(rig.app.publish("t", text(letter))));
      const both = { sent: 1, skipped: 1 };
      assertEquals(results, [{ sent: 2 }, { sent: 2 }, both, both]);
      slow.transport.resume();
      await settle();
      assertEquals([letters(slow), letters(fast)], ["ab", "abcd"]);
    });

    test("with whenSlow latest gets the latest message, after waiting ones and before newer ones", async () => {
      const rig = makeRig();
      const client = await open(rig, "/t=latest");
      client.transport.pause();
      for (const letter of "abcde") rig.app.publish("t", text(letter));
      client.transport.resume();
      await settle();
      assertEquals(counts(rig.app.publish("t", text("f"))), { sent: 1 });
      await settle();
      // c and d were replaced by e.
      assertEquals(letters(client), "abef");
      // It is sent once.
      await settle();
      assertEquals(client.events, []);
    });

    test("never gets an older message after a newer one", async () => {
      // The waiting output falls below the mark before all of it is sent.
      const rig = makeRig();
      const client = await rig.open(version, {
        path: "/t=latest",
        pair: { capacity: 0, split: 500 },
      });
      client.transport.pause();
      for (const letter of "abc") rig.app.publish("t", text(letter));
      client.transport.resume();
      await Promise.resolve();
      await Promise.resolve();
      client.transport.pause();
      // c was kept. Now there is room for d.
      assertEquals(counts(rig.app.publish("t", text("d"))), { sent: 1 });
      client.transport.resume();
      await settle();
      assertEquals(letters(client), "abd");
    });

    test("keeps the latest of each topic", async () => {
      const rig = makeRig();
      const client = await open(rig, "/t=latest/u=latest/v=skip");
      client.transport.pause();
      for (const letter of "abc") rig.app.publish("t", text(letter));
      for (const letter of "de") rig.app.publish("u", text(letter));
      rig.app.publish("v", text("f"));
      for (const letter of "gh") rig.app.publish("t", text(letter));
      client.transport.resume();
      await settle();
      await settle();
      assertEquals(letters(client), "abhe");
    });

    test("that is slow again gets the remaining ones later", async () => {
      const rig = makeRig();
      const client = await open(rig, "/t=latest/u=latest/v=latest");
      client.transport.pause();
      for (const letter of "ab") rig.app.publish("t", text(letter));
      for (const topic of ["t", "u", "v"]) rig.app.publish(topic, text(topic, 2000));
      for (let round = 0; round < 4; round++) {
        client.transport.resume();
        await settle();
      }
      assertEquals(letters(client), "abtuv");
    });

    test("that has left the topic gets no kept message", async () => {
      const rig = makeRig();
      const client = await open(rig, "/t=latest/u=latest");
      client.transport.pause();
      for (const letter of "abc") rig.app.publish("t", text(letter));
      rig.app.publish("u", text("d"));
      Subscriber.last.unsubscribe("t");
      client.transport.resume();
      await settle();
      assertEquals(letters(client), "abd");
      // A new subscription starts without kept messages.
      Subscriber.last.subscribe("t");
      assertEquals(counts(rig.app.publish("t", text("e"))), { sent: 1 });
      await settle();
      assertEquals(letters(client), "e");
    });

    test("without whenSlow is closed when more than maxBufferedAmount would wait", async () => {
      const rig = makeRig();
      const client = await open(rig, "/t");
      const other = await rig.open(version, { path: "/t" });
      client.transport.pause();
      const results = [..."abc"].map((letter) => counts(rig.app.publish("t", text(letter, 4500))));
      await settle();
      assertEquals(results, [{ sent: 2 }, { sent: 2 }, { sent: 1, disconnected: 1 }]);
      assertEquals(letters(other), "abc");
      assertEquals(counts(rig.app.publish("t", "later")), { sent: 1 });
      client.transport.resume();
      await settle();
      const heard = client.take();
      if (HYBI.includes(version)) assertEquals(heard.at(-2)?.startsWith("close 1013"), true);
      assertEquals(heard.at(-1), "FIN");
    });

    test("may change its whenSlow", async () => {
      const rig = makeRig();
      const client = await open(rig, "/t=skip");
      client.transport.pause();
      for (const letter of "abc") rig.app.publish("t", text(letter));
      Subscriber.last.subscribe("t", { whenSlow: "latest" });
      rig.app.publish("t", text("d"));
      Subscriber.last.subscribe("t");
      assertEquals(counts(rig.app.publish("t", text("e"))), { sent: 1 });
      client.transport.resume();
      await settle();
      assertEquals(letters(client), "abe");
    });

    test("gets binary messages in versions that have them, in order", async () => {
      const rig = makeRig();
      const client = await open(rig, "/t=latest");
      client.transport.pause();
      const bytes = new Uint8Array(600).fill(1);
      const hasBinary = HYBI.includes(version);
      const result = (name: string) => hasBinary ? { [name]: 1 } : { unsupported: 1 };
      assertEquals(counts(rig.app.publish("t", bytes)), result("sent"));
      for (const letter of "ab") rig.app.publish("t", text(letter));
      assertEquals(counts(rig.app.publish("t", bytes)), result("skipped"));
      // The publisher may change its bytes right after the call.
      bytes.fill(2);
      client.transport.resume();
      await settle();
      const heard = client.take().map((event) => event.slice(0, 8));
      assertEquals(
        heard,
        hasBinary ? ["binary 1", "text aaa", "binary 1"] : ["text aaa", "text bbb"],
      );
    });
  });
}

describe("a message as large as maxMessageSize", () => {
  for (const version of VERSIONS) {
    test(`${version}: published to subscribers without waiting output, closes none of them`, async () => {
      const maxMessageSize = 2 ** 20;
      const rig = makeRig({
        highWaterMark: 64 * 1024,
        maxMessageSize,
        maxBufferedAmount: maxMessageSize,
      });
      const clients: MemoryClient[] = [];
      for (let left = 3; left > 0; left--) clients.push(await rig.open(version, { path: "/t" }));
      for (const client of clients) client.transport.pause();
      // With the frame header, it is larger than maxBufferedAmount.
      const message = "x".repeat(maxMessageSize);
      assertEquals(counts(rig.app.publish("t", message)), { sent: 3 });
      for (const client of clients) client.transport.resume();
      await settle();
      for (const client of clients) {
        assertEquals(client.events.map(({ length }) => length), [message.length + 5]);
        client.reset();
      }
    });
  }
});

test("whenSlow is one of three words", async () => {
  const rig = makeRig();
  await rig.open("rfc6455");
  const wrong = { whenSlow: "drop" } as unknown as SubscribeOptions;
  assertThrows(() => Subscriber.last.subscribe("t", wrong), TypeError, '"drop"');
  assertEquals(rig.app.stats().subscriptions, 0);
});
