import { assert, assertEquals } from "@std/assert";
import { describe, test } from "node:test";
import { BrokerServer, until } from "../brokers/servers.ts";
import type { Runtime } from "../support/runtime.ts";
import { sized } from "../support/sizes.ts";
import { Service } from "./service.ts";

const CLIENTS = sized({ test: 150, soak: 3000 });
const TOPICS = sized({ test: 10, soak: 30 });
/** How many messages each process publishes on each topic in each part of the test. */
const ROUNDS = 10;

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 5));
}

async function publishAll(service: Service, meanwhile?: () => Promise<void>): Promise<void> {
  for (let round = 0; round < ROUNDS; round++) {
    service.publish();
    if (round === ROUNDS / 2) await meanwhile?.();
    await pause();
  }
  await service.delivered();
}

function assertNoProblems(service: Service): void {
  const problems = service.live.flatMap(({ problems }) => problems);
  assertEquals(problems.slice(0, 5), []);
}

/** Three processes, then two, then their broker is killed and started again. */
async function trial(
  broker: BrokerServer,
  brokers: Readonly<Record<Runtime, string>>,
): Promise<void> {
  const service = new Service(TOPICS);
  try {
    await service.start(brokers);
    await service.connect(CLIENTS);
    const servers = new Set(service.clients.map(({ server }) => server));
    assertEquals(servers.size, 3, "the kernel gives every process some clients");
    await publishAll(service);
    assertNoProblems(service);

    // One process crashes while the others publish.
    const [victim = 0] = service.processes.keys();
    const others = service.clients.filter(({ server }) => server !== victim);
    await publishAll(service, () => service.kill(victim));
    assertNoProblems(service);
    assert(others.every(({ socket }) => socket?.isGone === false));
    await until(
      "its clients' end",
      () => service.clients.every(({ server, socket }) => server !== victim || socket?.isGone),
    );

    // The broker crashes. Connections stay open, and topics work again when the broker is back.
    await broker.kill();
    for (const { child } of service.processes.values()) await child.waitFor(/^broker down$/m);
    await service.probeLocally();
    await broker.start();
    await service.probe();
    service.forget();
    await publishAll(service);
    assertNoProblems(service);
    assert(others.every(({ socket }) => socket?.isGone === false));
    for (const { child } of service.processes.values()) {
      assertEquals(child.output.match(/broker \w+/g), ["broker down", "broker up"]);
    }
  } finally {
    await service.end();
    await broker.stop();
  }
}

describe("a Deno, a Bun and a Node on one port serve clients of all versions", () => {
  test("joined by Redis", async () => {
    const redis = await BrokerServer.redis();
    const url = `redis://127.0.0.1:${redis.port}`;
    await trial(redis, { deno: url, bun: `ioredis:${redis.port}`, node: url });
  });

  test("joined by NATS", async () => {
    const nats = await BrokerServer.nats();
    const url = `nats://127.0.0.1:${nats.port}`;
    await trial(nats, { deno: url, bun: url, node: url });
  });
});
