import { assertEquals } from "@std/assert";
import { describe, test } from "node:test";
import { ClusterServers } from "../../src/pubsub/brokers/cluster_servers.ts";
import { slotOf } from "../../src/pubsub/brokers/cluster_slots.ts";
import type { RedisLink } from "../../src/pubsub/brokers/redis_link.ts";
import { checkedOptions } from "../../src/pubsub/brokers/stored_redis_broker.ts";

/** The slots of three servers, as CLUSTER SLOTS replies. */
const SLOTS = [[0, 5460, ["a", 1]], [5461, 10922, ["b", 1]], [10923, 16383, ["c", 1]]];

/** A connection that a test opens and closes. */
class FakeLink implements RedisLink {
  isReady = true;
  changed: () => void = () => {};
  watch(changed: () => void): void {
    this.changed = changed;
  }
  connect(): void {
    queueMicrotask(() => this.changed());
  }
  command([name]: readonly (string | Uint8Array)[]): Promise<unknown> {
    return Promise.resolve(name === "CLUSTER" ? SLOTS : "OK");
  }
  publish(): Promise<void> {
    return Promise.resolve();
  }
  subscribe(): Promise<void> {
    return Promise.resolve();
  }
  unsubscribe(): Promise<void> {
    return Promise.resolve();
  }
  subscribeShard(): Promise<void> {
    return Promise.resolve();
  }
  unsubscribeShard(): Promise<void> {
    return Promise.resolve();
  }
  watchMoves(): void {}
  close(): void {}
}

/** Lets everything happen that waits for promises only. */
const settled = () => new Promise<void>((resolve) => setTimeout(resolve, 0));

/** Three servers, and what a broker would learn of them. */
async function scene() {
  const links = new Map<string, FakeLink>();
  const servers = new ClusterServers({
    server: { host: "a", port: 1 },
    links({ host }) {
      const subscriber = new FakeLink();
      links.set(host, subscriber);
      return { address: `${host}:1`, publisher: new FakeLink(), subscriber };
    },
  }, checkedOptions({}));
  const missed: string[] = [];
  const failures: string[] = [];
  servers.events = {
    message() {},
    changed() {},
    missed: (topic) => missed.push(topic),
    failed: ({ message }) => failures.push(message),
  };
  await servers.connect();
  return {
    servers,
    missed,
    failures,
    async set(host: string, isReady: boolean): Promise<void> {
      const link = links.get(host)!;
      link.isReady = isReady;
      link.changed();
      await settled();
    },
  };
}

/** Keeps timers of a second until the test calls them. */
async function withTimers(body: (timers: (() => void)[]) => Promise<void>): Promise<void> {
  const { setTimeout } = globalThis;
  const timers: (() => void)[] = [];
  globalThis.setTimeout = ((...args: Parameters<typeof setTimeout>) => {
    if (args[1] !== 1000) return setTimeout(...args);
    timers.push(args[0] as () => void);
    return setTimeout(() => {}, 0);
  }) as typeof setTimeout;
  try {
    await body(timers);
  } finally {
    globalThis.setTimeout = setTimeout;
  }
}

/** A topic of the server "c". */
const TOPIC = Array.from({ length: 100 }, (_, index) => `${index}`)
  .find((topic) => slotOf(topic) > 10_922)!;

describe("the servers of a cluster that were all away", () => {
  test("are up when the last one is back", () =>
    withTimers(async () => {
      const { servers, missed, failures, set } = await scene();
      await servers.subscribe(TOPIC);
      const statuses = [servers.status];
      for (const host of ["a", "b", "c"]) await set(host, false);
      statuses.push(servers.status);
      for (const host of ["b", "a", "c"]) {
        await set(host, true);
        statuses.push(servers.status);
      }
      assertEquals(statuses, ["up", "down", "down", "down", "up"]);
      assertEquals([missed, failures], [[], []]);
      servers.close();
    }));

  test("are up a second after the first one, whose topics are missed later", () =>
    withTimers(async (timers) => {
      const { servers, missed, failures, set } = await scene();
      await servers.subscribe(TOPIC);
      for (const host of ["a", "b", "c"]) await set(host, false);
      for (const host of ["b", "a"]) await set(host, true);
      assertEquals(servers.status, "down");
      for (const timer of timers) timer();
      assertEquals([servers.status, missed], ["up", []]);
      await set("c", true);
      assertEquals([servers.status, missed, failures], ["up", [TOPIC], []]);
      servers.close();
    }));

  test("stay down if the first one is lost again", () =>
    withTimers(async (timers) => {
      const { servers, set } = await scene();
      for (const host of ["a", "b", "c"]) await set(host, false);
      await set("b", true);
      await set("b", false);
      for (const timer of timers) timer();
      assertEquals(servers.status, "down");
      servers.close();
    }));
});
