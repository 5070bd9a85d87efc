import { assert, assertEquals, assertLess, assertNotEquals, assertRejects } from "@std/assert";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { spawnScript } from "../support/spawn.ts";
import { Application } from "../../src/server/application.ts";
import { redisBroker } from "../../src/pubsub/brokers/redis.ts";
import { ioRedisClient, nodeRedisClient } from "./kinds.ts";
import { libraryOf } from "./libraries.ts";
import { BrokerServer, until } from "./servers.ts";
import { assertContiguous, type Bench, LIMITS, numbers, type Peer, withBench } from "./stored.ts";

/** Like {@linkcode withBench}, with a folder that survives a restart. */
async function withFolder(
  name: string,
  settings: Readonly<Record<string, string>>,
  body: (bench: Bench) => Promise<void>,
): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), "waterspout-redis-"));
  try {
    await withBench(name, body, { dir, ...settings });
  } finally {
    rmSync(dir, { recursive: true });
  }
}

/** Kills the server, starts it again, and waits until the brokers are connected again. */
async function restart({ server, admin }: Bench, ...peers: Peer[]): Promise<void> {
  await server.kill();
  for (const { broker } of peers) await until("the end", () => broker.status === "down");
  await server.start();
  for (const { broker } of peers) await until("the start", () => broker.status === "up");
  await until("the admin", () => admin.isReady);
}

for (const name of [libraryOf("Streams")]) {
  describe(`when Redis restarts or hangs, by ${name},`, () => {
    test("every subscription is active when the status says so", () =>
      withBench(name, async (bench) => {
        const peer = await bench.peer();
        for (const topic of numbers(1, 200)) await peer.broker.subscribe(topic);
        for (const topic of numbers(101, 200)) await peer.broker.unsubscribe(topic);
        const channels = numbers(1, 200).map((topic) => `waterspout:${topic}`);
        let counted: Promise<Record<string, number>> | undefined;
        peer.onStatus = (status) => {
          if (status === "up") counted = bench.admin.pubSubNumSub(channels);
        };
        await bench.server.kill();
        await until("the end", () => peer.broker.status === "down");
        await assertRejects(() => peer.append("1", "x"), Error, "no connection to 127.0.0.1:");
        await assertRejects(() => peer.history.read("1"), Error, "no connection to 127.0.0.1:");
        await assertRejects(() => peer.presence.list("1"), Error, "no connection to 127.0.0.1:");
        await bench.server.start();
        await until("the start", () => counted !== undefined);
        const counts = Object.values(await counted ?? {}).map(Number);
        assertEquals(counts, [...Array(100).fill(1), ...Array(100).fill(0)]);
        assertEquals(peer.statuses, ["down", "up"]);
        assertEquals(peer.failures, []);
      }));

    test("requests fail after their timeout, and what was sent arrives later, once", () =>
      withBench(name, async (bench) => {
        const peer = await bench.peer({ requestTimeout: 3000 });
        await peer.broker.subscribe("t");
        await peer.append("t", "1");
        bench.server.freeze();
        const late = "no reply within requestTimeout (3000 ms)";
        await Promise.all([
          assertRejects(() => peer.append("t", "2"), Error, late),
          assertRejects(() => peer.history.read("t"), Error, late),
          assertRejects(() => peer.presence.list("t"), Error, late),
          peer.broker.subscribe("late"),
          peer.broker.unsubscribe("t2"),
        ]);
        assertEquals(peer.failures, ['Redis has not yet subscribed to topic "late"']);
        bench.server.thaw();
        await until("the subscription", () => peer.missed.length > 0);
        assertEquals(peer.missed, ["late"]);
        await peer.append("t", "3");
        assertContiguous(await peer.received(3));
        assertEquals((await peer.read("t"))[1], ["1", "2", "3"]);
        assertEquals(peer.statuses, []);
      }));

    test("at most maxBufferedAmount waits, and the status is slow", () =>
      withBench(name, async (bench) => {
        const maxBufferedAmount = 100_000;
        const peer = await bench.peer({ maxBufferedAmount });
        await peer.broker.subscribe("t");
        bench.server.freeze();
        const message = "x".repeat(8000);
        let stored = 0;
        let refused = 0;
        const outcomes: Promise<unknown>[] = [];
        while (peer.broker.status === "up") {
          outcomes.push(peer.append("t", message).then(() => stored++, () => refused++));
          assertLess(outcomes.length * message.length, 2 * maxBufferedAmount);
          await new Promise((resolve) => setTimeout(resolve, 0));
        }
        assertEquals([stored, refused, peer.statuses], [0, 1, ["slow"]]);
        const text = "too many messages wait for a reply";
        await assertRejects(() => peer.append("t", message), Error, text);
        await assertRejects(() => peer.history.read("t"), Error, text);
        bench.server.thaw();
        await Promise.all(outcomes);
        assertEquals([stored, refused], [outcomes.length - 1, 1]);
        assertEquals(peer.statuses, ["slow", "up"]);
        assertContiguous(await peer.received(stored));
      }));
  });
}

/** What the scripts do does not depend on the client library. */
const name = "npm:redis";

describe("when Redis restarts", () => {
  test("and keeps everything, positions stay valid, in another epoch", () =>
    withFolder(name, { appendonly: "yes", appendfsync: "always" }, async (bench) => {
      const peer = await bench.peer();
      const before = await peer.appendAll("t", numbers(1, 5));
      await restart(bench, peer);
      assertEquals(await peer.read("t", { ...before, offset: 2 }), [true, ["3", "4", "5"]]);
      assertEquals(await peer.read("t", before), [true, []]);
      const after = await peer.append("t", "6");
      assertEquals(after.offset, 6);
      assertNotEquals(after.epoch, before.epoch);
      assertEquals(await peer.read("t", before), [true, ["6"]]);
      assertEquals((await peer.read("t", { ...before, offset: 6 }))[0], false);
      // Twice is as good as once.
      await restart(bench, peer);
      assertEquals(await peer.read("t", { ...before, offset: 4 }), [true, ["5", "6"]]);
      assertEquals(await peer.read("t", after), [true, []]);
      assertNotEquals((await peer.history.read("t")).position.epoch, after.epoch);
    }));

  test("and loses the newest messages, positions are valid up to what is left", () =>
    withFolder(name, { dbfilename: "dump.rdb" }, async (bench) => {
      const peer = await bench.peer();
      await peer.broker.subscribe("t");
      await peer.appendAll("t", numbers(1, 8));
      await bench.admin.sendCommand(["SAVE"]);
      const before = await peer.appendAll("t", ["lost 9", "lost 10"]);
      assertEquals(before.offset, 10);
      await restart(bench, peer);
      assertEquals(await peer.read("t", before), [false, numbers(1, 8)]);
      const after = await peer.appendAll("t", ["9", "10", "11"]);
      assertEquals(after.offset, 11);
      const all = [...numbers(1, 11)];
      // Offsets 9 and 10 exist again, with other messages.
      assertEquals(await peer.read("t", before), [false, all]);
      assertEquals(await peer.read("t", { ...before, offset: 9 }), [false, all]);
      assertEquals(await peer.read("t", { ...before, offset: 8 }), [true, ["9", "10", "11"]]);
      assertEquals(await peer.read("t", { ...before, offset: 7 }), [true, numbers(8, 11)]);
    }));

  test("and loses everything, no position is valid", () =>
    withBench(name, async (bench) => {
      const peer = await bench.peer();
      const before = await peer.appendAll("t", ["a", "b"]);
      await restart(bench, peer);
      assertEquals(await peer.read("t", { ...before, offset: 0 }), [false, []]);
      const after = await peer.appendAll("t", ["c", "d", "e"]);
      assertEquals(await peer.read("t", before), [false, ["c", "d", "e"]]);
      assertEquals(await peer.read("t", { ...after, offset: 1 }), [true, ["d", "e"]]);
    }));
});

describe("when a process is killed", () => {
  test("every position that it was told is in the history", () =>
    withBench(name, async (bench) => {
      const peer = await bench.peer();
      await peer.broker.subscribe("t");
      const children = [1].map(() =>
        spawnScript("tests/brokers/appender.ts", [`${bench.server.port}`, name, "t"])
      );
      const told: [string, number][] = [];
      try {
        for (const child of children) {
          await child.waitFor(/ 51 at /);
          await child.stop("SIGKILL");
          for (const [, text = "", offset] of child.output.matchAll(/^(\d+ \d+) at (\d+)$/gm)) {
            told.push([text, Number(offset)]);
          }
        }
      } finally {
        for (const child of children) await child.stop("SIGKILL");
      }
      assert(told.length >= 10);
      await peer.append("t", "end");
      await until("the end", () => peer.arrived.at(-1)?.text === "end");
      assertContiguous(peer.arrived);
      for (const [text, offset] of told) assertEquals(peer.arrived[offset - 1]?.text, text);
      const [, kept] = await peer.read("t");
      assertEquals(kept, peer.arrived.map(({ text }) => text));
      assert(kept.length <= LIMITS.size);
    }));
});

describe("messages that wait when the connection is lost", () => {
  const brokers = {
    "npm:redis": (port: number, maxBufferedAmount: number) =>
      redisBroker(nodeRedisClient(port), { maxBufferedAmount }),
    "npm:ioredis": (port: number, maxBufferedAmount: number) =>
      redisBroker(ioRedisClient(port), { maxBufferedAmount }),
  };
  for (const [name, make] of Object.entries(brokers)) {
    test(`no longer count as waiting, by ${name}`, async () => {
      const server = await BrokerServer.redis();
      const broker = await make(server.port, 20_000);
      try {
        const statuses: string[] = [];
        const app = new Application([], {
          broker,
          onBrokerStatus: (status) => statuses.push(status),
        });
        for (let round = 0; round < 3; round++) {
          server.freeze();
          for (let count = 0; count < 4; count++) app.publish("news", "x");
          await server.kill();
          await until("the end", () => statuses.length === round * 2 + 1);
          await server.start();
          await until("the start", () => statuses.length === round * 2 + 2);
        }
        app.publish("news", "x");
        assertEquals(statuses, ["down", "up", "down", "up", "down", "up"]);
        assertEquals(app.stats().broker?.sent, 13);
      } finally {
        await broker.close();
        await server.stop();
      }
    });
  }
});
