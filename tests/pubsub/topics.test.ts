import { assertEquals, assertThrows } from "@std/assert";
import { describe, test } from "node:test";
import { Application } from "../../src/server/application.ts";
import { WebSocketHandler } from "../../src/server/handler.ts";
import type { Published } from "../../src/pubsub/broadcast.ts";
import type { Settings } from "../../src/server/settings.ts";
import { Member, settled, VERSIONS } from "./member.ts";

/** Obeys its client: `join TOPIC`, `leave TOPIC`, `say TOPIC TEXT`, `bytes TOPIC`. */
class Obedient extends WebSocketHandler {
  static readonly results: unknown[] = [];

  override open(topic: string): void {
    if (topic !== "") this.subscribe(topic);
  }
  onMessage(message: string | Uint8Array): void {
    const [verb, topic = "", ...text] = String(message).split(" ");
    if (verb === "join") this.subscribe(topic);
    else if (verb === "leave") this.unsubscribe(topic);
    else if (verb === "say") Obedient.results.push(this.publish(topic, text.join(" ")));
    else if (verb === "close") this.close(3000, "asked");
    else if (verb === "abort") this.abort();
  }
  override onClose(): void {
    Obedient.results.push(this.publish("news", "one left"));
  }
}

function makeApp(settings: Partial<Settings> = {}): Application {
  return new Application([[/\/(.*)/, Obedient]], {
    versions: [...VERSIONS],
    pingInterval: 0,
    allowedOrigins: ["http://localhost"],
    ...settings,
  });
}

async function joinAll(app: Application, path: string): Promise<Member[]> {
  const members: Member[] = [];
  for (const version of VERSIONS) members.push(await Member.join(app, path, version));
  return members;
}

async function endAll(members: readonly Member[]): Promise<void> {
  for (const member of members) member.transport.destroy();
  await settled();
  Obedient.results.length = 0;
}

/** The expected counts of a publish: 0, except for the given ones. */
function published(counts: Partial<Published>): Omit<Published, "ready" | "position"> {
  return { sent: 0, skipped: 0, unsupported: 0, disconnected: 0, ...counts };
}

describe("a topic", () => {
  test("carries text to subscribers of every version, in order", async () => {
    const app = makeApp();
    const members = await joinAll(app, "/news");
    const texts = ["a", "", "žluťoučký 👋", "x".repeat(200), "y".repeat(70_000)];
    for (const text of texts) {
      assertEquals({ ...app.publish("news", text) }, published({ sent: 5 }));
    }
    await settled();
    for (const member of members) assertEquals(member.take(), texts, member.version);
    await endAll(members);
  });

  test("carries objects as JSON", async () => {
    const app = makeApp();
    const members = await joinAll(app, "/news");
    app.publish("news", { a: [1] });
    app.publish("news", ["b"]);
    await settled();
    for (const member of members) assertEquals(member.take(), ['{"a":[1]}', '["b"]']);
    await endAll(members);
  });

  test("carries binary messages to versions that have them, and counts the others", async () => {
    const app = makeApp();
    const members = await joinAll(app, "/news");
    const bytes = Uint8Array.of(0, 0xff, 1, 2);
    const result = app.publish("news", bytes);
    bytes.fill(9);
    assertEquals({ ...result }, published({ sent: 3, unsupported: 2 }));
    await settled();
    const received = members.map((member) => member.take());
    const whole = [Uint8Array.of(0, 0xff, 1, 2)];
    assertEquals(received, [[], [], whole, whole, whole]);
    await endAll(members);
  });

  test("carries large binary messages unchanged, even if the publisher changes them later", async () => {
    const app = makeApp();
    const whole = new Uint8Array(200_000).map((_, index) => index);
    for (let subscribers = 1; subscribers <= 2; subscribers++) {
      const members: Member[] = [];
      while (members.length < subscribers) {
        const member = await Member.join(app, "/news", "rfc6455", { capacity: 1000 });
        member.transport.pause();
        members.push(member);
      }
      const bytes = whole.slice();
      app.publish("news", bytes);
      bytes.fill(9);
      for (const { transport } of members) transport.resume();
      await settled();
      for (const member of members) assertEquals(member.take(), [whole]);
      await endAll(members);
    }
  });

  for (const contextTakeover of [false, true]) {
    test(`reaches subscribers that compress, contextTakeover: ${contextTakeover}`, async () => {
      // Too short to be compressed, so that a test can read it.
      const app = makeApp({ compression: { threshold: 1000, contextTakeover } });
      const fields = ["Sec-WebSocket-Extensions: permessage-deflate"];
      const members: Member[] = [];
      for (const options of [{ fields }, {}, { fields }]) {
        members.push(await Member.join(app, "/news", "rfc6455", options));
      }
      const bytes = Uint8Array.of(1, 2, 3);
      assertEquals({ ...app.publish("news", bytes) }, published({ sent: 3 }));
      bytes.fill(9);
      app.publish("news", "text");
      await settled();
      for (const member of members) assertEquals(member.take(), [Uint8Array.of(1, 2, 3), "text"]);
      await endAll(members);
    });
  }

  test("carries what a subscriber publishes to the others only", async () => {
    const app = makeApp();
    const members = await joinAll(app, "/news");
    members[1]?.send("say news hello");
    await settled();
    assertEquals(
      members.map((member) => member.take()),
      [["hello"], [], ["hello"], ["hello"], ["hello"]],
    );
    const outsider = await Member.join(app, "/", "rfc6455");
    outsider.send("say news hi");
    await settled();
    assertEquals(members.map((member) => member.take()), Array(5).fill(["hi"]));
    assertEquals(Obedient.results.map((result) => ({ ...result as object })), [
      published({ sent: 4 }),
      published({ sent: 5 }),
    ]);
    await endAll([...members, outsider]);
  });

  test("is one of many that a connection may join, join again, and leave", async () => {
    const app = makeApp();
    const member = await Member.join(app, "/a", "rfc6455");
    for (const message of ["join b", "join c", "join b", "leave a", "leave a", "leave z"]) {
      member.send(message);
    }
    await settled();
    assertEquals(["a", "b", "c", "z"].map((topic) => app.subscriberCount(topic)), [0, 1, 1, 0]);
    for (const topic of ["a", "b", "c"]) app.publish(topic, topic);
    await settled();
    assertEquals(member.take(), ["b", "c"]);
    member.send("leave b");
    member.send("leave c");
    member.send("join a");
    await settled();
    assertEquals(["a", "b", "c"].map((topic) => app.subscriberCount(topic)), [1, 0, 0]);
    await endAll([member]);
  });

  test("without subscribers drops messages", () => {
    assertEquals({ ...makeApp().publish("nobody", "x") }, published({ sent: 0 }));
  });
});

describe("a connection leaves all its topics", () => {
  const ends: Record<string, (member: Member) => void> = {
    "when it closes": (member) => member.send("close"),
    "when it aborts": (member) => member.send("abort"),
    "when its client ends": (member) => member.transport.end(),
    "when its client is gone": (member) => member.transport.destroy(),
    "when its client breaks the protocol": (member) =>
      member.transport.write(Uint8Array.of(0x83, 0x00), true),
  };
  for (const [name, end] of Object.entries(ends)) {
    test(name, async () => {
      const app = makeApp();
      const leaver = await Member.join(app, "/news", "rfc6455");
      const other = await Member.join(app, "/news", "draft76");
      leaver.send("join a");
      leaver.send("join b");
      await settled();
      end(leaver);
      await settled();
      assertEquals(["news", "a", "b"].map((topic) => app.subscriberCount(topic)), [1, 0, 0]);
      leaver.transport.end();
      await settled();
      // From `onClose`: to the others only.
      assertEquals(other.take(), ["one left"]);
      assertEquals({ ...Obedient.results[0] as Published }, published({ sent: 1 }));
      await endAll([other]);
    });
  }

  test("before its closing handshake is complete", async () => {
    const app = makeApp();
    const member = await Member.join(app, "/news", "rfc6455");
    member.send("close");
    await settled();
    assertEquals(member.closeCode, 3000);
    assertEquals(member.ended, false);
    assertEquals({ ...app.publish("news", "late") }, published({ sent: 0 }));
    await endAll([member]);
  });
});

describe("a slow subscriber", () => {
  test("does not slow down others, and is closed when too much output waits", async () => {
    const app = makeApp({ maxBufferedAmount: 50_000, highWaterMark: 1000 });
    const slow = await Member.join(app, "/flow", "rfc6455", { capacity: 1000 });
    const fast = await Member.join(app, "/flow", "draft76", { capacity: 1000 });
    slow.transport.pause();
    const texts = Array.from({ length: 30 }, (_, index) => `${index}`.padEnd(5000, "."));
    const sent: number[] = [];
    for (const text of texts) {
      sent.push(app.publish("flow", text).sent);
      await settled();
    }
    assertEquals(fast.take(), texts);
    // With the bytes that the connection accepts, 10 messages may wait. The 11th is too much.
    assertEquals(sent.slice(8, 12), [2, 2, 1, 1]);
    assertEquals(app.subscriberCount("flow"), 1);
    slow.transport.resume();
    await settled();
    assertEquals(slow.take().length, 10);
    assertEquals(slow.closeCode, 1013);
    await endAll([fast]);
  });

  test("may close others in its onClose", async () => {
    class Domino extends WebSocketHandler {
      static readonly all: Domino[] = [];
      override open(): void {
        Domino.all.push(this);
        this.subscribe("dominoes");
      }
      onMessage(): void {}
      override onClose(): void {
        for (const other of Domino.all) other.abort();
      }
    }
    const app = new Application([["/", Domino]], {
      maxBufferedAmount: 5000,
      highWaterMark: 1000,
      pingInterval: 0,
    });
    const members: Member[] = [];
    for (let i = 0; i < 4; i++) {
      const member = await Member.join(app, "/", "rfc6455", { capacity: 1000 });
      if (i === 1) member.transport.pause();
      members.push(member);
    }
    const sent: number[] = [];
    for (let i = 0; i < 8; i++) {
      sent.push(app.publish("dominoes", "x".repeat(1000)).sent);
      await settled();
    }
    // Its onClose runs after the publishing, so that the other three got the last message too.
    assertEquals(new Set(sent), new Set([4, 3, 0]));
    assertEquals(app.subscriberCount("dominoes"), 0);
    await endAll(members);
  });
});

describe("an invalid topic or message is a TypeError", () => {
  const app = makeApp();
  const bad: [unknown, string][] = [
    [undefined, "undefined"],
    [null, "null"],
    [7, "7"],
    [Symbol("x"), "a value of type symbol"],
    [{ toString: () => "x" }, "a value of type object"],
    ["", '""'],
    ["x".repeat(257), "257 characters: must have at most 256"],
    ["a\ud800", "lone surrogate"],
  ];
  for (const [topic, shown] of bad) {
    test(`the topic ${shown}`, () => {
      assertThrows(() => app.publish(topic as string, "x"), TypeError, shown);
      assertThrows(() => app.subscriberCount(topic as string), TypeError, shown);
    });
  }
  for (const message of [undefined, null, 7, true, new Map(), new Date()]) {
    test(`the message ${String(message)}`, () => {
      assertThrows(
        () => app.publish("news", message as unknown as string),
        TypeError,
        "Cannot send",
      );
    });
  }
  test("but not a topic of 256 characters", () => {
    assertEquals(app.subscriberCount("\u{10ffff}".repeat(128)), 0);
  });
});

describe("a handler's subscription", () => {
  class Early extends WebSocketHandler {
    static error: unknown;
    override prepare(): void {
      try {
        this.subscribe("news");
      } catch (error) {
        Early.error = error;
      }
    }
    onMessage(message: string | Uint8Array): void {
      if (message === "bad") this.subscribe("");
      this.close();
      this.subscribe("news").catch((error) => Early.error = error);
    }
  }
  const logged: unknown[] = [];
  const app = new Application([["/", Early]], {
    pingInterval: 0,
    log: (...args) => logged.push(args.join(" ")),
  });

  test("before the handshake is complete is a TypeError", async () => {
    const member = await Member.join(app, "/", "rfc6455");
    assertEquals(
      String(Early.error),
      'TypeError: Cannot subscribe to "news": the handshake is not complete; subscribe in open()',
    );
    await endAll([member]);
  });

  test("after the close rejects", async () => {
    const member = await Member.join(app, "/", "rfc6455");
    member.send("close");
    await settled();
    assertEquals(app.subscriberCount("news"), 0);
    assertEquals(
      String(Early.error),
      'WebSocketClosedError: Cannot subscribe to "news": the connection is closed',
    );
    await endAll([member]);
  });

  test("to an invalid topic closes the connection with 1011", async () => {
    const member = await Member.join(app, "/", "rfc6455");
    member.send("bad");
    await settled();
    assertEquals(member.closeCode, 1011);
    assertEquals(logged, [
      'Uncaught exception in "/": TypeError: Cannot subscribe to "": a topic must not be empty',
    ]);
    await endAll([member]);
  });
});
