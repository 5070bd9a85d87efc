/**
 * Topics that keep their messages in this process: positions, recovery, limits, and backpressure.
 *
 * @module
 */
import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { describe, test } from "node:test";
import type { Position } from "../../src/pubsub/brokers/broker.ts";
import type { TopicHistory } from "../../src/pubsub/history_settings.ts";
import type { Subscribed, SubscribeOptions } from "../../src/pubsub/subscription.ts";
import { WebSocketClosedError } from "../../src/errors.ts";
import { WebSocketHandler } from "../../src/server/handler.ts";
import type { Settings } from "../../src/server/settings.ts";
import type { MemoryClient } from "../support/memory_client.ts";
import { HYBI, Rig, settle, VERSIONS } from "../support/rig.ts";

const MARK = 1000;

/** A handler that the test uses. */
class Member extends WebSocketHandler {
  static last: Member;
  override open(): void {
    Member.last = this;
  }
  onMessage(): void {}
}

function makeRig(history: TopicHistory = {}, settings: Partial<Settings> = {}): Rig {
  return new Rig([["/", Member]], {
    pingInterval: 0,
    highWaterMark: MARK,
    maxBufferedAmount: 10_000,
    history: { "t*": history },
    ...settings,
  });
}

function publishAll(rig: Rig, texts: Iterable<string>): void {
  for (const text of texts) rig.app.publish("t", text);
}

/** The texts that a client has received. */
function texts(client: MemoryClient): string[] {
  return client.take().map((event) => event.replace(/^text /, ""));
}

/** Opens a client and subscribes. The result is `undefined` while the promise is pending. */
class Joined {
  result: Subscribed | Error | undefined;
  readonly client: MemoryClient;
  readonly handler: Member;
  constructor(client: MemoryClient, options: SubscribeOptions) {
    this.client = client;
    this.handler = Member.last;
    this.handler.subscribe("t", options).then(
      (result) => this.result = result,
      (error) => this.result = error,
    );
  }
}

describe("a position", () => {
  test("counts the messages of a topic, whether anybody subscribes or not", async () => {
    const rig = makeRig();
    const first = await rig.app.publish("t", "a").position;
    const second = await rig.app.publish("t", "b").position;
    const other = await rig.app.publish("t2", "c").position;
    assertMatch(first.epoch, /^[\w-]{13,19}$/);
    assertEquals([first.offset, second], [1, { epoch: first.epoch, offset: 2 }]);
    assertEquals([other.offset, other.epoch === first.epoch], [1, false]);
  });

  test("before the first message stays right until messages are forgotten", async () => {
    const rig = makeRig({ ttl: 1000 });
    const { position } = await rig.app.history("t");
    assertEquals(
      [position.offset, (await rig.app.history("t2")).position.epoch === position.epoch],
      [
        0,
        false,
      ],
    );
    publishAll(rig, "a");
    assertEquals((await rig.app.history("t", { since: position })).complete, true);
    const one = new Joined(await rig.open("rfc6455"), { since: position });
    await settle();
    assertEquals([texts(one.client), one.result], [["a"], {
      recovered: true,
      position: { ...position, offset: 1 },
    }]);
    one.client.transport.destroy();
    await rig.clock.advance(2000);
    assertEquals((await rig.app.history("t", { since: position })).complete, false);
    assertEquals((await rig.app.history("t")).position.offset, 0);
  });

  test("of a topic without a history rejects, and may be ignored", async () => {
    const rig = makeRig();
    await rig.open("rfc6455");
    Member.last.subscribe("plain");
    for (const published of [rig.app.publish("plain", "a"), rig.app.publish("nobody", "a")]) {
      void published.position;
      await assertRejects(() => published.position, TypeError, "Cannot tell the position");
    }
    await assertRejects(() => makeRig({}, { history: undefined }).app.publish("t", "a").position);
  });
});

for (const version of VERSIONS) {
  describe(`a client of ${version} that comes back`, () => {
    test("gets what it missed, once and in order, then what is published", async () => {
      const rig = makeRig();
      publishAll(rig, "abcd");
      const { position } = await rig.app.history("t");
      const client = await rig.open(version);
      const joined = new Joined(client, { since: { ...position, offset: 1 } });
      publishAll(rig, "ef");
      await settle();
      assertEquals(texts(client), [..."bcdef"]);
      assertEquals(joined.result, { recovered: true, position });
    });

    test("gets it as fast as it reads, and is not closed for it", async () => {
      const rig = makeRig({
        format: (message, { offset }) => `${offset}`.padEnd(600, "" + message),
      });
      publishAll(rig, Array(50).fill("x"));
      const { position } = await rig.app.history("t");
      const client = await rig.open(version, { pair: { capacity: 0 } });
      client.transport.pause();
      const joined = new Joined(client, { since: { ...position, offset: 0 } });
      // It is slow, and more is published than maxBufferedAmount.
      for (let count = 0; count < 30; count++) {
        assertEquals(rig.app.publish("t", "y").sent, 0);
        await settle();
      }
      assertEquals(joined.result, undefined);
      assert(joined.handler.bufferedAmount <= MARK + 700, `${joined.handler.bufferedAmount}`);
      client.transport.resume();
      await settle();
      await settle();
      assertEquals(joined.result, { recovered: true, position: { ...position, offset: 80 } });
      assertEquals(rig.app.publish("t", "z").sent, 1);
      await settle();
      const offsets = texts(client).map((text) => parseInt(text));
      assertEquals(offsets, Array.from({ length: 81 }, (_, index) => index + 1));
    });

    test("is told if messages were dropped while it was too slow, and goes on from there", async () => {
      const rig = makeRig({ size: 5 });
      publishAll(rig, Array(5).fill("old".padEnd(600)));
      const { position } = await rig.app.history("t");
      const client = await rig.open(version, { pair: { capacity: 0 } });
      client.transport.pause();
      const gaps: Position[] = [];
      const joined = new Joined(client, {
        since: { ...position, offset: 0 },
        onGap: (position) => gaps.push(position),
      });
      publishAll(rig, Array(5).fill("new".padEnd(600)));
      client.transport.resume();
      await settle();
      assertEquals(joined.result, { recovered: false, position: { ...position, offset: 10 } });
      // The result says it already.
      assertEquals(gaps, []);
      publishAll(rig, ["live"]);
      await settle();
      assertEquals(texts(client).map((text) => text.trim()), ["old", "old", "live"]);
    });

    test("gets binary messages if it has them", async () => {
      const rig = makeRig();
      const bytes = Uint8Array.of(1, 2);
      rig.app.publish("t", bytes);
      bytes.fill(9);
      publishAll(rig, "a");
      const { position } = await rig.app.history("t");
      const client = await rig.open(version);
      const joined = new Joined(client, { since: { ...position, offset: 0 } });
      await settle();
      assertEquals(client.take(), HYBI.includes(version) ? ["binary 1,2", "text a"] : ["text a"]);
      assertEquals(joined.result, { recovered: true, position });
    });
  });
}

/** A position that is not in the history. */
interface Unknown {
  readonly name: string;
  readonly of: (position: Position) => Position;
}

describe("a position that is not kept is told, and nothing missed is delivered", () => {
  const unknown: Unknown[] = [
    { name: "too old", of: ({ epoch }) => ({ epoch, offset: 0 }) },
    { name: "in the future", of: ({ epoch, offset }) => ({ epoch, offset: offset + 1 }) },
    { name: "far in the future", of: ({ epoch }) => ({ epoch, offset: Number.MAX_SAFE_INTEGER }) },
    { name: "of another epoch", of: ({ offset }) => ({ epoch: "x", offset }) },
  ];
  for (const { name, of } of unknown) {
    test(name, async () => {
      const rig = makeRig({ size: 3 });
      publishAll(rig, "abcd");
      const { position } = await rig.app.history("t");
      const client = await rig.open("rfc6455");
      const joined = new Joined(client, { since: of(position) });
      publishAll(rig, "e");
      await settle();
      assertEquals([joined.result, texts(client)], [{ recovered: false, position }, ["e"]]);
    });
  }

  test("and so is that of a topic without messages", async () => {
    const rig = makeRig();
    const client = await rig.open("rfc6455");
    const joined = new Joined(client, { since: { epoch: "x", offset: 0 } });
    publishAll(rig, "a");
    await settle();
    const { recovered, position } = joined.result as Subscribed;
    assertEquals([recovered, position?.offset, texts(client)], [false, 0, ["a"]]);
    // That position is one to come back to.
    const again = new Joined(await rig.open("rfc6455"), { since: position });
    await settle();
    assertEquals(again.result, {
      recovered: true,
      position: { epoch: position?.epoch ?? "", offset: 1 },
    });
  });
});

describe("a subscription with since is wrong", () => {
  const since = { epoch: "x", offset: 0 };
  const wrong: [string, unknown, string][] = [
    ["t", { since, whenSlow: "skip" }, 'since and whenSlow "skip" exclude each other'],
    ["t", { since, whenSlow: "latest" }, 'since and whenSlow "latest" exclude each other'],
    ["t", { since: null }, "since must be { epoch, offset }, got null"],
    ["t", { since: "x:0" }, 'since must be { epoch, offset }, got "x:0"'],
    ["t", { since: { offset: 0 } }, "since.epoch must be a string of 1 to 64 characters"],
    ["t", { since: { ...since, epoch: "" } }, "since.epoch must be a string of 1 to 64"],
    ["t", { since: { ...since, epoch: "x".repeat(65) } }, "got a string of 65 characters"],
    ["t", { since: { ...since, epoch: 7 } }, "got 7"],
    ["t", { since: { epoch: "x" } }, "since.offset must be a non-negative integer, got undefined"],
    ["t", { since: { ...since, offset: -1 } }, "got -1"],
    ["t", { since: { ...since, offset: 0.5 } }, "got 0.5"],
    ["t", { since: { ...since, offset: 2 ** 53 } }, "got 9007199254740992"],
    ["t", { since: { ...since, offset: "0" } }, 'got "0"'],
    ["t", { onGap: true }, "onGap must be a function, got true"],
    ["plain", { since }, "no pattern of the setting history matches this topic"],
    ["plain", { onGap: () => {} }, "no pattern of the setting history matches this topic"],
  ];
  test("with these options, and nobody is subscribed", async () => {
    const rig = makeRig();
    await rig.open("rfc6455");
    for (const [topic, options, message] of wrong) {
      const act = () => void Member.last.subscribe(topic, options as SubscribeOptions);
      assertThrows(act, TypeError, message);
    }
    assertEquals(rig.app.stats().subscriptions, 0);
  });

  test("if there is a subscription already", async () => {
    const rig = makeRig();
    const client = await rig.open("rfc6455");
    Member.last.subscribe("t");
    const act = () => void Member.last.subscribe("t", { since });
    assertThrows(act, TypeError, 'Cannot subscribe to "t" with since: already subscribed');
    publishAll(rig, "a");
    await settle();
    assertEquals(texts(client), ["a"]);
  });
});

describe("a recovery ends", () => {
  /** A client that is slow during its recovery. */
  async function recovering(rig: Rig): Promise<Joined> {
    publishAll(rig, Array(9).fill("old".padEnd(600)));
    const { position } = await rig.app.history("t");
    const client = await rig.open("rfc6455", { pair: { capacity: 0 } });
    client.transport.pause();
    const joined = new Joined(client, { since: { ...position, offset: 0 } });
    await settle();
    assertEquals(joined.result, undefined);
    return joined;
  }

  test("with unsubscribe: the promise says that it is not complete", async () => {
    const rig = makeRig();
    const joined = await recovering(rig);
    joined.handler.unsubscribe("t");
    joined.client.transport.resume();
    await settle();
    assertEquals(joined.result, { recovered: false, position: undefined });
    assertEquals(texts(joined.client).length, 2);
    assertEquals(rig.app.stats().subscriptions, 0);
  });

  test("not with another subscribe, which only changes the options", async () => {
    const rig = makeRig();
    const joined = await recovering(rig);
    const { position } = await joined.handler.subscribe("t", { onGap: () => {} });
    assertEquals(position?.offset, 9);
    joined.client.transport.resume();
    await settle();
    assertEquals([texts(joined.client).length, joined.result], [9, { recovered: true, position }]);
  });

  for (const how of ["close", "abort"] as const) {
    test(`with ${how}: the promise rejects`, async () => {
      const rig = makeRig();
      const joined = await recovering(rig);
      joined.handler[how]();
      await settle();
      assert(joined.result instanceof WebSocketClosedError);
      joined.client.reset();
      await settle();
    });
  }

  test("with the client's end", async () => {
    const rig = makeRig();
    const joined = await recovering(rig);
    joined.client.reset();
    await settle();
    assert(joined.result instanceof WebSocketClosedError);
    assertEquals(rig.logged, []);
  });

  test("with a shutdown", async () => {
    const rig = makeRig();
    const joined = await recovering(rig);
    const over = rig.app.shutdown();
    await settle();
    assert(joined.result instanceof WebSocketClosedError);
    joined.client.reset();
    await over;
  });
});

describe("a recovering client", () => {
  test("does not get what it publishes itself", async () => {
    const rig = makeRig();
    publishAll(rig, Array(9).fill("old".padEnd(600)));
    const { position } = await rig.app.history("t");
    const client = await rig.open("rfc6455", { pair: { capacity: 0 } });
    client.transport.pause();
    const joined = new Joined(client, { since: { ...position, offset: 0 } });
    joined.handler.publish("t", "own");
    publishAll(rig, ["other"]);
    client.transport.resume();
    await settle();
    assertEquals(texts(client).slice(9), ["other"]);
  });

  test("counts as a subscriber", async () => {
    const rig = makeRig();
    publishAll(rig, Array(9).fill("old".padEnd(600)));
    const { position } = await rig.app.history("t");
    const client = await rig.open("rfc6455", { pair: { capacity: 0 } });
    client.transport.pause();
    const joined = new Joined(client, { since: { ...position, offset: 0 } });
    assertEquals([rig.app.subscriberCount("t"), joined.handler.topics], [1, ["t"]]);
    assertEquals(rig.app.publish("t", "x").sent, 0);
    client.transport.resume();
    await settle();
  });

  test("takes turns with thousands of others", async () => {
    const rig = makeRig({ size: 20 });
    publishAll(rig, Array(20).fill("x".repeat(500)));
    const { position } = await rig.app.history("t");
    rig.clock.holdTurns();
    const clients: MemoryClient[] = [];
    const results: Joined[] = [];
    for (let left = 200; left > 0; left--) {
      clients.push(await rig.open("rfc6455", { pair: { capacity: 1e6 } }));
      results.push(new Joined(clients.at(-1)!, { since: { ...position, offset: 0 } }));
    }
    const done = () => results.filter(({ result }) => result !== undefined).length;
    await settle();
    // 12.5 kB each, of 256 KiB in a turn.
    assertEquals(done(), 20);
    let turns = 0;
    while (done() < results.length && turns < 100) {
      turns++;
      rig.clock.turn();
      await settle();
    }
    assert(turns >= 9 && turns < 100, `${turns} turns`);
    for (const client of clients) assertEquals(texts(client).length, 20);
  });
});

describe("the format", () => {
  test("makes what clients get, once for each message", async () => {
    let calls = 0;
    const rig = makeRig({
      format(message, { epoch, offset }) {
        calls++;
        return { text: `${message}`, epoch, offset };
      },
    });
    const one = await rig.open("rfc6455");
    Member.last.subscribe("t");
    publishAll(rig, "ab");
    const { position: { epoch }, messages } = await rig.app.history("t");
    const expected = [1, 2].map((offset) => {
      return JSON.stringify({ text: " ab"[offset], epoch, offset });
    });
    const two = await rig.open("draft76");
    new Joined(two, { since: { epoch, offset: 0 } });
    await settle();
    assertEquals([texts(one), texts(two), calls], [expected, expected, 2]);
    assertEquals(messages.map(({ message }) => message), ["a", "b"]);
  });

  test("may publish, and each message has its own position", async () => {
    const positions: Promise<Position>[] = [];
    const rig = makeRig({
      format(message) {
        if (message === "outer") positions.push(rig.app.publish("t", "inner").position);
        return message;
      },
    });
    const one = await rig.open("rfc6455");
    Member.last.subscribe("t");
    const outer = await rig.app.publish("t", "outer").position;
    assertEquals([outer.offset, (await positions[0])?.offset], [1, 2]);
    await settle();
    assertEquals(texts(one), ["outer", "inner"]);
  });

  test("that throws or returns no message is logged, and the others arrive", async () => {
    const made: Record<string, () => unknown> = {
      throws: () => {
        throw new Error("mine");
      },
      promise: () => Promise.reject(new Error("late")),
      number: () => 7,
      fine: () => "fine",
    };
    const rig = makeRig({ format: (message) => made[`${message}`]?.() as string });
    const one = await rig.open("rfc6455");
    Member.last.subscribe("t");
    publishAll(rig, Object.keys(made));
    const { position: { epoch } } = await rig.app.history("t");
    const two = await rig.open("rfc6455");
    const joined = new Joined(two, { since: { epoch, offset: 0 } });
    await settle();
    assertEquals([texts(one), texts(two)], [["fine"], ["fine"]]);
    assertEquals((joined.result as Subscribed).recovered, true);
    assertEquals(rig.logged.length, 3);
    assertMatch(rig.logged[0] ?? "", /^Uncaught exception in format of the setting history: mine/);
  });
});

test("a message that is published after a shutdown keeps no timer", async () => {
  const rig = makeRig();
  await rig.app.shutdown();
  const { offset } = await rig.app.publish("t", "late").position;
  assertEquals([offset, rig.clock.pending], [1, 0]);
});

describe("a topic keeps", () => {
  const kept = async (rig: Rig, topic = "t") =>
    (await rig.app.history(topic)).messages.map(({ message }) => message);

  test("at most size messages", async () => {
    const rig = makeRig({ size: 3 });
    publishAll(rig, "abc");
    assertEquals(await kept(rig), ["a", "b", "c"]);
    publishAll(rig, "d");
    assertEquals(await kept(rig), ["b", "c", "d"]);
    publishAll(rig, Array.from({ length: 1000 }, (_, index) => `${index}`));
    assertEquals(await kept(rig), ["997", "998", "999"]);
  });

  test("at most maxBytes, as UTF-8", async () => {
    const rig = makeRig({ maxBytes: 6 });
    publishAll(rig, ["aa", "č", "bb"]);
    assertEquals(await kept(rig), ["aa", "č", "bb"]);
    publishAll(rig, ["c"]);
    assertEquals(await kept(rig), ["č", "bb", "c"]);
  });

  test("no message that exceeds maxBytes alone, which is delivered all the same", async () => {
    const rig = makeRig({ maxBytes: 6 });
    const client = await rig.open("rfc6455");
    Member.last.subscribe("t");
    publishAll(rig, ["a", "1234567", "b"]);
    await settle();
    assertEquals(texts(client), ["a", "1234567", "b"]);
    assertEquals(await kept(rig), ["b"]);
    const { position } = await rig.app.history("t");
    const late = new Joined(await rig.open("rfc6455"), { since: { ...position, offset: 1 } });
    await settle();
    assertEquals(late.result, { recovered: false, position });
  });

  test("each message for ttl, and then forgets a topic without subscribers", async () => {
    const rig = makeRig({ ttl: 10_000 });
    publishAll(rig, "a");
    await rig.clock.advance(6000);
    publishAll(rig, "b");
    const { position: { epoch } } = await rig.app.history("t");
    assertEquals(await kept(rig), ["a", "b"]);
    await rig.clock.advance(4500);
    assertEquals(await kept(rig), ["b"]);
    await rig.clock.advance(6000);
    const { position, messages } = await rig.app.history("t");
    assertEquals([position.offset, position.epoch === epoch, messages], [0, false, []]);
  });

  test("nothing of a topic whose only message is too large, after ttl", async () => {
    const rig = makeRig({ ttl: 10_000, maxBytes: 1 });
    const { epoch } = await rig.app.publish("t", "large").position;
    await rig.clock.advance(5000);
    assertEquals((await rig.app.history("t")).position, { epoch, offset: 1 });
    await rig.clock.advance(5500);
    const { position } = await rig.app.history("t");
    assertEquals([position.offset, position.epoch === epoch], [0, false]);
  });

  test("its epoch while it has subscribers", async () => {
    const rig = makeRig({ ttl: 10_000 });
    const client = await rig.open("rfc6455");
    Member.last.subscribe("t");
    const position = await rig.app.publish("t", "a").position;
    await rig.clock.advance(20_000);
    assertEquals(await rig.app.history("t"), { position, complete: false, messages: [] });
    const joined = new Joined(await rig.open("rfc6455"), { since: position });
    await settle();
    assertEquals(joined.result, { recovered: true, position });
    joined.handler.unsubscribe("t");
    client.reset();
    await settle();
    assertEquals((await rig.app.history("t")).position.epoch === position.epoch, false);
  });

  test("messages for ever with a ttl of 0", async () => {
    const rig = makeRig({ ttl: 0 });
    publishAll(rig, "a");
    await rig.clock.advance(1e9);
    assertEquals(await kept(rig), ["a"]);
  });
});

describe("app.history", () => {
  test("returns messages with positions and times", async () => {
    const rig = makeRig();
    const before = Date.now();
    rig.app.publish("t", Uint8Array.of(1, 2));
    rig.app.publish("t", { a: 1 });
    const { position: { epoch }, complete, messages } = await rig.app.history("t");
    assertEquals(complete, false);
    assertEquals(messages.map(({ message, position }) => [message, position]), [
      [Uint8Array.of(1, 2), { epoch, offset: 1 }],
      ['{"a":1}', { epoch, offset: 2 }],
    ]);
    for (const { time } of messages) assert(time >= before && time <= Date.now());
  });

  test("limits: the newest messages, or the oldest after a position", async () => {
    const rig = makeRig({ size: 4 });
    publishAll(rig, "abcde");
    const { position } = await rig.app.history("t");
    const at = (offset: number) => ({ ...position, offset });
    const rows: [Parameters<typeof rig.app.history>[1], string, boolean][] = [
      [{}, "bcde", false],
      [{ limit: 2 }, "de", false],
      [{ limit: 9 }, "bcde", false],
      [{ since: at(1) }, "bcde", true],
      [{ since: at(3) }, "de", true],
      [{ since: at(5) }, "", true],
      [{ since: at(1), limit: 2 }, "bc", true],
      [{ since: at(0), limit: 2 }, "de", false],
      [{ since: at(6) }, "bcde", false],
      [{ since: { epoch: "x", offset: 3 } }, "bcde", false],
    ];
    for (const [options, expected, complete] of rows) {
      const page = await rig.app.history("t", options);
      const found = page.messages.map(({ message }) => message).join("");
      assertEquals([found, page.complete, page.position], [expected, complete, position]);
    }
  });

  test("refuses wrong arguments", async () => {
    const { app } = makeRig();
    const read = (topic: unknown, options?: unknown) => () =>
      app.history(topic as string, options as { limit: number });
    await assertRejects(read(7), TypeError, "Cannot read the history of 7");
    await assertRejects(read("plain"), TypeError, "no pattern of the setting history matches");
    await assertRejects(read("t", { limit: "7" }), TypeError, 'positive integer, got "7"');
    for (const limit of [0, -1, 1.5, Infinity, NaN]) {
      await assertRejects(read("t", { limit }), RangeError, `positive integer, got ${limit}`);
    }
    await assertRejects(read("t", { since: {} }), TypeError, "since.epoch must be a string");
  });
});
