import { assertEquals, assertRejects } from "@std/assert";
import { describe, test } from "node:test";
import { Backlog } from "../../src/pubsub/brokers/backlog.ts";
import { RedisRequests, type RequestServers } from "../../src/pubsub/brokers/redis_requests.ts";

/** A server whose client refuses commands before it notices that its connection is lost. */
function losing(): { servers: RequestServers; shard: { isReady: boolean } } {
  const shard = { isReady: true, backlog: new Backlog(1000, () => {}) };
  const publisher = { command: () => Promise.reject(new Error("the connection is closed")) };
  const servers = {
    shardOf: () => shard,
    targetOf: () => ({ publisher }),
    targetAt: () => ({ publisher }),
    recover: () => Promise.resolve(),
  };
  return { servers: servers as unknown as RequestServers, shard };
}

const script = { source: "", digest: "" };

/** Does nothing else for a time, in milliseconds. */
function block(time: number): void {
  const end = Date.now() + time;
  while (Date.now() < end);
}

describe("a request to Redis that fails with its connection", () => {
  test("fails after the client has noticed it, in a process that was busy meanwhile", async () => {
    const { servers, shard } = losing();
    const requests = new RedisRequests(servers, 0);
    const failing = assertRejects(
      () => requests.run("t", { script, action: "read", keys: [], args: [] }),
      Error,
      "Cannot read topic",
    );
    // The command is refused in some microtasks.
    for (let i = 0; i < 50; i++) await Promise.resolve();
    block(120);
    setTimeout(() => shard.isReady = false, 5);
    await failing;
    assertEquals(shard.isReady, false);
  });

  test("fails although the client never notices it", async () => {
    const { servers, shard } = losing();
    const requests = new RedisRequests(servers, 0);
    await assertRejects(() => requests.run("t", { script, action: "read", keys: [], args: [] }));
    assertEquals(shard.isReady, true);
  });
});
