import { assert, assertEquals, assertGreater, assertLess, assertMatch } from "@std/assert";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { RedisStreamsBrokerOptions } from "../../src/pubsub/brokers/redis_streams.ts";
import { spawnScript } from "../support/spawn.ts";
import { SlowProxy } from "../support/slow_proxy.ts";
import { assertGotAll, type Follow, Process, Traffic } from "./faults.ts";
import { BrokerServer, until } from "./servers.ts";
import { bytesOf, LIMITS, Peer, STREAMS } from "./stored.ts";

/** A Redis server, and the processes that use it. */
interface World {
  readonly server: BrokerServer;
  process(options?: RedisStreamsBrokerOptions & { port?: number }): Promise<Process>;
}

async function withWorld(
  { name = "npm:redis", settings = {} }: {
    readonly name?: string;
    readonly settings?: Readonly<Record<string, string>>;
  },
  body: (world: World) => Promise<void>,
): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), "waterspout-redis-"));
  const server = await BrokerServer.redis({ settings: { dir, ...settings } });
  const processes: Process[] = [];
  try {
    await body({
      server,
      async process({ port = server.port, ...options } = {}) {
        // No reply takes so long, however busy the machine is.
        const broker = await STREAMS[name]!(port, { requestTimeout: 60_000, ...options });
        const process = new Process(broker);
        processes.push(process);
        return process;
      },
    });
  } finally {
    server.thaw();
    for (const { broker } of processes) await broker.close();
    await server.stop();
    rmSync(dir, { recursive: true });
  }
}

/** Kills the server, and starts it again when every process has noticed. */
async function restart(server: BrokerServer, processes: readonly Process[]): Promise<void> {
  await server.kill();
  for (const { broker } of processes) await until("the end", () => broker.status === "down");
  await server.start();
  for (const { broker } of processes) await until("the start", () => broker.status === "up");
}

/** Publishes a last message, which arrives after all others. */
async function finish(process: Process, follows: readonly Follow[]): Promise<void> {
  await process.app.publish("news", "end").position;
  for (const follow of follows) await follow.receive("end");
}

describe("a broker with history, for clients of two processes:", () => {
  test("killed and started again during traffic, with its data: everything arrives once", () =>
    withWorld(
      { name: "npm:ioredis", settings: { appendonly: "yes", appendfsync: "always" } },
      async ({ server, process }) => {
        const [first, second] = [await process(), await process()];
        const follows = [
          await first.follow("news"),
          await second.follow("news"),
          await second.follow("news", { version: "draft76" }),
        ];
        const traffics = [new Traffic(first, "news", "a"), new Traffic(second, "news", "b")];
        for (const traffic of traffics) await traffic.more(10);
        const early = follows[1]!.last!;
        await restart(server, [first, second]);
        for (const traffic of traffics) await traffic.more(10);
        for (const traffic of traffics) await traffic.stop();
        await finish(first, follows);
        assertGotAll(follows, traffics);
        assertEquals(follows.map(({ gaps }) => gaps), [0, 0, 0]);
        // A client that was away during the restart.
        const back = await second.follow("news", { since: early });
        assert(back.isRecovered);
        back.verify();
        for (const { app, statuses, logged } of [first, second]) {
          assertEquals(app.stats().broker?.gaps, 0);
          assertEquals(statuses, ["down", "up"]);
          assertEquals(logged, []);
        }
      },
    ));

  test("killed and started again without its data: the gap is reported once", () =>
    withWorld({}, async ({ server, process }) => {
      const [first, second] = [await process(), await process()];
      const follows = [await first.follow("news"), await second.follow("news")];
      const traffic = new Traffic(first, "news", "a");
      await traffic.more(10);
      const early = follows[1]!.last!;
      await restart(server, [first, second]);
      await traffic.more(10);
      await traffic.stop();
      await finish(first, follows);
      for (const follow of follows) {
        follow.verify();
        assertEquals(follow.gaps, 1);
      }
      const back = await second.follow("news", { since: early });
      assertEquals(back.isRecovered, false);
      for (const { app, statuses, logged } of [first, second]) {
        assertEquals(app.stats().broker?.gaps, 1);
        assertEquals(statuses, ["down", "up"]);
        assertEquals(logged.length, 1);
        assertMatch(logged[0] ?? "", /lost/);
      }
    }));

  test("that loses its data while it runs: the gap is reported once", () =>
    withWorld({ name: "npm:ioredis" }, async ({ server, process }) => {
      const [first, second] = [await process(), await process()];
      const follows = [await first.follow("news"), await second.follow("news")];
      const traffic = new Traffic(first, "news", "a");
      await traffic.more(10);
      await server.flush();
      await traffic.more(10);
      await traffic.stop();
      await finish(second, follows);
      for (const follow of follows) {
        follow.verify();
        assertEquals(follow.gaps, 1);
      }
      for (const { app, statuses, logged } of [first, second]) {
        assertEquals(app.stats().broker?.gaps, 1);
        assertEquals(statuses, []);
        assertEquals(logged.length, 1);
      }
    }));

  test("frozen during traffic: everything arrives once, late", () =>
    withWorld({}, async ({ server, process }) => {
      const options = { maxBufferedAmount: 100_000 };
      const [first, second] = [await process(options), await process(options)];
      const follows = [await first.follow("news"), await second.follow("news")];
      const traffic = new Traffic(first, "news", "a");
      await traffic.more(10);
      server.freeze();
      // Messages fail, because too many wait for a reply.
      await until("slow", () => first.broker.status === "slow");
      await until("a refusal", () => traffic.refused > 0);
      server.thaw();
      await traffic.more(10);
      await traffic.stop();
      await finish(first, follows);
      assertGotAll(follows, [traffic]);
      assertEquals(follows.map(({ gaps }) => gaps), [0, 0]);
      assertEquals(first.statuses, ["slow", "up"]);
      assertEquals(second.statuses, []);
      assertEquals(second.logged, []);
      assertLess(first.logged.length, 2);
      assertEquals(first.app.stats().broker?.dropped, traffic.refused);
    }));

  test("slow: at most maxBufferedAmount waits, and what was stored arrives once", () =>
    withWorld({ name: "npm:ioredis" }, async ({ server, process }) => {
      const proxy = await SlowProxy.start(server.port);
      try {
        const options = { port: proxy.port, maxBufferedAmount: 200_000 };
        const [first, second] = [await process(options), await process()];
        const follows = [await first.follow("news"), await second.follow("news")];
        proxy.bytesPerSecond = 200_000;
        const padding = "x".repeat(10_000);
        const outcomes: Promise<unknown>[] = [];
        const stored: string[] = [];
        let refused = 0;
        for (let number = 0; number < 60; number++) {
          const text = `${number} ${padding}`;
          const { position } = first.app.publish("news", text);
          outcomes.push(position.then(() => stored.push(text), () => refused++));
        }
        assertEquals(first.broker.status, "slow");
        await Promise.all(outcomes);
        assertGreater(refused, 30);
        assertGreater(stored.length, 5);
        proxy.bytesPerSecond = Infinity;
        await until("up", () => first.broker.status === "up");
        await finish(first, follows);
        for (const follow of follows) {
          follow.verify();
          assertEquals(follow.texts, [...stored, "end"]);
          assertEquals(follow.gaps, 0);
        }
        assertEquals(first.statuses, ["slow", "up"]);
        assertLess(first.logged.length, 2);
        assertEquals(second.logged, []);
      } finally {
        await proxy.stop();
      }
    }));

  test("whose connection is cut again and again: everything arrives once", () =>
    withWorld({}, async ({ server, process }) => {
      const proxy = await SlowProxy.start(server.port);
      try {
        const [first, second] = [await process({ port: proxy.port }), await process()];
        const follows = [await first.follow("news"), await second.follow("news")];
        const traffic = new Traffic(second, "news", "b");
        for (let round = 1; round <= 3; round++) {
          await traffic.more(5);
          proxy.cut();
          await until("up", () => first.statuses.length === round * 2);
        }
        await traffic.more(5);
        await traffic.stop();
        await finish(second, follows);
        assertGotAll(follows, [traffic]);
        assertEquals(follows.map(({ gaps }) => gaps), [0, 0]);
        assertEquals(traffic.refused, 0);
        assertEquals([...first.logged, ...second.logged], []);
      } finally {
        await proxy.stop();
      }
    }));

  test("beside a process that is killed while it publishes: what it was told is there", () =>
    withWorld({}, async ({ server, process }) => {
      const first = await process();
      const follow = await first.follow("news");
      const child = spawnScript("tests/brokers/appender.ts", [`${server.port}`, "app", "news"]);
      try {
        await child.waitFor(/ 51 at /);
      } finally {
        await child.stop("SIGKILL");
      }
      await finish(first, [follow]);
      follow.verify();
      const told = [...child.output.matchAll(/^(\d+ \d+) at (\d+)$/gm)];
      assertGreater(told.length, 4);
      const messages = follow.entries.flatMap((entry) => "text" in entry ? [entry] : []);
      for (const [, text, offset] of told) {
        assertEquals(messages[Number(offset) - 1]?.text, text);
      }
      assertEquals(follow.gaps, 0);
      assertEquals(first.logged, []);
    }));

  test("with messages in a format of the future: each is a reported gap, logged once", () =>
    withWorld({}, async ({ server, process }) => {
      const first = await process();
      const follow = await first.follow("news");
      const other = new Peer(await STREAMS["npm:ioredis"]!(server.port));
      try {
        await first.app.publish("news", "1").position;
        for (const text of ["WSP\u0009 something new", "", "WSP"]) {
          await other.history.append("news", bytesOf(text), LIMITS);
        }
        await finish(first, [follow]);
        follow.verify();
        assertEquals(follow.texts, ["1", "end"]);
        assertGreater(follow.gaps, 0);
        assertEquals(first.app.stats().broker?.invalid, 3);
        assertEquals(first.logged.length, 1);
        // A client that was away meets the same hole.
        const since = { ...follow.last!, offset: 1 };
        const back = await first.follow("news", { since });
        assert(!back.isRecovered || back.gaps > 0);
        back.verify();
      } finally {
        await other.broker.close();
      }
    }));
});
