import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import { describe, test } from "node:test";
import { Application } from "../../src/server/application.ts";
import { WebSocketHandler } from "../../src/server/handler.ts";
import type { BrokerStatus } from "../../src/pubsub/brokers/broker.ts";
import { Member } from "../pubsub/member.ts";
import { kinds } from "./kinds.ts";
import { until } from "./servers.ts";

/** Joins the topic. */
class Subscriber extends WebSocketHandler {
  override async open(): Promise<void> {
    await this.subscribe("news");
    this.writeMessage("joined");
  }
  onMessage(): void {}
}

const MESSAGE = "x".repeat(10_000);
const LIMIT = 1024 * 1024;

for (const name of Object.keys(kinds).filter((kind) => kind !== "BroadcastChannel")) {
  describe(`when the server of ${name} hangs`, () => {
    test("waiting messages are limited, others are dropped and counted, and then it goes on", async () => {
      const bench = await kinds[name]!();
      try {
        const statuses: BrokerStatus[] = [];
        const publisher = new Application([], {
          broker: await bench.join({ maxBufferedAmount: LIMIT }),
          onBrokerStatus: (status) => statuses.push(status),
        });
        const receiver = new Application([["/", Subscriber]], {
          pingInterval: 0,
          broker: await bench.join(),
        });
        const member = await Member.join(receiver, "/", "rfc6455");
        await until("the subscription", () => member.take()[0] === "joined");

        bench.server?.freeze();
        let published = 0;
        const publish = () => publisher.publish("news", `${published++} ${MESSAGE}`);
        while (publisher.stats().broker?.status === "up") {
          publish();
          // Without a limit, this fails.
          assertLessOrEqual(published * MESSAGE.length, 100 * LIMIT);
          // Acknowledgements that were sent before the freeze still arrive.
          await new Promise((resolve) => setTimeout(resolve, 0));
        }
        assertEquals(statuses, ["slow"]);
        const atFirst = publisher.stats().broker;
        assertEquals(atFirst?.dropped, 1);
        for (let more = 0; more < 100; more++) publish();
        const { sent = 0, dropped } = publisher.stats().broker ?? {};
        assertEquals([sent, dropped], [atFirst?.sent, 101]);

        bench.server?.thaw();
        await until("the news that it goes on", () => statuses.length === 2);
        assertEquals(statuses, ["slow", "up"]);
        publisher.publish("news", "again");
        await until("all of it", () => member.messages.at(-1) === "again");
        const numbers = member.take().map((text) => String(text).split(" ")[0]);
        const expected = Array.from({ length: sent }, (_, index) => `${index}`);
        assertEquals(numbers, [...expected, "again"]);
        assert(publisher.stats().broker?.dropped === 101);
        member.transport.destroy();
      } finally {
        bench.server?.thaw();
        await bench.end();
      }
    });
  });
}
