import { assertEquals, assertMatch } from "@std/assert";
import { describe, test } from "node:test";
import { Application } from "../../src/server/application.ts";
import type { BrokerStatus } from "../../src/pubsub/brokers/broker.ts";
import { WebSocketHandler } from "../../src/server/handler.ts";
import type { WebSocketVersion } from "../../src/handshake/versions.ts";
import { Member } from "../pubsub/member.ts";
import { type Bench, kinds } from "./kinds.ts";
import { until } from "./servers.ts";

/** Subscribes to the topic of its path. */
class Subscriber extends WebSocketHandler {
  override async open(topic: string): Promise<void> {
    await this.subscribe(topic);
    this.writeMessage("joined");
  }
  onMessage(message: string | Uint8Array): void {
    this.publish(this.params["topic"] ?? "", message);
  }
}

/** The application of one process. */
interface Process {
  readonly app: Application;
  readonly statuses: BrokerStatus[];
  readonly logged: string[];
  join(topic: string, version?: WebSocketVersion): Promise<Member>;
}

async function startProcess(bench: Bench): Promise<Process> {
  const statuses: BrokerStatus[] = [];
  const logged: string[] = [];
  const app = new Application([["/:topic", Subscriber]], {
    pingInterval: 0,
    broker: await bench.join(),
    onBrokerStatus: (status) => statuses.push(status),
    log: (message, error) => logged.push(error === undefined ? message : `${message} ${error}`),
  });
  return {
    app,
    statuses,
    logged,
    async join(topic, version = "rfc6455") {
      const member = await Member.join(app, `/${encodeURIComponent(topic)}`, version);
      await until("the subscription", () => member.messages.length > 0);
      assertEquals(member.take(), ["joined"]);
      return member;
    },
  };
}

/** Runs `body` with two processes that use a broker, and closes everything. */
async function withTwo(
  name: string,
  body: (first: Process, second: Process, bench: Bench) => Promise<void>,
): Promise<void> {
  const bench = await kinds[name]!();
  try {
    await body(await startProcess(bench), await startProcess(bench), bench);
  } finally {
    await bench.end();
  }
}

/** Waits for a number of messages, and returns them. */
async function received(member: Member, count: number): Promise<(string | Uint8Array)[]> {
  await until(`${count} messages`, () => member.messages.length >= count);
  return member.take();
}

for (const name of Object.keys(kinds)) {
  describe(`two processes with ${name}`, () => {
    test("exchange text and bytes once each and in order, whatever the version", () =>
      withTwo(name, async (first, second) => {
        const [here, there, old] = [
          await first.join("news"),
          await second.join("news"),
          await second.join("news", "draft76"),
        ];
        const bytes = Uint8Array.of(0, 1, 0xff);
        const texts = Array.from({ length: 500 }, (_, index) => `${index} žluťoučký 👋`);
        for (const text of texts) first.app.publish("news", text);
        first.app.publish("news", bytes);
        second.app.publish("news", "back");
        first.app.publish("news", "last");
        assertEquals((await received(old, 502)).filter((text) => text !== "back"), [
          ...texts,
          "last",
        ]);
        const others = (await received(there, 503)).filter((message) => message !== "back");
        assertEquals(others, [...texts, bytes, "last"]);
        assertEquals((await received(here, 503)).filter((message) => message !== "back"), [
          ...texts,
          bytes,
          "last",
        ]);
        // A second copy would have arrived by now.
        second.app.publish("news", "end");
        for (const member of [here, there, old]) assertEquals(await received(member, 1), ["end"]);
        assertEquals(first.app.stats().broker?.sent, 502);
        assertEquals(second.app.stats().broker?.received, 502);
      }));

    test("exchange what a handler publishes, and the handler does not get it back", () =>
      withTwo(name, async (first, second) => {
        const [speaker, neighbour] = [await first.join("news"), await first.join("news")];
        const other = await second.join("news");
        speaker.send("hello");
        assertEquals(await received(neighbour, 1), ["hello"]);
        assertEquals(await received(other, 1), ["hello"]);
        second.app.publish("news", "end");
        assertEquals(await received(speaker, 1), ["end"]);
      }));

    test("separate topics, whatever their characters", () =>
      withTwo(name, async (first, second) => {
        const topics = [
          "a b",
          "x*",
          ">",
          "a.b",
          ".",
          "..",
          "a..b.",
          "%2E",
          "日本",
          "\r\n",
          "a".repeat(256),
          "\uffff".repeat(256),
        ];
        const members: Member[] = [];
        for (const topic of topics) members.push(await second.join(topic));
        for (const topic of topics) first.app.publish(topic, `to ${topic}`);
        for (const [index, topic] of topics.entries()) {
          assertEquals(await received(members[index]!, 1), [`to ${topic}`]);
        }
      }));

    test("receive only topics with subscribers", () =>
      withTwo(name, async (first, second, bench) => {
        const countIs = (count: number) => async () =>
          [undefined, count].includes(await bench.subscribers("news"));
        await until("nobody", countIs(0));
        const one = await second.join("news");
        const two = await second.join("news", "draft76");
        await until("one process", countIs(1));
        one.transport.end();
        await until("one left", () => second.app.subscriberCount("news") === 1);
        first.app.publish("news", "still");
        assertEquals(await received(two, 1), ["still"]);
        two.transport.end();
        await until("nobody again", countIs(0));
        const again = await second.join("news");
        first.app.publish("news", "to the new one");
        assertEquals(await received(again, 1), ["to the new one"]);
      }));

    test("count invalid messages, log them once, and go on", () =>
      withTwo(name, async (first, second, bench) => {
        const member = await second.join("news");
        const foreign = [
          "",
          "hello",
          "WSP\u0001",
          // A message that is too short, one that is too long, one of another version, and text that is not UTF-8.
          "WSP\u0001SENDER..\u0000\u0000\u0004\u0000\u0000\u0000\u0003newshi",
          "WSP\u0001SENDER..\u0000\u0000\u0004\u0000\u0000\u0000\u0001newshi",
          "WSP\u0002SENDER..\u0000\u0000\u0004\u0000\u0000\u0000\u0002newshi",
          "WSP\u0001SENDER..\u0000\u0000\u0004\u0000\u0000\u0000\u0002newsh\u00ff",
        ].map((text) => Uint8Array.from(text, (character) => character.charCodeAt(0)));
        for (const bytes of foreign) await bench.sendForeign("news", bytes);
        await until("the count", () => second.app.stats().broker?.invalid === foreign.length);
        assertEquals(second.logged.length, 1);
        assertMatch(second.logged[0] ?? "", /^Ignored a message from .*: unknown format/);
        first.app.publish("news", "end");
        assertEquals(await received(member, 1), ["end"]);
      }));
  });
}

for (const name of Object.keys(kinds).filter((kind) => kind !== "BroadcastChannel")) {
  describe(`when ${name} stops and starts again`, () => {
    test("each process serves its own subscribers and logs it once, and then they are connected again", () =>
      withTwo(name, async (first, second, { server }) => {
        const [here, there] = [await first.join("news"), await second.join("news")];
        const leaver = await second.join("old");
        await server?.kill();
        for (const { statuses } of [first, second]) {
          await until("the news of it", () => statuses.length > 0);
          assertEquals(statuses, ["down"]);
        }
        assertEquals(first.app.stats().broker?.status, "down");
        // Messages reach local subscribers, and those for other processes are dropped.
        for (let i = 0; i < 3; i++) first.app.publish("news", `alone ${i}`);
        assertEquals(await received(here, 3), ["alone 0", "alone 1", "alone 2"]);
        assertEquals(first.app.stats().broker?.dropped, 3);
        // Subscriptions change in the meantime.
        const late = await second.join("late");
        leaver.transport.end();
        await until("one left", () => second.app.subscriberCount("old") === 0);
        await server?.start();
        for (const { statuses } of [first, second]) {
          await until("the news of it", () => statuses.length > 1);
          assertEquals(statuses, ["down", "up"]);
        }
        await until("the new subscription", async () => {
          first.app.publish("late", "x");
          await new Promise((resolve) => setTimeout(resolve, 10));
          return late.messages.length > 0;
        });
        first.app.publish("news", "together");
        assertEquals(await received(there, 1), ["together"]);
        assertEquals(await received(here, 1), ["together"]);
        assertEquals([...first.logged, ...second.logged], []);
      }));
  });
}
