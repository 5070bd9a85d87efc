import { assert, assertEquals, assertGreater, assertRejects, assertThrows } from "@std/assert";
import { describe, test } from "node:test";
import { slotOf } from "../../src/pubsub/brokers/cluster_slots.ts";
import type { RedisStreamsBrokerOptions } from "../../src/pubsub/brokers/redis_streams.ts";
import { nodeRedisClient } from "./kinds.ts";
import { libraryOf } from "./libraries.ts";
import { BrokerCluster, until } from "./servers.ts";
import { bytesOf, CLUSTERS, numbers, Peer } from "./stored.ts";

/** A cluster with a client of each server. */
interface ClusterBench {
  readonly cluster: BrokerCluster;
  readonly admins: readonly ReturnType<typeof nodeRedisClient>[];
  peer(options?: RedisStreamsBrokerOptions): Promise<Peer>;
  /** A topic of the server with this number. */
  topicOf(node: number): string;
}

async function withCluster(
  name: string,
  body: (bench: ClusterBench) => Promise<void>,
): Promise<void> {
  const cluster = await BrokerCluster.start();
  const peers: Peer[] = [];
  const admins = cluster.nodes.map(({ port }) => nodeRedisClient(port));
  const topics = numbers(1, 100);
  try {
    for (const admin of admins) await admin.connect();
    await body({
      cluster,
      admins,
      async peer(options) {
        const peer = new Peer(await CLUSTERS[name]!(cluster.nodes[0]?.port ?? 0, options));
        peers.push(peer);
        return peer;
      },
      topicOf: (node) => topics.find((topic) => nodeOf(topic) === node) ?? "",
    });
  } finally {
    for (const { broker } of peers) await broker.close();
    for (const admin of admins) admin.destroy();
    await cluster.stop();
  }
}

/** The number of the server that has a topic. */
function nodeOf(topic: string): number {
  return Math.min(Math.floor(slotOf(`{${topic}}`) / 5461), 2);
}

for (const name of [libraryOf("Cluster")]) {
  describe(`a Redis Cluster by ${name}`, () => {
    test("spreads topics over its servers: channels, histories and presence", () =>
      withCluster(name, async ({ admins, peer }) => {
        const [first, second] = [await peer(), await peer()];
        const topics = [...numbers(1, 28), "}", "a}b%{é 日本"];
        for (const topic of topics) {
          await second.broker.subscribe(topic);
          first.broker.publish(topic, bytesOf(`plain ${topic}`));
          assertEquals((await first.append(topic, topic)).offset, 1);
          const change = await first.presence.enter(topic, [{ id: topic, info: "1" }], 60_000);
          assertEquals(change.joined.length, 1);
          assertEquals(await second.presence.list(topic), [{ id: topic, info: "1" }]);
          assertEquals(await second.read(topic), [false, [topic]]);
        }
        const arrived = await second.received(60);
        for (const topic of topics) {
          assert(arrived.some(({ text }) => text === `plain ${topic}`));
          assert(arrived.some(({ text, stored }) => text === topic && stored?.topic === topic));
        }
        const keys = await Promise.all(admins.map((admin) => admin.keys("*")));
        const channels = await Promise.all(admins.map((admin) => admin.pubSubShardChannels()));
        for (const [node, own] of channels.entries()) {
          assertGreater(own.length, 0);
          assertEquals(own.filter((channel) => nodeOf(channel.slice(12, -1)) !== node), []);
          assertEquals(keys[node]?.length, own.length * 4);
        }
        assertEquals(channels.flat().length, topics.length);
        for (const text of [...topics, "{a}b", "a{}b", "a{b}{c}", "}{", "x".repeat(300)]) {
          assertEquals(slotOf(text), await admins[0]?.clusterKeySlot(text), text);
        }
        assertEquals([first.failures, second.failures], [[], []]);
      }));

    test("loses one server and gets it back, and only its topics notice", () =>
      withCluster(name, async ({ cluster, peer, topicOf }) => {
        const [first, second] = [await peer(), await peer()];
        const [lost, fine] = [topicOf(1), topicOf(2)];
        for (const topic of [lost, fine]) {
          await second.broker.subscribe(topic);
          await first.append(topic, "before");
        }
        await second.received(2);
        const node = cluster.nodes[1]!;
        await node.kill();
        const reason = `no connection to 127.0.0.1:${node.port}`;
        await until(
          "the end",
          () =>
            first.append(lost, "x").then(() => false, (error) => error.message.includes(reason)),
        );
        assertThrows(() => first.broker.publish(lost, bytesOf("x")), Error, reason);
        await assertRejects(() => first.presence.list(lost), Error, reason);
        await until("the news", () => !isConnected(second, lost));
        await second.broker.subscribe("late");
        await first.append(fine, "meanwhile");
        first.broker.publish(fine, bytesOf("plain"));
        const others = await second.received(4);
        assertEquals(others.slice(2).map(({ text }) => text), ["meanwhile", "plain"]);
        assertEquals([first.broker.status, second.broker.status], ["up", "up"]);
        await node.start();
        await node.waitForCluster();
        await until("the start", () => second.missed.length > 0);
        assertEquals(second.missed.filter((topic) => topic !== "late"), [lost]);
        await until("the first", () => isConnected(first, lost));
        await first.append(lost, "after");
        await until("it", () => second.arrived.some(({ text }) => text === "after"));
        assertEquals([first.statuses, second.statuses], [[], []]);
        // Without any server, the status tells it.
        await cluster.kill();
        await until("the end of all", () => second.statuses.length > 0);
        await cluster.start();
        await until("the start of all", () => second.statuses.length > 1);
        assertEquals(second.statuses, ["down", "up"]);
      }));

    test("refuses messages for a server that hangs, and only those", () =>
      withCluster(name, async ({ cluster, peer, topicOf }) => {
        const [first, second] = [await peer({ maxBufferedAmount: 20_000 }), await peer()];
        for (const node of [1, 2]) await second.broker.subscribe(topicOf(node));
        cluster.nodes[1]!.freeze();
        const publish = () => first.broker.publish(topicOf(1), bytesOf("late"));
        for (let count = 0; count < 9; count++) publish();
        assertThrows(publish, Error, "too many messages wait for a reply");
        first.broker.publish(topicOf(2), bytesOf("at once"));
        assertEquals((await second.received(1)).map(({ text }) => text), ["at once"]);
        cluster.nodes[1]!.thaw();
        await second.received(10);
        publish();
        await second.received(11);
        assertEquals([first.statuses, second.statuses, first.failures], [[], [], []]);
      }));

    if (name === "npm:ioredis") return;
    test("moves a slot while messages are published, and none is lost or out of order", () =>
      withCluster(name, async ({ admins, peer, topicOf }) => {
        const [first, second] = [await peer(), await peer()];
        const topic = topicOf(0);
        const slot = `${slotOf(`{${topic}}`)}`;
        await second.broker.subscribe(topic);
        const ids = await Promise.all(admins.map((admin) => admin.clusterMyId()));
        const [from, to] = [admins[0]!, admins[1]!];
        const setSlot = (admin: typeof from, ...args: string[]) =>
          admin.sendCommand(["CLUSTER", "SETSLOT", slot, ...args]);
        const publish = (start: number, end: number) =>
          numbers(start, end).map((text) => first.append(topic, text));
        // While the slot moves, the old server says ASK, and the new one TRYAGAIN.
        await setSlot(to, "IMPORTING", ids[0]!);
        await setSlot(from, "MIGRATING", ids[1]!);
        const positions = publish(1, 30);
        await first.append(topicOf(2), "another");
        positions.push(...publish(31, 60));
        // From here, the old server says MOVED.
        for (const admin of [to, from, admins[2]!]) await setSlot(admin, "NODE", ids[1]!);
        positions.push(...publish(61, 90));
        const offsets = (await Promise.all(positions)).map(({ offset }) => offset);
        assertEquals(offsets, numbers(1, 90).map(Number));
        assertEquals((await first.read(topic))[1], numbers(1, 90));
        await until("the subscription", () => second.missed.includes(topic));
        await first.append(topic, "end");
        await until("the message", () => second.arrived.at(-1)?.text === "end");
        assertEquals(await from.pubSubShardChannels(), []);
        assertEquals([first.failures, second.failures], [[], []]);
      }));
  });
}

/** Whether the server of a topic can be reached. */
function isConnected({ broker }: Peer, topic: string): boolean {
  try {
    broker.publish(topic, new Uint8Array(0));
    return true;
  } catch {
    return false;
  }
}

describe("a Redis Cluster that cannot be reached or options that are wrong", () => {
  for (const [name, make] of Object.entries(CLUSTERS)) {
    test(`are errors, by ${name}`, async () => {
      const failing = () => make(1, { timeout: 300 });
      await assertRejects(failing, Error, "Cannot reach Redis Cluster: ");
      await assertRejects(() => make(1, { prefix: "a{b" }), TypeError, "it has a brace");
      await assertRejects(() => make(1, { requestTimeout: -1 }), RangeError, "requestTimeout");
    });
  }
});
