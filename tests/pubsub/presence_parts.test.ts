import { assertEquals } from "@std/assert";
import { describe, test } from "node:test";
import type { PresenceChange, PresenceEntry } from "../../src/pubsub/brokers/broker.ts";
import { Presence } from "../../src/pubsub/presence.ts";
import { parseChange, type PresenceEvent, writeChange } from "../../src/pubsub/presence_entry.ts";
import { PresenceView } from "../../src/pubsub/presence_view.ts";
import type { PresenceRelay } from "../../src/pubsub/presence_sync.ts";
import type { Subscriber } from "../../src/pubsub/subscriber.ts";
import { FakeClock } from "../../src/testing/fake_clock.ts";
import { TimingWheel } from "../../src/timing/timing_wheel.ts";
import { checkRows } from "../support/rows.ts";
import { settle } from "../support/settle.ts";
import { MemoryServer } from "./memory_presence.ts";

function entries(ids: string): PresenceEntry[] {
  return [...ids].map((id) => ({ id, info: "1" }));
}

function idsOf({ joined, left }: PresenceChange): string {
  return [...left.map(({ id }) => `-${id}`), ...joined.map(({ id }) => `+${id}`)].join("");
}

/** `+a`: a has joined. `-a`: a has left. `?`: a list is requested. `=ab`: it has arrived. */
function replay(steps: string): string {
  const view = new PresenceView();
  return steps.split(" ").map((step) => {
    const ids = entries(step.slice(1));
    if (step[0] === "+") return idsOf(view.apply({ joined: ids, left: [] }));
    if (step[0] === "-") return idsOf(view.apply({ joined: [], left: ids }));
    if (step[0] === "=") return idsOf(view.replace(ids));
    view.request();
    return "";
  }).join(" ").trim();
}

test("a view makes each change one event", () => {
  const rows: readonly (readonly [steps: string, events: string])[] = [
    ["? =ab", ""],
    ["? =ab +b +c +c", "+c"],
    ["? =ab -b -b +b", "-b  +b"],
    ["? =ab ? =bc", "-a+c"],
    ["? =ab ? =ab", ""],
    // Before the first list, who leaves was there, and who joins was not.
    ["-a +b =a", "-a +b"],
    ["-a -a +a", "-a  +a"],
    ["+a -a =a", "+a -a"],
    ["+a ? =b +b", "+a"],
    // A change while a list is on its way may be newer than the list.
    ["? =ab ? -a =ab", "-a"],
    ["? =ab ? +c =ab", "+c"],
    ["? =ab ? -a =ab ? =b", "-a"],
    ["? =ab -a ? =ab", "-a  +a"],
    ["? =a ? +b =a ? =a", "+b   -b"],
  ];
  const squeeze = (text: string) => text.replace(/ +/g, " ").trim();
  checkRows(
    rows,
    ([steps]) => steps,
    ([steps, events]) => assertEquals(squeeze(replay(steps)), squeeze(events)),
  );
});

test("changes are told in messages of at most 200 entries", () => {
  const many = Array.from({ length: 450 }, (_, id) => ({ id: `${id}`, info: "null" }));
  const fail = () => {
    throw new Error("malformed");
  };
  const texts = writeChange({ joined: many, left: many.slice(0, 200) });
  assertEquals(texts.length, 3);
  const parsed = texts.map((text) => parseChange(text, fail));
  assertEquals(parsed.flatMap(({ joined }) => joined), many);
  assertEquals(parsed.flatMap(({ left }) => left), many.slice(0, 200));
  assertEquals(parsed.map(({ joined }) => joined.length), [200, 200, 50]);
  assertEquals(writeChange({ joined: [], left: [] }), []);
});

/** A presence with subscribers and a relay that are nothing else. */
function bare(): {
  presence: Presence;
  requests(): string[];
  answer: (work: () => unknown) => unknown;
  enter(id: string, info?: string): Subscriber;
  listen(): { readonly subscriber: Subscriber; readonly heard: string[] };
} {
  const clock = new FakeClock();
  const broker = new MemoryServer(() => clock.now()).join("Bare");
  const relay: PresenceRelay = {
    name: "Bare",
    currentStatus: "up",
    presence: broker.presence,
    settle: () => Promise.resolve(),
    control() {},
    ignore() {},
    failed() {},
  };
  const environment = { wheel: new TimingWheel(clock), settings: { clock, presenceTtl: 30_000 } };
  const presence = new Presence(environment, relay);
  const subscriber = () =>
    ({ hookContext: null, guard: (call: () => unknown) => call() }) as unknown as Subscriber;
  const scene = {
    presence,
    requests: () => broker.take(),
    answer: (work: () => unknown) => work(),
    enter(id: string, info = "null") {
      const made = subscriber();
      presence.set(made, "room", { entry: { id, info }, hook: undefined });
      return made;
    },
    listen() {
      const heard: string[] = [];
      const hook = ({ type, id }: PresenceEvent) => heard.push(`${type} ${id}`);
      const made = subscriber();
      presence.set(made, "room", { entry: undefined, hook });
      return { subscriber: made, heard };
    },
  };
  broker.fault = (answer) => scene.answer(() => answer);
  return scene;
}

describe("requests to the broker", () => {
  test("have at most 1000 entries each", async () => {
    const { presence, requests, enter } = bare();
    const subscribers = Array.from({ length: 2001 }, (_, id) => enter(`${id}`));
    await settle();
    const sizes = () =>
      requests().map((request) => `${request.split(" ")[0]} ${request.split(",").length}`);
    assertEquals(sizes(), ["enter 1000", "enter 1000", "enter 1"]);
    assertEquals(presence.size, 2001);
    for (const subscriber of subscribers) presence.remove(subscriber, "room");
    await settle();
    assertEquals(sizes(), ["leave 1000", "leave 1000", "leave 1"]);
    assertEquals([presence.size, presence.isUnused], [0, true]);
  });

  test("have only what has changed, and everything after a failure", async () => {
    const scene = bare();
    scene.enter("a");
    await settle();
    scene.enter("b");
    scene.enter("a", "7");
    await settle();
    assertEquals(scene.requests(), ["enter room a", "enter room b,a"]);
    scene.enter("a", "7");
    await settle();
    assertEquals(scene.requests(), []);
    assertEquals(await scene.presence.list("room"), [
      { id: "a", info: 7 },
      { id: "b", info: null },
    ]);
    scene.requests();
    scene.answer = () => {
      throw new Error("lost");
    };
    scene.enter("c");
    await settle();
    scene.answer = (work) => work();
    scene.enter("d");
    await settle();
    assertEquals(scene.requests(), ["enter room c", "enter room a,b,c,d"]);
  });

  test("of many topics run a few at a time", async () => {
    const scene = bare();
    const answers: (() => void)[] = [];
    scene.answer = (work) => new Promise((resolve) => answers.push(() => resolve(work())));
    const subscriber = { hookContext: null } as unknown as Subscriber;
    for (let i = 0; i < 40; i++) {
      scene.presence.set(subscriber, `${i}`, { entry: { id: "a", info: "1" }, hook: undefined });
    }
    const counts: number[] = [];
    for (; counts.length < 3; answers.splice(0).forEach((answer) => answer())) {
      await settle();
      counts.push(scene.requests().length);
    }
    assertEquals(counts, [16, 16, 8]);
    await scene.presence.idle();
  });

  test("and a list that is late are not told to those who came later", async () => {
    const scene = bare();
    const first = scene.listen();
    scene.enter("a");
    await settle();
    assertEquals(first.heard, ["join a"]);
    const lists: (() => void)[] = [];
    scene.answer = (work) => new Promise((resolve) => lists.push(() => resolve(work())));
    scene.presence.remove(first.subscriber, "room");
    const second = scene.listen();
    await settle();
    scene.presence.remove(second.subscriber, "room");
    const third = scene.listen();
    for (let i = 0; i < 4; i++) {
      for (const answer of lists.splice(0)) answer();
      await settle();
    }
    assertEquals([second.heard, third.heard], [[], []]);
  });
});

test("an event does not reach a listener that has left because of it", async () => {
  const presence = bare().presence;
  const heard: string[] = [];
  const local = new Presence(
    { wheel: new TimingWheel(), settings: { clock: new FakeClock(), presenceTtl: 1000 } },
    null,
  );
  const guard = (call: () => unknown) => call();
  const [one, two, three] = [{}, {}, {}].map(() => ({ hookContext: null, guard })) as unknown as [
    Subscriber,
    Subscriber,
    Subscriber,
  ];
  local.set(one, "room", {
    entry: undefined,
    hook: () => {
      heard.push("one");
      local.remove(two, "room");
    },
  });
  local.set(two, "room", { entry: undefined, hook: () => heard.push("two") });
  local.set(three, "room", { entry: { id: "a", info: "1" }, hook: undefined });
  await settle();
  assertEquals(heard, ["one"]);
  assertEquals(presence.isUnused, true);
});
