import { assertEquals } from "@std/assert";
import { describe, test } from "node:test";
import { Application } from "../../src/server/application.ts";
import { WebSocketHandler } from "../../src/server/handler.ts";
import type { WebSocketVersion } from "../../src/handshake/versions.ts";
import { Member } from "../pubsub/member.ts";
import { type Bench, kinds } from "./kinds.ts";
import { until } from "./servers.ts";

/** Subscribes to a topic. */
class Subscriber extends WebSocketHandler {
  override async open(): Promise<void> {
    await this.subscribe("news");
    this.writeMessage("joined");
  }
  onMessage(): void {}
}

/** The application of one process. */
interface Process {
  readonly app: Application;
  join(version?: WebSocketVersion): Promise<Member>;
}

async function startProcess(bench: Bench): Promise<Process> {
  const broker = await bench.join();
  const app = new Application([["/", Subscriber]], {
    pingInterval: 0,
    broker,
    // NATS can only be asked with a message.
    log: () => {},
  });
  return {
    app,
    async join(version = "rfc6455") {
      const member = await Member.join(app, "/", version);
      await until("the subscription", () => member.messages.length > 0);
      assertEquals(member.take(), ["joined"]);
      return member;
    },
  };
}

/** Waits for a number of messages, and returns them. */
async function received(member: Member, count: number): Promise<(string | Uint8Array)[]> {
  await until(`${count} messages`, () => member.messages.length >= count);
  return member.take();
}

// The conformance kit tests all else. It cannot ask the server who has subscribed.
describe("the server sends a process only topics with subscribers, with", () => {
  for (const [name, kind] of Object.entries(kinds)) {
    test(name, async () => {
      const bench = await kind();
      try {
        const [first, second] = [await startProcess(bench), await startProcess(bench)];
        const countIs = (count: number) => async () => await bench.subscribers("news") === count;
        await until("nobody", countIs(0));
        const [one, two] = [await second.join(), await second.join("draft76")];
        await until("one process", countIs(1));
        one.transport.end();
        await until("one left", () => second.app.subscriberCount("news") === 1);
        first.app.publish("news", "still");
        assertEquals(await received(two, 1), ["still"]);
        two.transport.end();
        await until("nobody again", countIs(0));
        const again = await second.join();
        first.app.publish("news", "to the new one");
        assertEquals(await received(again, 1), ["to the new one"]);
      } finally {
        await bench.end();
      }
    });
  }
});
