import { assertEquals, assertRejects } from "@std/assert";
import { describe, test } from "node:test";
import { sealControl } from "../../src/pubsub/brokers/envelope.ts";
import { Application } from "../../src/server/application.ts";
import { WebSocketHandler } from "../../src/server/handler.ts";
import { FakeClock } from "../../src/testing/fake_clock.ts";
import { Member, settled } from "./member.ts";
import { MemoryServer, type PresenceBroker } from "./memory_presence.ts";

const TTL = 30_000;
const OTHER = new Uint8Array(8);

/** `/ROOM/NAME` joins the room as NAME and reports events; `/ROOM/-` only listens. */
class Guest extends WebSocketHandler {
  override async open(room: string, id: string): Promise<void> {
    await this.subscribe(room, {
      ...id === "-" ? {} : { presence: { id, info: { of: room } } },
      onPresence: ({ type, id }) => this.writeMessage(`${type} ${id}`),
    });
    this.writeMessage("in");
  }
  onMessage(): void {}
}

/** One process. */
interface Process {
  readonly app: Application;
  readonly broker: PresenceBroker;
  readonly logged: string[];
  join(name: string, room?: string): Promise<Member>;
  ids(): Promise<string[]>;
}

function scene(): { clock: FakeClock; server: MemoryServer; start(name: string): Process } {
  const clock = new FakeClock();
  const server = new MemoryServer(() => clock.now());
  return {
    clock,
    server,
    start(name) {
      const broker = server.join(name);
      const logged: string[] = [];
      const app = new Application([["/:room/:name", Guest]], {
        broker,
        clock,
        pingInterval: 0,
        log: (message, error) => logged.push(error === undefined ? message : `${message} ${error}`),
      });
      return {
        app,
        broker,
        logged,
        async join(name, room = "room") {
          const member = await Member.join(app, `/${room}/${name}`, "rfc6455");
          await settled();
          return member;
        },
        ids: async () => (await app.presence("room")).map(({ id }) => id),
      };
    },
  };
}

async function leave(...members: Member[]): Promise<void> {
  for (const member of members) member.transport.destroy();
  await settled();
}

describe("presence over processes", () => {
  test("lists everybody, and tells everybody of joins and leaves", async () => {
    const { start } = scene();
    const [a, b, c] = [start("A"), start("B"), start("C")];
    const watcher = await c.join("-");
    const ada = await a.join("ada");
    const grace = await b.join("grace");
    for (const { ids } of [a, b, c]) assertEquals(await ids(), ["ada", "grace"]);
    assertEquals(await c.app.presence("room"), [
      { id: "ada", info: { of: "room" } },
      { id: "grace", info: { of: "room" } },
    ]);
    assertEquals(ada.take(), ["join ada", "in", "join grace"]);
    // When `subscribe` resolves, the subscriber is present. It is not told who was there before.
    assertEquals(grace.take(), ["join grace", "in"]);
    await leave(ada);
    assertEquals(grace.take(), ["leave ada"]);
    assertEquals(watcher.take(), ["in", "join ada", "join grace", "leave ada"]);
    await leave(grace);
    assertEquals(await c.ids(), []);
    assertEquals([a, b, c].map(({ app }) => app.stats().present), [0, 0, 0]);
    assertEquals([...a.logged, ...b.logged, ...c.logged], []);
  });

  test("counts connections of one id in several processes once", async () => {
    const { start } = scene();
    const [a, b] = [start("A"), start("B")];
    const watcher = await b.join("-");
    const [one, two, three] = [await a.join("ada"), await a.join("ada"), await b.join("ada")];
    await leave(one);
    await leave(two);
    assertEquals(await b.ids(), ["ada"]);
    assertEquals(watcher.take(), ["in", "join ada"]);
    await leave(three);
    assertEquals(watcher.take(), ["leave ada"]);
    assertEquals(await a.ids(), []);
  });

  test("who comes back at once, here or elsewhere, is present", async () => {
    const { start } = scene();
    const [a, b] = [start("A"), start("B")];
    const watcher = await b.join("-");
    let ada = await a.join("ada");
    for (const process of [a, b, a, a, b]) {
      ada.transport.destroy();
      ada = await process.join("ada");
      assertEquals(await watcherSees(watcher), ["ada"]);
      assertEquals(await a.ids(), ["ada"]);
    }
    // All of it in one turn: the broker is told nothing or both, in order.
    ada.transport.destroy();
    const joins = [a, b, a].map((process) => process.join("ada"));
    const [last] = await Promise.all(joins);
    assertEquals(await b.ids(), ["ada"]);
    last?.transport.destroy();
    await settled();
    assertEquals(await watcherSees(watcher), ["ada"]);
  });

  test("many in one turn are few requests", async () => {
    const { start } = scene();
    const a = start("A");
    const members = await Promise.all(
      Array.from({ length: 50 }, (_, index) => a.join(`${index}`)),
    );
    assertEquals((await a.ids()).length, 50);
    assertEquals(a.broker.take().length < 10, true);
    await leave(...members);
    assertEquals(await a.ids(), []);
    assertEquals(a.broker.take().length < 10, true);
  });
});

/** Who is present, as a watcher must think after its events. */
const present: WeakMap<Member, Set<string>> = new WeakMap();

async function watcherSees(watcher: Member): Promise<string[]> {
  await settled();
  const ids = present.get(watcher) ?? new Set();
  present.set(watcher, ids);
  for (const text of watcher.take()) {
    const [type, id = ""] = String(text).split(" ");
    if (type === "join") {
      assertEquals(ids.has(id), false, `${id} joins twice`);
      ids.add(id);
    } else if (type === "leave") assertEquals(ids.delete(id), true, `${id} leaves twice`);
  }
  return [...ids].sort();
}

describe("entries expire", () => {
  test("if their process dies, and one leave is told", async () => {
    const { clock, start } = scene();
    const [a, b, c] = [start("A"), start("B"), start("C")];
    const watchers = [await b.join("-"), await c.join("-"), await c.join("grace")];
    await a.join("ada");
    await a.join("both");
    await b.join("both");
    for (const watcher of watchers) watcher.take();
    a.broker.die();
    for (let time = 0; time < TTL * 2 / 3; time += TTL / 6) await clock.advance(TTL / 6);
    assertEquals(watchers.map((watcher) => watcher.take()), [[], [], []]);
    for (let time = 0; time < TTL * 2; time += TTL / 6) await clock.advance(TTL / 6);
    assertEquals(watchers.map((watcher) => watcher.take()), Array(3).fill(["leave ada"]));
    assertEquals(await b.ids(), ["both", "grace"]);
  });

  test("also if only listeners are left", async () => {
    const { clock, start } = scene();
    const [a, b] = [start("A"), start("B")];
    const watcher = await b.join("-");
    await a.join("ada");
    a.broker.die();
    await clock.advance(TTL * 4 / 3 + 100);
    assertEquals(watcher.take(), ["in", "join ada", "leave ada"]);
  });

  test("not while their process lives: one timer renews them", async () => {
    const { clock, start } = scene();
    const [a, b] = [start("A"), start("B")];
    assertEquals(clock.pending, 0);
    const ada = await a.join("ada");
    await a.join("ada", "elsewhere").then(leave);
    const grace = await b.join("grace");
    a.broker.take();
    for (let time = 0; time < TTL * 3; time += TTL / 3) await clock.advance(TTL / 3 + 25);
    assertEquals(await b.ids(), ["ada", "grace"]);
    assertEquals(a.broker.take().filter((request) => request === "enter room ada").length, 9);
    assertEquals(ada.take(), ["join ada", "in", "join grace"]);
    await leave(ada, grace);
    // Nothing is left to renew.
    await clock.advance(TTL);
    a.broker.take();
    await clock.advance(TTL * 3);
    assertEquals([a.broker.take(), clock.pending], [[], 0]);
  });

  test("a process that was stopped for longer enters again", async () => {
    const { clock, start } = scene();
    const [a, b] = [start("A"), start("B")];
    const watcher = await b.join("-");
    await a.join("ada");
    const enter = a.broker.presence.enter;
    Object.assign(a.broker.presence, { enter: () => Promise.reject(new Error("stopped")) });
    await clock.advance(TTL * 2);
    assertEquals(watcher.take(), ["in", "join ada", "leave ada"]);
    Object.assign(a.broker.presence, { enter });
    await clock.advance(TTL / 3 + 25);
    assertEquals(watcher.take(), ["join ada"]);
    assertEquals(a.app.stats().broker?.dropped, 6);
    assertEquals(a.logged, [
      "A failed (further failures of this kind are only counted): Error: stopped",
    ]);
  });
});

describe("while the broker is down", () => {
  test("nothing is requested; when it is back, everybody enters again", async () => {
    const { clock, server, start } = scene();
    const [a, b] = [start("A"), start("B")];
    const watcher = await b.join("-");
    const [ada, grace] = [await a.join("ada"), await a.join("grace")];
    watcher.take();
    a.broker.change("down");
    a.broker.take();
    await leave(ada);
    const eve = await a.join("eve");
    // Its subscription resolves, as without a broker.
    assertEquals(eve.take(), ["in"]);
    await clock.advance(TTL / 3 + 25);
    assertEquals(a.broker.take(), []);
    await assertRejects(() => a.app.presence("room"), Error, 'is in "room": A is down');
    server.loseData();
    a.broker.change("up");
    await settled();
    assertEquals(await b.ids(), ["eve", "grace"]);
    assertEquals(watcher.take(), ["join eve"]);
    assertEquals(eve.take(), ["join eve"]);
    // The lost leave is found by comparing.
    await clock.advance(TTL / 3 + 25);
    assertEquals([watcher.take(), grace.take().at(-1)], [["leave ada"], "leave ada"]);
  });

  test("what was left meanwhile is told, or has expired", async () => {
    const { clock, start } = scene();
    const [a, b] = [start("A"), start("B")];
    const watcher = await b.join("-");
    const [ada, grace] = [await a.join("ada"), await a.join("grace", "elsewhere")];
    a.broker.change("down");
    await leave(ada);
    a.broker.change("up");
    await settled();
    assertEquals(await b.ids(), []);
    a.broker.change("down");
    await leave(grace);
    for (let i = 0; i < 8; i++) await clock.advance(TTL / 3);
    a.broker.take();
    a.broker.change("up");
    await settled();
    // The broker cannot have it any more, so nothing is kept of it.
    assertEquals(a.broker.take(), []);
    assertEquals(watcher.take(), ["in", "join ada", "leave ada"]);
  });

  test("one of its servers that was away gets the entries of its topics again", async () => {
    const { server, start } = scene();
    const a = start("A");
    await a.join("ada");
    await a.join("ada", "elsewhere");
    server.loseData();
    a.broker.take();
    for (const topic of ["room", "nowhere"]) a.broker.events?.missed?.(topic);
    await settled();
    assertEquals([a.broker.take(), await a.ids()], [["enter room ada"], ["ada"]]);
  });

  test("lost events are repaired when entries are renewed", async () => {
    const { clock, start } = scene();
    const [a, b] = [start("A"), start("B")];
    const watcher = await b.join("-");
    const eve = await a.join("eve");
    b.broker.isDeaf = true;
    await a.join("ada");
    await leave(eve);
    await clock.advance(0);
    assertEquals(watcher.take(), ["in", "join eve"]);
    await clock.advance(TTL / 3 + 25);
    assertEquals(watcher.take(), ["leave eve", "join ada"]);
  });
});

describe("a broker that answers nonsense", () => {
  const nonsense: readonly unknown[] = [undefined, null, 7, "text", [], {}, { joined: [7] }];

  test("is counted and logged once, and nobody fails", async () => {
    const { clock, start } = scene();
    const [a, b] = [start("A"), start("B")];
    const watcher = await a.join("-");
    await b.join("grace");
    watcher.take();
    for (const answer of nonsense) {
      a.broker.fault = () => answer;
      await leave(await a.join("ada"));
      await clock.advance(TTL / 3 + 25);
      if (!Array.isArray(answer)) {
        await assertRejects(() => a.app.presence("room"), Error, "A gave a malformed answer");
      }
    }
    a.broker.fault = () => [{ id: "ok", info: "1" }, { id: "", info: "1" }, { id: "a", info: "{" }];
    assertEquals(await a.app.presence("room"), [{ id: "ok", info: 1 }]);
    a.broker.fault = () => [{ id: "ok", info: "1" }, { id: "ok", info: "2" }];
    assertEquals(await a.app.presence("room"), [{ id: "ok", info: 2 }]);
    a.broker.fault = () => [{ id: "a", info: `"${"x".repeat(5000)}"` }, null];
    assertEquals(await a.app.presence("room"), []);
    assertEquals(a.logged, [
      "Ignored a message from A: malformed presence (further ones are only counted)",
    ]);
    assertEquals((a.app.stats().broker?.invalid ?? 0) > 20, true);
    a.broker.fault = (answer) => answer;
    await clock.advance(TTL / 3 + 25);
    assertEquals(await a.ids(), ["grace"]);
    assertEquals(b.logged, []);
  });

  test("or nothing at all, within 5 s", async () => {
    const { clock, start } = scene();
    const a = start("A");
    const ada = await a.join("ada");
    a.broker.fault = () => new Promise(() => {});
    const listed = assertRejects(
      () => a.app.presence("room"),
      Error,
      'Cannot list who is in "room" at A: no answer within 5000 ms',
    );
    await clock.advance(5000);
    await listed;
    const shutdown = a.app.shutdown();
    await leave(ada);
    await clock.advance(5000);
    await shutdown;
    assertEquals(a.app.stats().present, 0);
  });

  test("or does not answer a subscription, which does not hold up other rooms", async () => {
    const { clock, start } = scene();
    const a = start("A");
    const silent = () => new Promise<void>(() => {});
    Object.assign(a.broker, { subscribe: silent });
    for (let room = 0; room < 20; room++) await a.join("ada", `room${room}`);
    assertEquals(await a.app.presence("room0"), []);
    await clock.advance(5000);
    await clock.advance(5000);
    assertEquals((await a.app.presence("room0")).length, 1);
    assertEquals((await a.app.presence("room19")).length, 1);
    assertEquals(a.logged.length, 20);
  });

  test("or throws", async () => {
    const { clock, start } = scene();
    const a = start("A");
    Object.assign(a.broker.presence, {
      enter() {
        throw new Error("thrown");
      },
    });
    const ada = await a.join("ada");
    assertEquals(ada.take(), ["in"]);
    await clock.advance(125);
    assertEquals(a.logged.length, 1);
  });

  test("and so may another process", async () => {
    const { start } = scene();
    const a = start("A");
    const watcher = await a.join("-");
    for (
      const text of ["", "{", "7", "{}", '{"joined":[],"left":7}', '{"joined":[{}],"left":[]}']
    ) {
      a.broker.events?.message(sealControl(OTHER, "room", text));
    }
    const joined = [{ id: "eve", info: "null" }];
    a.broker.events?.message(sealControl(OTHER, "room", JSON.stringify({ joined, left: [] })));
    a.broker.events?.message(sealControl(OTHER, "elsewhere", "{"));
    await settled();
    assertEquals(a.app.stats().broker?.invalid, 6);
    assertEquals(a.logged.length, 1);
    assertEquals(watcher.take(), ["in", "join eve"]);
  });
});

/** Joins, leaves and faults at random. Members of a process that dies are gone with it. */
async function shake({ clock, server, start }: ReturnType<typeof scene>): Promise<void> {
  const pick = <Item>(items: readonly Item[]) => items[Math.floor(Math.random() * items.length)];
  const processes = [start("A"), start("B"), start("C")];
  const watchers = await Promise.all(processes.map((process) => process.join("-")));
  const members: { readonly process: Process; readonly id: string; readonly member: Member }[] = [];
  const steps: readonly (() => unknown)[] = [
    async () => {
      const [process, id] = [pick(processes), pick(["ada", "eve", "grace"])];
      if (process === undefined || id === undefined) return;
      members.push({ process, id, member: await process.join(id) });
    },
    () =>
      members.splice(Math.floor(Math.random() * members.length), 1)[0]?.member.transport.destroy(),
    () => clock.advance(TTL / 7),
    () => pick(processes)?.broker.change("down"),
    () => pick(processes)?.broker.change("up"),
    () => processes.forEach(({ broker }) => broker.isDeaf = Math.random() < 0.3),
    () => server.loseData(),
  ];
  for (let step = 0; step < 40; step++) {
    await pick(steps)?.();
    for (const watcher of watchers) await watcherSees(watcher);
  }
  for (const { broker } of processes) {
    broker.isDeaf = false;
    broker.change("up");
  }
  for (let i = 0; i < 5; i++) await clock.advance(TTL / 3 + 25);
  const expected = [...new Set(members.map(({ id }) => id))].sort();
  for (const process of processes) assertEquals(await process.ids(), expected);
  for (const watcher of watchers) assertEquals(await watcherSees(watcher), expected);
  for (const { member } of members) member.transport.destroy();
  await leave(...watchers);
  for (let i = 0; i < 5; i++) await clock.advance(TTL / 3 + 25);
  assertEquals([server.list("room"), clock.pending], [[], 0]);
}

test("after any faults, every listener knows who is there", async () => {
  for (let round = 0; round < 3; round++) await shake(scene());
});

test("shutdown leaves before it resolves, and the timer ends", async () => {
  const { clock, start } = scene();
  const [a, b] = [start("A"), start("B")];
  const members = [await a.join("ada"), await a.join("eve", "elsewhere")];
  assertEquals(await b.ids(), ["ada"]);
  const answers: (() => void)[] = [];
  const change = { joined: [], left: [] };
  a.broker.fault = () => new Promise((resolve) => answers.push(() => resolve(change)));
  let isDone = false;
  const shutdown = a.app.shutdown().then(() => isDone = true);
  await leave(...members);
  assertEquals([await b.ids(), isDone], [[], false]);
  for (const answer of answers) answer();
  await shutdown;
  assertEquals(clock.pending, 0);
});

test("all who ask for a list in one turn share two requests", async () => {
  const { start } = scene();
  const a = start("A");
  await a.join("ada");
  a.broker.take();
  const lists = await Promise.all(Array.from({ length: 100 }, () => a.app.presence("room")));
  assertEquals(a.broker.take(), ["list room", "list room"]);
  assertEquals(lists.every((list) => list.length === 1), true);
  // Each has its own.
  assertEquals(lists[1]?.[0] === lists[2]?.[0], false);
});
