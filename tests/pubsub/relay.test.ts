import { assertEquals, assertMatch } from "@std/assert";
import { describe, test } from "node:test";
import { Application } from "../../src/server/application.ts";
import type { Broker, BrokerEvents, BrokerStatus } from "../../src/pubsub/brokers/broker.ts";
import { seal } from "../../src/pubsub/brokers/envelope.ts";
import { WebSocketHandler } from "../../src/server/handler.ts";
import { FakeClock } from "../../src/testing/fake_clock.ts";
import type { Settings } from "../../src/server/settings.ts";
import { Member, settled } from "./member.ts";

const OTHER = new Uint8Array(8);

/** After this many milliseconds, a failure is logged unless the connection is lost. */
const NOTICED = 125;

/** A broker that a test controls. It records its calls. */
class FakeBroker implements Broker {
  readonly name = "Fake";
  status: BrokerStatus = "up";
  events: BrokerEvents | undefined = undefined;
  readonly calls: string[] = [];
  /** Settles the pending calls. */
  settle: ((error?: Error) => void)[] = [];
  /** Whether calls wait for {@linkcode settle}. */
  slow = false;

  publish(topic: string): void {
    this.calls.push(`publish ${topic}`);
  }
  subscribe(topic: string): Promise<void> {
    return this.#call(`subscribe ${topic}`);
  }
  unsubscribe(topic: string): Promise<void> {
    return this.#call(`unsubscribe ${topic}`);
  }
  close(): Promise<void> {
    return Promise.resolve();
  }
  change(status: BrokerStatus, error?: Error): void {
    this.status = status;
    this.events?.status(status, error);
  }
  #call(call: string): Promise<void> {
    this.calls.push(call);
    if (!this.slow) return Promise.resolve();
    return new Promise((resolve, reject) =>
      this.settle.push((error) => error === undefined ? resolve() : reject(error))
    );
  }
}

/** `join TOPIC` and `leave TOPIC`. */
class Obedient extends WebSocketHandler {
  onMessage(message: string | Uint8Array): void | Promise<void> {
    const [verb, topic = ""] = String(message).split(" ");
    if (verb === "leave") return this.unsubscribe(topic);
    return this.subscribe(topic).then(() => this.writeMessage(`joined ${topic}`));
  }
}

interface Scene {
  readonly app: Application;
  readonly broker: FakeBroker;
  readonly logged: string[];
  /** Removes and returns the calls so far. */
  calls(): string[];
  join(): Promise<Member>;
}

function scene(settings: Partial<Settings> = {}): Scene {
  const broker = new FakeBroker();
  const logged: string[] = [];
  const app = new Application([["/", Obedient]], {
    pingInterval: 0,
    broker,
    log: (message, error) => logged.push(error === undefined ? message : `${message} ${error}`),
    ...settings,
  });
  return {
    app,
    broker,
    logged,
    calls: () => broker.calls.splice(0),
    join: () => Member.join(app, "/", "rfc6455"),
  };
}

async function say(member: Member, ...messages: string[]): Promise<void> {
  member.send(...messages);
  await settled();
}

describe("a topic is subscribed to at the broker", () => {
  test("from its first subscriber to its last", async () => {
    const { calls, join } = scene();
    const [one, two] = [await join(), await join()];
    await say(one, "join a");
    await say(two, "join a", "join b");
    assertEquals(calls(), ["subscribe a", "subscribe b"]);
    await say(one, "leave a");
    assertEquals(calls(), []);
    two.transport.destroy();
    await settled();
    assertEquals(calls(), ["unsubscribe a", "unsubscribe b"]);
    one.transport.destroy();
  });

  test("one step at a time, and not if changes cancel each other", async () => {
    const { broker, calls, join } = scene();
    const [one, two] = [await join(), await join()];
    broker.slow = true;
    one.send("join a");
    await settled();
    await say(two, "join a");
    // Both wait for the same call.
    assertEquals([one.take(), two.take()], [[], []]);
    broker.settle.shift()?.();
    await settled();
    assertEquals([one.take(), two.take()], [["joined a"], ["joined a"]]);
    one.transport.destroy();
    await say(two, "leave a", "join a", "leave a", "join a");
    assertEquals(calls(), ["subscribe a"]);
    await say(two, "leave a");
    await say(two, "join a");
    assertEquals(calls(), ["unsubscribe a"]);
    broker.settle.shift()?.();
    await settled();
    assertEquals(calls(), ["subscribe a"]);
    broker.settle.shift()?.();
    await settled();
    assertEquals(two.take().at(-1), "joined a");
    two.transport.destroy();
  });

  test("again at the next change, if that failed", async () => {
    const clock = new FakeClock();
    const { broker, calls, logged, join } = scene({ clock });
    const one = await join();
    broker.slow = true;
    await say(one, "join a");
    broker.settle.shift()?.(new Error("no permission"));
    await settled();
    // The handler goes on: the topic works in this process.
    assertEquals(one.take(), ["joined a"]);
    await clock.advance(NOTICED);
    assertEquals(logged, [
      "Fake failed (further failures of this kind are only counted): Error: no permission",
    ]);
    broker.slow = false;
    await say(await join(), "join a");
    assertEquals(calls(), ["subscribe a", "subscribe a"]);
    one.transport.destroy();
  });

  test("again at once, if that failed because the connection was lost, and is back", async () => {
    const clock = new FakeClock();
    const { broker, calls, logged, join } = scene({ clock, onBrokerStatus: () => {} });
    const one = await join();
    broker.slow = true;
    await say(one, "join a");
    broker.change("down");
    broker.change("up");
    broker.slow = false;
    broker.settle.shift()?.(new Error("connection lost"));
    await settled();
    assertEquals([one.take(), calls()], [["joined a"], ["subscribe a", "subscribe a"]]);
    await clock.advance(NOTICED);
    assertEquals(logged, []);
    one.transport.destroy();
  });

  test("without waiting longer than 5 s for the broker, which may do it later", async () => {
    const clock = new FakeClock();
    const { app, broker, calls, logged, join } = scene({ clock });
    const one = await join();
    broker.slow = true;
    await say(one, "join a");
    await clock.advance(4900);
    assertEquals(one.take(), []);
    await clock.advance(200);
    await settled();
    assertEquals(one.take(), ["joined a"]);
    await clock.advance(NOTICED);
    assertEquals(logged, [
      "Fake failed (further failures of this kind are only counted): " +
      'Error: Cannot subscribe to "a" at Fake: no answer within 5000 ms',
    ]);
    // Nobody waits again for the same call.
    await say(one, "leave a", "join a");
    assertEquals([one.take(), calls()], [["joined a"], ["subscribe a"]]);
    broker.settle.shift()?.();
    await settled();
    broker.events?.message(seal(OTHER, "a", "late"));
    await settled();
    assertEquals([one.take(), app.subscriberCount("a")], [["late"], 1]);
    one.transport.destroy();
  });
});

describe("while the broker is down", () => {
  test("nothing is requested, and only changes are when it is up again", async () => {
    const { app, broker, calls, join } = scene();
    const one = await join();
    await say(one, "join kept", "join left");
    calls();
    broker.change("down", new Error("gone"));
    await say(one, "join new", "leave left", "join brief", "leave brief");
    assertEquals(one.take(), ["joined kept", "joined left", "joined new", "joined brief"]);
    assertEquals(app.publish("new", "here").sent, 1);
    app.publish("kept", "here too");
    assertEquals(calls(), []);
    const { sent, dropped, status } = app.stats().broker ?? {};
    assertEquals({ sent, dropped, status }, { sent: 0, dropped: 2, status: "down" });
    broker.change("up");
    await settled();
    assertEquals(calls().sort(), ["subscribe new", "unsubscribe left"]);
    one.transport.destroy();
  });

  test("each change of its status is logged once", () => {
    const { broker, logged } = scene();
    for (let i = 0; i < 3; i++) broker.change("down", new Error("gone"));
    for (let i = 0; i < 3; i++) broker.change("up");
    assertEquals(logged, [
      "Fake is down: messages reach only this process until it is back Error: gone",
      "Fake is up: messages reach other processes again",
    ]);
  });

  test("messages are dropped if it is slow, and subscriptions go on", async () => {
    const { app, broker, calls, logged, join } = scene();
    const one = await join();
    broker.publish = (topic) => {
      broker.calls.push(`publish ${topic}`);
      // The message that exceeds the limit is dropped.
      if (topic === "much") broker.change("slow");
    };
    for (const topic of ["little", "much", "more"]) app.publish(topic, "message");
    await say(one, "join a");
    assertEquals(calls(), ["publish little", "publish much", "subscribe a"]);
    const { sent, dropped, status } = app.stats().broker ?? {};
    assertEquals({ sent, dropped, status }, { sent: 1, dropped: 2, status: "slow" });
    broker.change("up");
    app.publish("little", "message");
    await settled();
    assertEquals(calls(), ["publish little"]);
    assertEquals(logged, [
      "Fake is slow: messages to other processes are dropped until it has caught up",
      "Fake is up: messages reach other processes again",
    ]);
    one.transport.destroy();
  });

  test("it may be slow when it is up again", async () => {
    const { app, broker, calls, join } = scene();
    const one = await join();
    broker.change("down");
    await say(one, "join a");
    broker.change("slow");
    await settled();
    assertEquals(calls(), ["subscribe a"]);
    app.publish("a", "message");
    assertEquals(app.stats().broker?.dropped, 1);
    one.transport.destroy();
  });

  test("onBrokerStatus replaces the log, and its errors are logged", () => {
    const told: unknown[] = [];
    const { broker, logged } = scene({
      onBrokerStatus(status, error) {
        told.push(status, error?.message);
        throw new Error("mine");
      },
    });
    broker.change("down", new Error("gone"));
    broker.change("up");
    assertEquals(told, ["down", "gone", "up", undefined]);
    assertEquals(logged, Array(2).fill("Uncaught exception in onBrokerStatus: Error: mine"));
  });

  test("from the start, that is logged too", () => {
    const broker = new FakeBroker();
    broker.status = "down";
    const told: BrokerStatus[] = [];
    new Application([], { broker, onBrokerStatus: (status) => told.push(status) });
    broker.change("up");
    assertEquals(told, ["down", "up"]);
  });
});

describe("a message from the broker", () => {
  test("reaches the topic's subscribers, and nobody if there are none", async () => {
    const { app, broker, join } = scene();
    const one = await join();
    await say(one, "join a");
    one.take();
    broker.events?.message(seal(OTHER, "a", "hello"));
    broker.events?.message(seal(OTHER, "b", "nobody"));
    await settled();
    assertEquals(one.take(), ["hello"]);
    assertEquals(app.stats().broker?.received, 1);
    one.transport.destroy();
  });

  test("with an unknown format is counted and logged once", async () => {
    const { app, broker, logged, join } = scene();
    const one = await join();
    await say(one, "join a");
    const text = seal(OTHER, "a", "hello");
    text[text.length - 1] = 0xff;
    const topic = seal(OTHER, "a", "hello");
    topic[19] = 0xff;
    for (const data of [undefined, "text", {}, new Uint8Array(100), text, topic]) {
      broker.events?.message(data);
    }
    assertEquals(app.stats().broker?.invalid, 6);
    assertEquals(logged.length, 1);
    assertMatch(logged[0] ?? "", /^Ignored a message from Fake/);
    one.transport.destroy();
  });

  test("that fails is counted, and each reason logged once", async () => {
    const clock = new FakeClock();
    const { app, broker, logged } = scene({ clock });
    for (let i = 0; i < 300; i++) broker.events?.failed(new Error(`reason ${i % 150}`));
    assertEquals(app.stats().broker?.dropped, 300);
    // At most a hundred different ones are logged.
    await clock.advance(NOTICED);
    assertEquals(logged.length, 100);
  });

  test("that fails together with the connection is counted, and the status tells it", async () => {
    const clock = new FakeClock();
    const { app, broker, logged, calls, join } = scene({ clock });
    const one = await join();
    broker.slow = true;
    await say(one, "join a");
    const lost = new Error("connection lost");
    broker.events?.failed(lost);
    broker.settle.shift()?.(lost);
    await settled();
    // The broker notices it a little later.
    await clock.advance(50);
    broker.change("down");
    broker.events?.failed(lost);
    await clock.advance(NOTICED);
    const down = "Fake is down: messages reach only this process until it is back";
    assertEquals(logged, [down]);
    assertEquals(app.stats().broker?.dropped, 2);
    broker.slow = false;
    broker.change("up");
    await settled();
    assertEquals(calls(), ["subscribe a", "subscribe a"]);
    // The same failure while it is up.
    broker.events?.failed(lost);
    await clock.advance(NOTICED);
    assertEquals(logged.slice(2), [
      "Fake failed (further failures of this kind are only counted): Error: connection lost",
    ]);
    one.transport.destroy();
  });
});
