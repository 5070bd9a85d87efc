/**
 * Topics whose messages a broker keeps, and a broker that is slow, away, wrong or silent.
 *
 * @module
 */
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { describe, test } from "node:test";
import type { HistoryPage, KeptMessage, Position } from "../../src/pubsub/brokers/broker.ts";
import { seal } from "../../src/pubsub/brokers/envelope.ts";
import { WebSocketClosedError } from "../../src/errors.ts";
import type { Subscribed } from "../../src/pubsub/subscription.ts";
import { Joined, Member, Scene, settle } from "./processes.ts";

const OTHER = new Uint8Array(8);
const UNKNOWN: Subscribed = { recovered: false, position: undefined };

describe("a message that the broker does not store is dropped and counted", () => {
  test("if the broker is down or slow", async () => {
    const { first } = new Scene();
    for (const status of ["down", "slow"] as const) {
      first.broker.change(status);
      const { position } = first.rig.app.publish("t", "a");
      await assertRejects(() => position, Error, `Cannot store a message: Memory is ${status}`);
      first.broker.change("up");
    }
    assertEquals(first.counts, { dropped: 2 });
  });

  test("if the broker fails, which is logged once", async () => {
    const { first, clock } = new Scene();
    first.broker.error = new Error("too large");
    for (let count = 0; count < 3; count++) {
      await assertRejects(() => first.rig.app.publish("t", "a").position, Error, "too large");
    }
    assertEquals(first.counts, { dropped: 3 });
    await clock.advance(125);
    assertEquals(first.rig.logged, [
      "Memory failed (further failures of this kind are only counted): too large",
    ]);
  });

  test("if the broker does not answer in time, and the promise may be ignored", async () => {
    const { first, clock } = new Scene();
    first.broker.isSilent = true;
    const { position } = first.rig.app.publish("t", "a");
    first.rig.app.publish("t", "b");
    await clock.advance(6000);
    await assertRejects(
      () => position,
      Error,
      "Cannot store a message: Memory did not answer within 5000 ms",
    );
    assertEquals(first.counts, { dropped: 2 });
    // A late answer changes nothing.
    first.broker.answer();
    await settle();
    assertEquals(first.counts, { dropped: 2 });
  });

  test("if the answer is no position", async () => {
    const { first } = new Scene();
    const answers: unknown[] = [
      undefined,
      null,
      5,
      { epoch: "x" },
      { epoch: "", offset: 1 },
      { epoch: "x", offset: 0 },
      { epoch: "x", offset: -1 },
      { epoch: "x", offset: "1" },
    ];
    for (const answer of answers) {
      first.broker.history.append = () => Promise.resolve(answer as Position);
      await assertRejects(() => first.rig.app.publish("t", "a").position, TypeError, "must be");
    }
    assertEquals(first.counts, { dropped: answers.length });
  });
});

describe("a subscription waits for the broker", () => {
  test("for at most 5 seconds, and then the gap is told", async () => {
    const { first, second, clock } = new Scene();
    first.broker.change("down");
    const one = await first.join();
    await second.publish("a");
    await clock.advance(4000);
    assertEquals(one.result, undefined);
    const two = await first.join();
    await clock.advance(2000);
    assertEquals([one.result, two.result], [UNKNOWN, undefined]);
    first.broker.change("up");
    await settle();
    // It was told that it is subscribed, and does not know what it has missed.
    assertEquals([one.gaps.map(({ offset }) => offset), one.texts()], [[1], ""]);
    assertEquals([(two.result as Subscribed).position?.offset, two.gaps], [1, []]);
    await second.publish("b");
    assertEquals([one.texts(), two.texts()], ["b", "b"]);
  });

  test("and recovers when it is up in time", async () => {
    const { first, second } = new Scene();
    await second.publish("a", "b");
    const { position } = await second.rig.app.history("t");
    first.broker.change("down");
    const one = await first.join({ since: { ...position, offset: 1 } });
    assertEquals(one.result, undefined);
    first.broker.change("up");
    await settle();
    assertEquals([one.result, one.texts()], [{ recovered: true, position }, "b"]);
  });

  test("but not if the broker refuses the subscription, which is tried again", async () => {
    const { first, second, clock } = new Scene();
    first.broker.error = new Error("no permission");
    const one = await first.join();
    assertEquals(one.result, UNKNOWN);
    first.broker.error = undefined;
    await clock.advance(1100);
    const two = await first.join();
    assertEquals((two.result as Subscribed).position?.offset, 0);
    await second.publish("a");
    assertEquals([one.texts(), two.texts(), one.gaps.length], ["a", "a", 1]);
  });

  test("and gets messages that arrive before the history was read, once", async () => {
    const { first, second } = new Scene();
    await second.publish("a");
    const { position } = await second.rig.app.history("t");
    first.broker.isSilent = true;
    const one = await first.join({ since: { ...position, offset: 0 } });
    const two = await first.join();
    first.broker.answer(); // The subscription is active, and the history is read.
    await settle();
    await second.publish("b");
    assertEquals([one.result, two.result, one.texts()], [undefined, undefined, ""]);
    first.broker.answer();
    await settle();
    assertEquals([one.texts(), two.texts()], ["a b", "b"]);
    assertEquals([one.result, two.result], [
      { recovered: true, position },
      { recovered: false, position },
    ]);
  });

  for (const how of ["unsubscribe", "close", "abort", "shutdown"] as const) {
    test(`and ends with ${how}`, async () => {
      const { first, clock } = new Scene();
      first.broker.isSilent = true;
      const one = await first.join();
      const second = one.handler.subscribe("t");
      if (how === "unsubscribe") one.handler.unsubscribe("t");
      else if (how === "shutdown") void first.rig.app.shutdown({ timeout: 1000 });
      else one.handler[how]();
      await settle();
      if (how === "unsubscribe") assertEquals([one.result, await second], [UNKNOWN, UNKNOWN]);
      else {
        assert(one.result instanceof WebSocketClosedError);
        await assertRejects(() => second, WebSocketClosedError);
      }
      one.client.reset();
      first.broker.answer();
      await settle();
      first.broker.answer();
      await clock.advance(20_000);
      assertEquals([one.gaps, first.rig.logged], [[], []]);
    });
  }
});

describe("a history that cannot be read", () => {
  test("is read again every second, which is logged once", async () => {
    const { first, second, clock } = new Scene();
    const one = await first.join();
    first.broker.losses = 1;
    await second.publish("a");
    const { read } = first.broker.history;
    let failures = 0;
    first.broker.history.read = () => {
      failures++;
      return Promise.reject(new Error("busy"));
    };
    await second.publish("b");
    assertEquals([failures, one.texts()], [1, ""]);
    await clock.advance(1100);
    await clock.advance(1100);
    assertEquals(failures, 3);
    assertEquals(first.rig.logged.length, 1);
    assertMatch(first.rig.logged[0] ?? "", /^Memory failed .*: busy$/);
    first.broker.history.read = read;
    await clock.advance(1100);
    assertEquals([one.texts(), one.gaps], ["a b", []]);
  });

  for (const when of ["after", "before"] as const) {
    test(`is read again at once if the connection was lost ${when} it was asked for, and is back`, async () => {
      const { first, second, clock } = new Scene();
      const one = await first.join();
      first.broker.losses = 1;
      await second.publish("a");
      const { read } = first.broker.history;
      const { promise, reject } = Promise.withResolvers<HistoryPage>();
      first.broker.history.read = () => promise;
      if (when === "before") first.broker.change("down");
      first.broker.events?.missed?.("t");
      if (when === "after") first.broker.change("down");
      first.broker.change("up");
      first.broker.history.read = read;
      reject(new Error("connection lost"));
      await settle();
      assertEquals([one.texts(), one.gaps], ["a", []]);
      await clock.advance(125);
      assertEquals(first.rig.logged.filter((line) => line.includes("connection lost")), []);
    });
  }

  test("is read again after a timeout", async () => {
    const { first, second, clock } = new Scene();
    const one = await first.join();
    first.broker.losses = 1;
    await second.publish("a");
    first.broker.isSilent = true;
    await second.publish("b");
    await clock.advance(5500);
    assertMatch(first.rig.logged[0] ?? "", /Cannot read a history: Memory did not answer within/);
    first.broker.isSilent = false;
    await clock.advance(1100);
    assertEquals([one.texts(), one.gaps], ["a b", []]);
  });

  test("is not read while the broker is down, and when it is up", async () => {
    const { first, second, clock } = new Scene();
    const one = await first.join();
    first.broker.reads = 0;
    first.broker.change("down");
    await second.publish("a");
    await clock.advance(60_000);
    assertEquals([first.broker.reads, first.rig.logged.length], [0, 1]);
    first.broker.change("up");
    await settle();
    assertEquals([first.broker.reads, one.texts()], [1, "a"]);
  });

  test("keeps no more than the limits of the messages that arrive meanwhile", async () => {
    const { first, second } = new Scene({ size: 3, maxBytes: 1000 });
    const one = await first.join();
    first.broker.isSilent = true;
    first.broker.losses = 1;
    await second.publish("a", "b");
    await second.publish(..."cdefgh");
    await second.publish("i".repeat(900));
    assertEquals(one.texts(), "");
    first.broker.isSilent = false;
    // The read was answered when a and b were there; the others are read now.
    first.broker.answer();
    await settle();
    await second.publish("j");
    assertEquals(one.texts().replace(/i+/, "i"), "a b g h i j");
    assertEquals(one.gaps.map(({ offset }) => offset), [6]);
  });
});

describe("an answer that breaks a rule is refused, logged, and asked for again", () => {
  const kept = (offset: number, text = "x"): KeptMessage => {
    return { offset, time: Date.now(), message: seal(OTHER, "t", text, 1) };
  };
  const position = { epoch: "epoch 1", offset: 2 };
  const nonsense: [unknown, RegExp][] = [
    [undefined, /must be an object/],
    [null, /must be an object/],
    [7, /must be an object/],
    [{ complete: true, messages: [] }, /position must be \{ epoch, offset \}/],
    [{ position: { epoch: "x".repeat(65), offset: 1 } }, /position must be/],
    [{ position, messages: [] }, /complete must be a boolean/],
    [{ position, complete: true }, /messages must be an array/],
    [{ position, complete: true, messages: [null] }, /messages must be an array/],
    [{ position, complete: true, messages: [{ ...kept(1), message: "x" }] }, /must be an array/],
    [{ position, complete: true, messages: [{ ...kept(1), time: NaN }] }, /must be an array/],
    [{ position, complete: true, messages: [{ ...kept(0) }] }, /must be an array/],
    [{ position, complete: true, messages: [kept(1), kept(3)] }, /must be consecutive/],
    [{ position, complete: true, messages: [kept(2), kept(1)] }, /must be consecutive/],
    [{ position, complete: true, messages: [kept(2), kept(3)] }, /that of the newest message/],
    [{ position, complete: true, messages: [kept(1)] }, /the newest message is missing/],
    [{ position, complete: true, messages: [kept(2)] }, /messages are missing/],
    [{ position, complete: true, messages: [] }, /messages are missing/],
  ];
  for (const [answer, message] of nonsense) {
    test(JSON.stringify(answer)?.slice(0, 100) ?? "undefined", async () => {
      const { first, second, clock } = new Scene();
      const one = await first.join();
      first.broker.losses = 1;
      await second.publish("a");
      const { read } = first.broker.history;
      first.broker.history.read = () => Promise.resolve(answer as HistoryPage);
      await second.publish("b");
      await clock.advance(125);
      assertMatch(first.rig.logged[0] ?? "", message);
      await assertRejects(() => first.rig.app.history("t", { since: { ...position, offset: 0 } }));
      first.broker.history.read = read;
      await clock.advance(1100);
      assertEquals([one.texts(), one.gaps, first.rig.logged.length], ["a b", [], 1]);
    });
  }

  test("and so is a message with a malformed position", async () => {
    const { first } = new Scene();
    const one = await first.join();
    const data = seal(OTHER, "t", "x", 1);
    for (const stored of [null, {}, { topic: "t" }, { topic: 5, epoch: "x", offset: 1 }]) {
      first.broker.events?.message(data, stored as never);
    }
    const foreign = seal(OTHER, "unknown", "x", 1);
    first.broker.events?.message(foreign, { topic: "unknown", epoch: "x", offset: 1 });
    await settle();
    assertEquals([one.texts(), first.counts], ["", { invalid: 4 }]);
    assertMatch(first.rig.logged[0] ?? "", /^Ignored a message from Memory: its position is/);
  });

  test("an epoch that the broker does not know costs three reads, and no loop", async () => {
    const { first, second } = new Scene();
    const one = await first.join();
    first.broker.reads = 0;
    const data = seal(OTHER, "t", "x", 1);
    first.broker.events?.message(data, { topic: "t", epoch: "unknown", offset: 7 });
    await settle();
    assertEquals(first.broker.reads, 3);
    await second.publish("a");
    assertEquals([one.texts(), one.gaps], ["a", []]);
  });

  test("an offset that the broker does not know is a gap after three reads", async () => {
    const { first } = new Scene();
    const one = await first.join();
    const { position } = one.result as Subscribed;
    const epoch = position?.epoch ?? "";
    first.broker.reads = 0;
    const data = seal(OTHER, "t", "x", 1);
    first.broker.events?.message(data, { topic: "t", epoch, offset: 7 });
    await settle();
    assertEquals([first.broker.reads, one.gaps], [3, [{ epoch, offset: 7 }]]);
    first.broker.events?.message(data, { topic: "t", epoch, offset: 8 });
    await settle();
    assertEquals(one.texts(), "x");
  });
});

test("an offset that nobody has does not hide later messages", async () => {
  const { first, second } = new Scene();
  const one = await first.join();
  const { position } = one.result as Subscribed;
  const epoch = position?.epoch ?? "";
  const data = seal(OTHER, "t", "x", 1);
  first.broker.events?.message(data, { topic: "t", epoch, offset: Number.MAX_SAFE_INTEGER });
  await settle();
  await second.publish("a");
  await second.publish("b");
  assertEquals([one.texts(), one.gaps.map(({ offset }) => offset)], [
    "b",
    [Number.MAX_SAFE_INTEGER, 1],
  ]);
});

test("a position in a page that nobody has does not hide later messages", async () => {
  const { first, second } = new Scene();
  const one = await first.join();
  const { position } = one.result as Subscribed;
  const epoch = position?.epoch ?? "";
  const { read } = first.broker.history;
  const page = { position: { epoch, offset: 1e9 }, complete: false, messages: [] };
  first.broker.history.read = () => Promise.resolve(page);
  first.broker.events?.missed?.("t");
  await settle();
  first.broker.history.read = read;
  await second.publish("a");
  await second.publish("b");
  assertEquals([one.texts(), one.gaps.map(({ offset }) => offset)], ["b", [1e9, 1]]);
});

test("a client that leaves while another one recovers gets nothing", async () => {
  let leave = (): void => {};
  const format = (message: string | Uint8Array): string | Uint8Array => {
    leave();
    return message;
  };
  const { first, second } = new Scene({ format });
  await second.publish("a", "b");
  const { position } = await second.rig.app.history("t");
  first.broker.isSilent = true;
  const newer = await first.join({ since: { ...position, offset: 1 } });
  const older = await first.join({ since: { ...position, offset: 0 } });
  leave = () => older.handler.unsubscribe("t");
  for (let calls = 3; calls > 0; calls--) {
    first.broker.answer();
    await settle();
  }
  assertEquals([newer.texts(), older.texts()], ["b", ""]);
  assertEquals(older.result, { recovered: false, position: undefined });
});

test("onGap runs where the handler's callbacks run", async () => {
  const { first, server } = new Scene();
  const places: string[] = [];
  let place = "outside";
  const one = await first.join({ onGap: () => places.push(place) });
  one.handler.runHooksIn((callback, ...args) => {
    place = "inside";
    try {
      return callback(...args);
    } finally {
      place = "outside";
    }
  });
  await first.publish("a");
  server.forget();
  await first.publish("b");
  assertEquals(places, ["inside"]);
});

describe("a message that cannot be decoded", () => {
  const damaged: Record<string, () => Uint8Array> = {
    "of a later version": () => {
      const sealed = seal(OTHER, "t", "x", 1);
      sealed[3] = 3;
      return sealed;
    },
    "that is text and not UTF-8": () => {
      const sealed = seal(OTHER, "t", "x", 1);
      sealed[sealed.length - 1] = 0xff;
      return sealed;
    },
    "that is nothing of ours": () => new TextEncoder().encode("hello"),
    "that is empty": () => new Uint8Array(0),
  };
  for (const [name, make] of Object.entries(damaged)) {
    test(`${name} is a gap, for subscribers and for those who come back`, async () => {
      const scene = new Scene();
      const { first, second, server } = scene;
      const one = await first.join();
      await second.publish("a");
      const limits = { size: 100, ttl: 0, maxBytes: 1e6 };
      const position = server.append("t", make(), limits);
      await second.publish("b");
      assertEquals([one.texts(), one.gaps], ["a b", [position]]);
      assertEquals(first.counts, { received: 2, invalid: 1, gaps: 1 });
      assertEquals(first.rig.logged.length, 1);
      const before = await first.join({ since: { ...position, offset: 1 } });
      assertEquals((before.result as Subscribed).recovered, false);
      const after = await first.join({ since: position });
      assertEquals([(after.result as Subscribed).recovered, after.texts()], [true, "b"]);
      // Another process reads it with the others.
      const there = await second.join({ since: { ...position, offset: 1 } });
      assertEquals((there.result as Subscribed).recovered, false);
      const page = await first.rig.app.history("t", { since: { ...position, offset: 0 } });
      assertEquals(page.messages.map(({ message }) => message), ["a", "b"]);
      assertEquals(page.complete, false);
    });
  }

  test("of the older version is read", async () => {
    const { first, server } = new Scene();
    const one = await first.join();
    server.append("t", seal(OTHER, "t", "old"), { size: 100, ttl: 0, maxBytes: 1e6 });
    await settle();
    assertEquals([one.texts(), one.gaps], ["old", []]);
  });
});

describe("a process reads", () => {
  test("what the broker says that it may have missed", async () => {
    const { first, second } = new Scene();
    const one = await first.join();
    first.broker.losses = 1;
    await second.publish("a");
    first.broker.events?.missed?.("t");
    await settle();
    assertEquals([one.texts(), one.gaps], ["a", []]);
  });

  test("once, for messages that arrive in the wrong order meanwhile", async () => {
    const { first, second } = new Scene();
    const one = await first.join();
    first.broker.reads = 0;
    first.broker.isSilent = true;
    first.broker.losses = 1;
    await second.publish("a", "b");
    first.broker.isHolding = true;
    await second.publish("c", "d", "e");
    first.broker.waiting.reverse();
    first.broker.deliver();
    first.broker.answer();
    await settle();
    assertEquals([one.texts(), first.broker.reads, one.gaps], ["a b c d e", 1, []]);
  });

  test("nothing more if a missing message arrives late", async () => {
    const { first, second } = new Scene();
    const one = await first.join();
    first.broker.isHolding = true;
    await second.publish("a", "b", "c");
    const [late] = first.broker.waiting.splice(0, 1);
    first.broker.error = new Error("busy");
    first.broker.deliver();
    await settle();
    assertEquals(one.texts(), "");
    if (late !== undefined) first.broker.waiting.push(late);
    first.broker.deliver();
    await settle();
    assertEquals([one.texts(), one.gaps], ["a b c", []]);
  });

  test("a message of its own that does not arrive within a second", async () => {
    const { first, clock } = new Scene();
    const one = await first.join();
    await first.publish("a");
    first.broker.losses = 1;
    await first.publish("b");
    assertEquals(one.texts(), "a");
    await clock.advance(1100);
    assertEquals([one.texts(), one.gaps], ["b", []]);
  });

  test("nothing while its own messages arrive", async () => {
    const { first, clock } = new Scene();
    await first.join();
    first.broker.reads = 0;
    for (let count = 0; count < 30; count++) {
      await first.publish("a");
      await clock.advance(100);
    }
    assertEquals(first.broker.reads, 0);
  });

  test("nothing for clients that come back, as long as anybody subscribes", async () => {
    const { first, second } = new Scene();
    await first.join();
    await first.publish("a");
    const { position } = await second.rig.app.history("t");
    first.broker.reads = 0;
    const again = await first.join({ since: { ...position, offset: 0 } });
    assertEquals([again.texts(), first.broker.reads], ["a", 0]);
  });

  test("the topic anew when somebody subscribes again", async () => {
    const { first, second } = new Scene();
    const one = await first.join();
    const { position } = one.result as Subscribed;
    one.handler.unsubscribe("t");
    await settle();
    await second.publish("a");
    const again = new Joined(one.client, one.handler, { since: position });
    await settle();
    assertEquals([(again.result as Subscribed).recovered, again.texts()], [true, "a"]);
  });
});

describe("a position that the process does not know yet", () => {
  test("is one of a message that another process had first", async () => {
    const { first, second } = new Scene();
    const here = await first.join();
    await second.join();
    first.broker.isHolding = true;
    await second.publish("a", "b", "c");
    const { position } = await second.rig.app.history("t");
    const moved = await first.join({ since: { ...position, offset: 2 } });
    assertEquals([moved.result, moved.texts()], [{ recovered: true, position }, "c"]);
    assertEquals(here.texts(), "a b c");
    first.broker.isHolding = false;
    first.broker.deliver();
    await second.publish("d");
    assertEquals([here.texts(), moved.texts()], ["d", "d"]);
  });

  test("is in the future for the broker too, which costs one read", async () => {
    const { first, second } = new Scene();
    await first.join();
    await second.publish("a");
    const { position } = await second.rig.app.history("t");
    first.broker.reads = 0;
    const ahead = await first.join({ since: { ...position, offset: Number.MAX_SAFE_INTEGER } });
    assertEquals([ahead.result, first.broker.reads], [{ recovered: false, position }, 1]);
  });

  test("is of an epoch before a restart, which one read tells for all clients", async () => {
    const { first, second, server } = new Scene();
    await second.publish(..."abcdefgh");
    const { position: { epoch } } = await second.rig.app.history("t");
    server.restart(2);
    first.broker.isSilent = true;
    const joined: Joined[] = [];
    for (let offset = 0; offset <= 6; offset++) {
      joined.push(await first.join({ since: { epoch, offset } }));
    }
    first.broker.isSilent = false;
    first.broker.answer();
    await settle();
    const texts = joined.map((one) => one.texts().replaceAll(" ", ""));
    assertEquals(texts, ["abcdef", "bcdef", "cdef", "def", "ef", "f", ""]);
    assertEquals(joined.every(({ result }) => (result as Subscribed).recovered), true);
    assertEquals(first.broker.reads, 2);
    // One of a lost message is not valid.
    const lost = await first.join({ since: { epoch, offset: 7 } });
    assertEquals((lost.result as Subscribed).recovered, false);
  });

  test("is of no epoch of the broker, which costs a limited number of reads", async () => {
    const { first, clock } = new Scene();
    const one = await first.join();
    first.broker.reads = 0;
    for (const round of [1, 2]) {
      const results: Promise<Subscribed>[] = [];
      for (let count = 0; count < 100; count++) {
        one.handler.unsubscribe("t");
        await first.rig.open("rfc6455");
        const since = { epoch: `made up ${round} ${count}`, offset: count };
        results.push(Member.last.subscribe("t", { since }));
      }
      await settle();
      const recovered = (await Promise.all(results)).filter(({ recovered }) => recovered);
      assertEquals(recovered.length, 0);
      assert(first.broker.reads <= round * 130, `${first.broker.reads} reads`);
      await clock.advance(1100);
    }
  });
});

describe("a gap", () => {
  test("ends recoveries, which say so, and is told to the others", async () => {
    const { first, second } = new Scene({ size: 3 });
    await second.publish(...Array(3).fill("x".repeat(900)));
    const { position } = await second.rig.app.history("t");
    const live = await first.join();
    const client = await first.rig.open("rfc6455", { pair: { capacity: 0 } });
    client.transport.pause();
    const slow = new Joined(client, Member.last, { since: { ...position, offset: 0 } });
    await settle();
    assertEquals(slow.result, undefined);
    first.broker.change("down");
    await second.publish(..."abcde");
    first.broker.change("up");
    await settle();
    const at = { ...position, offset: 8 };
    assertEquals([slow.result, slow.gaps], [{ recovered: false, position: at }, []]);
    assertEquals([live.gaps, live.texts()], [[at], ""]);
    client.transport.resume();
    await second.publish("f");
    assertEquals([live.texts(), slow.texts().replaceAll("x", "")], ["f", "  f"]);
  });

  test("is told while onGap subscribes, unsubscribes, closes and throws", async () => {
    const { first, second } = new Scene({ size: 1 });
    const calls: string[] = [];
    const join = async (name: string, act: (handler: Member) => unknown) => {
      const one: Joined = await first.join({
        onGap: () => {
          calls.push(name);
          return act(one.handler);
        },
      });
      return one;
    };
    await join("unsubscribe", (handler) => handler.unsubscribe("t"));
    await join("subscribe", (handler) => handler.subscribe("t"));
    await join("close", (handler) => handler.close());
    const thrower = await join("throw", () => {
      throw new Error("mine");
    });
    const rejecter = await join("reject", () => Promise.reject(new Error("late")));
    const last = await join("nothing", () => {});
    first.broker.change("down");
    await second.publish("a", "b");
    first.broker.change("up");
    await settle();
    assertEquals(calls, ["unsubscribe", "subscribe", "close", "throw", "reject", "nothing"]);
    for (const { client } of [thrower, rejecter]) {
      assertEquals(client.take()[0], "close 1011 internal error");
    }
    await second.publish("c");
    assertEquals(last.texts(), "c");
    assertEquals(first.rig.logged.filter((line) => line.startsWith("Uncaught")), [
      'Uncaught exception in "/": mine',
      'Uncaught exception in "/": late',
    ]);
  });
});

test("messages of a mirror expire too", async () => {
  const { first, clock } = new Scene({ ttl: 10_000 });
  await first.join();
  const position = await first.rig.app.publish("t", "a").position;
  await settle();
  await clock.advance(10_500);
  const late = await first.join({ since: { ...position, offset: 0 } });
  assertEquals([(late.result as Subscribed).recovered, late.texts()], [false, ""]);
  const level = await first.join({ since: position });
  assertEquals((level.result as Subscribed).recovered, true);
});
