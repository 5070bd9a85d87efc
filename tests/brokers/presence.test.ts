import { assertEquals } from "@std/assert";
import { describe, test } from "node:test";
import type { Broker } from "../../src/pubsub/brokers/broker.ts";
import { redisStreamsBroker } from "../../src/pubsub/brokers/redis_streams.ts";
import { Application } from "../../src/server/application.ts";
import { WebSocketHandler } from "../../src/server/handler.ts";
import { FakeClock } from "../../src/testing/fake_clock.ts";
import { type Clock, systemClock } from "../../src/timing/clock.ts";
import { Member } from "../pubsub/member.ts";
import { ioRedisClient, nodeRedisClient } from "./kinds.ts";
import { BrokerServer, until } from "./servers.ts";

/** `/NAME` is in the room as NAME, and reports events once it has subscribed. */
class Guest extends WebSocketHandler {
  override async open(id: string): Promise<void> {
    let isIn = false;
    await this.subscribe("room", {
      presence: { id },
      onPresence: ({ type, id }) => isIn && this.writeMessage(`${type} ${id}`),
    });
    isIn = true;
    this.writeMessage("in");
  }
  onMessage(): void {}
}

/** Longer than a busy machine may stop this process, in milliseconds. */
const presenceTtl = 30_000;

/** When entries are renewed, in milliseconds: a third of `presenceTtl` and a tick of the timers. */
const RENEWAL = presenceTtl / 3 + 25;

/** Two processes, one with each client. */
async function withProcesses(
  clock: Clock,
  body: (processes: readonly [Application, Application], server: BrokerServer) => Promise<void>,
): Promise<void> {
  const server = await BrokerServer.redis();
  const brokers: Broker[] = [];
  const start = async (client: Parameters<typeof redisStreamsBroker>[0]): Promise<Application> => {
    const broker = await redisStreamsBroker(client);
    brokers.push(broker);
    const settings = { broker, presenceTtl, clock, pingInterval: 0, log() {} };
    return new Application([["/:name", Guest]], settings);
  };
  try {
    const processes = [
      await start(nodeRedisClient(server.port)),
      await start(ioRedisClient(server.port)),
    ] as const;
    await body(processes, server);
    let isOver = false;
    const ended = Promise.all(processes.map((app) => app.shutdown({ timeout: 1 })));
    void ended.then(() => isOver = true);
    while (!isOver && clock instanceof FakeClock) await clock.advance(1000);
    await ended;
  } finally {
    for (const broker of brokers) await broker.close();
    await server.stop();
  }
}

async function ids(app: Application): Promise<string> {
  return (await app.presence("room")).map(({ id }) => id).join();
}

/** Lets the entry of an id expire in Redis, as if its time was over. */
async function expire(server: BrokerServer, id: string): Promise<void> {
  const admin = nodeRedisClient(server.port);
  await admin.connect();
  const key = "waterspout:{room}:present";
  const [member = ""] = (await admin.zRange(key, 0, -1)).filter((member) => member.endsWith(id));
  assertEquals(await admin.zAdd(key, { score: 1, value: member }, { CH: true }), 1);
  admin.destroy();
}

describe("presence over Redis", () => {
  test("tells joins and leaves, and one leave of those whose process has died", () => {
    const clock = new FakeClock();
    return withProcesses(clock, async ([one, two], server) => {
      const ada = await Member.join(one, "/ada", "draft76");
      await until("ada", () => ada.messages.length === 1);
      const grace = await Member.join(two, "/grace", "rfc6455");
      await until("grace", () => ada.messages.length === 2);
      assertEquals(ada.messages, ["in", "join grace"]);
      // Ada's join may have been on its way to this process when grace came.
      const heard = () => grace.messages.filter((message) => message !== "join ada");
      const eve = await Member.join(one, "/eve", "rfc6455");
      await until("eve", () => heard().length === 2);
      eve.transport.destroy();
      await until("her leave", () => heard().length === 3);
      // Nothing of this process reaches Redis any more.
      await one.settings.broker?.close();
      await expire(server, "ada");
      // The next renewal of the other process finds it.
      await clock.advance(RENEWAL);
      await until("ada's leave", () => heard().length === 4);
      await clock.advance(RENEWAL);
      assertEquals(await ids(two), "grace");
      assertEquals(heard(), ["in", "join eve", "leave eve", "leave ada"]);
    });
  });

  test("is complete again after Redis has lost everything", () =>
    withProcesses(systemClock, async ([one, two], server) => {
      const ada = await Member.join(one, "/ada", "rfc6455");
      await until("ada", () => ada.messages.length === 1);
      const grace = await Member.join(two, "/grace", "draft76");
      const all = (app: Application) => async () => await ids(app).catch(() => "") === "ada,grace";
      await until("both", all(one));
      await until("all events", () => ada.messages.length === 2 && grace.messages.length > 0);
      const before = [...ada.messages];
      await server.kill();
      await until("it is down", () => one.stats().broker?.status === "down");
      await server.start();
      await until("both again", all(one));
      await until("both again, there too", all(two));
      // Nobody has left.
      assertEquals(ada.messages, before);
    }));
});
