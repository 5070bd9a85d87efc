import { assertEquals, assertThrows } from "@std/assert";
import { describe, test } from "node:test";
import type { PresenceEvent, PresenceOptions } from "../../src/pubsub/presence_entry.ts";
import type { SubscribeOptions } from "../../src/pubsub/subscription.ts";
import { Application } from "../../src/server/application.ts";
import { WebSocketHandler } from "../../src/server/handler.ts";
import type { Settings } from "../../src/server/settings.ts";
import { checkRows } from "../support/rows.ts";
import { Member, settled, VERSIONS } from "./member.ts";

/**
 * `/NAME` joins the topic `room` as NAME and reports events; `/-` only listens. Messages: `leave`,
 * `be NAME INFO`, `silent`, `throw`, `reject`.
 */
class Guest extends WebSocketHandler {
  override open(name: string): void {
    if (name === "-") this.subscribe("room", { onPresence: this.#told });
    else this.#be({ id: name });
  }

  readonly #told = (event: PresenceEvent): unknown =>
    this.writeMessage(
      `${event.type} ${event.id}${event.info === null ? "" : ` ${JSON.stringify(event.info)}`}`,
    );

  #be(presence: PresenceOptions, onPresence: SubscribeOptions["onPresence"] = this.#told): void {
    this.subscribe("room", { presence, ...onPresence === undefined ? {} : { onPresence } });
  }

  onMessage(message: string | Uint8Array): void {
    const [verb, id = "", info = "null"] = String(message).split(" ");
    const plain = this.pathArgs[0] ?? "";
    if (verb === "leave") this.unsubscribe("room");
    else if (verb === "be") this.#be({ id, info: JSON.parse(info) });
    else if (verb === "silent") this.subscribe("room");
    else if (verb === "throw") {
      this.#be({ id: plain }, () => {
        throw new Error("mine");
      });
    } else this.#be({ id: plain }, () => Promise.reject(new Error("mine, later")));
  }
}

function rooms(settings: Partial<Settings> = {}): Application {
  return new Application([["/:name", Guest]], { versions: VERSIONS, pingInterval: 0, ...settings });
}

async function say(member: Member, message: string): Promise<void> {
  member.send(message);
  await settled();
}

async function leave(member: Member): Promise<void> {
  member.transport.destroy();
  await settled();
}

const join = (app: Application, name: string) => Member.join(app, `/${name}`, "rfc6455");

async function ids(app: Application): Promise<string[]> {
  return (await app.presence("room")).map(({ id }) => id);
}

test("an event of presence is each listener's own, and so is its information", async () => {
  const heard: string[] = [];
  class Listener extends WebSocketHandler {
    override open(name: string): void {
      const onPresence = ({ info }: PresenceEvent) => {
        heard.push(JSON.stringify(info));
        (info as { colour: string }).colour = "changed";
      };
      if (name === "-") this.subscribe("room", { onPresence });
      else this.subscribe("room", { presence: { id: name, info: { colour: "green" } } });
    }
    onMessage(): void {}
  }
  const app = new Application([["/:name", Listener]], { pingInterval: 0 });
  const members = [await join(app, "-"), await join(app, "-"), await join(app, "ada")];
  await settled();
  assertEquals(heard, ['{"colour":"green"}', '{"colour":"green"}']);
  for (const member of members) await leave(member);
});

describe("presence in one process", () => {
  test("tells joins and leaves to those who listen, in every version", async () => {
    for (const version of VERSIONS) {
      const app = rooms();
      const watcher = await Member.join(app, "/-", version);
      const ada = await Member.join(app, "/ada", version);
      const grace = await Member.join(app, "/grace", version);
      assertEquals(await ids(app), ["ada", "grace"], version);
      await leave(ada);
      assertEquals(await ids(app), ["grace"], version);
      assertEquals(ada.take(), ["join ada", "join grace"], version);
      assertEquals(grace.take(), ["join grace", "leave ada"], version);
      assertEquals(watcher.take(), ["join ada", "join grace", "leave ada"], version);
      assertEquals(app.stats().present, 1);
      await leave(grace);
      await leave(watcher);
      assertEquals([app.stats().present, app.stats().topics], [0, 0], version);
    }
  });

  test("counts connections of one id once", async () => {
    const app = rooms();
    const watcher = await join(app, "-");
    const [one, two] = [await join(app, "ada"), await join(app, "ada")];
    assertEquals(await ids(app), ["ada"]);
    await leave(one);
    assertEquals(watcher.take(), ["join ada"]);
    await leave(two);
    assertEquals(watcher.take(), ["leave ada"]);
    // Somebody who comes back at once has left and joined.
    await leave(await join(app, "ada"));
    await join(app, "ada");
    assertEquals(watcher.take(), ["join ada", "leave ada", "join ada"]);
  });

  test("a second call of subscribe replaces id, information and callback", async () => {
    const app = rooms();
    const watcher = await join(app, "-");
    const ada = await join(app, "ada");
    await say(ada, "be ada 7");
    await say(ada, "be ada 7");
    assertEquals(await app.presence("room"), [{ id: "ada", info: 7 }]);
    assertEquals(watcher.take(), ["join ada"]);
    await say(ada, 'be grace {"of":["the","navy"]}');
    assertEquals(watcher.take(), ["leave ada 7", 'join grace {"of":["the","navy"]}']);
    ada.take();
    await say(ada, "silent");
    assertEquals(await app.presence("room"), []);
    assertEquals([watcher.take(), ada.take()], [['leave grace {"of":["the","navy"]}'], []]);
    assertEquals(app.subscriberCount("room"), 2);
  });

  test("unsubscribing leaves", async () => {
    const app = rooms();
    const [watcher, ada] = [await join(app, "-"), await join(app, "ada")];
    await say(ada, "leave");
    assertEquals([await ids(app), watcher.take()], [[], ["join ada", "leave ada"]]);
    // An event that is on its way does not reach somebody who has left.
    assertEquals(ada.take(), ["join ada"]);
  });

  test("lists by id, and a list belongs to its caller", async () => {
    const app = rooms();
    for (const name of ["b", "%C3%A9", "a", "B"]) await join(app, name);
    assertEquals(await ids(app), ["B", "a", "b", "é"]);
    (await app.presence("room")).length = 0;
    assertEquals((await app.presence("room")).length, 4);
    assertEquals(await app.presence("elsewhere"), []);
  });

  test("ends with the application", async () => {
    const app = rooms();
    const ada = await join(app, "ada");
    const shutdown = app.shutdown({ timeout: 1000 });
    await leave(ada);
    await shutdown;
    assertEquals([await ids(app), app.stats().present], [[], 0]);
  });
});

describe("a callback that fails", () => {
  for (const [verb, because] of [["throw", "mine"], ["reject", "mine, later"]] as const) {
    test(`closes its own connection: ${verb}`, async () => {
      const logged: unknown[] = [];
      const app = rooms({ log: (_, error) => logged.push(error) });
      const [watcher, ada] = [await join(app, "-"), await join(app, "ada")];
      await say(ada, verb);
      await join(app, "grace");
      assertEquals(logged.map(String), [`Error: ${because}`]);
      assertEquals(ada.closeCode, 1011);
      assertEquals(watcher.take(), ["join ada", "join grace", "leave ada"]);
    });
  }

  test("runs where the handler's callbacks run", async () => {
    const places: string[] = [];
    let place = "outside";
    class Placed extends WebSocketHandler {
      override open(): void {
        this.runHooksIn((callback, ...args) => {
          place = "inside";
          try {
            return callback(...args);
          } finally {
            place = "outside";
          }
        });
        this.subscribe("room", { presence: { id: "a" }, onPresence: () => places.push(place) });
      }
      onMessage(): void {}
    }
    const app = new Application([["/", Placed]], { pingInterval: 0 });
    await Member.join(app, "/", "rfc6455");
    assertEquals(places, ["inside"]);
  });
});

test("wrong options are refused at once, and nothing is subscribed", async () => {
  const cyclic: unknown[] = [];
  cyclic.push(cyclic);
  const rows: readonly (readonly [unknown, string])[] = [
    [{ presence: "ada" }, 'Cannot use presence options: must be an object, got "ada"'],
    [{ presence: null }, "Cannot use presence options: must be an object, got null"],
    [{ presence: {} }, "id must be a string of 1 to 256 characters without lone surrogates"],
    [{ presence: { id: "" } }, 'lone surrogates, got ""'],
    [{ presence: { id: 7 } }, "lone surrogates, got 7"],
    [{ presence: { id: "x".repeat(257) } }, "got a string of 257 characters"],
    [{ presence: { id: "\ud800" } }, "lone surrogates, got"],
    [{ presence: { id: "a", inf: 1 } }, 'presence option "inf": unknown; did you mean info?'],
    [{ presence: { id: "a", info: () => 1 } }, "info must be a value for JSON, got the function"],
    [{ presence: { id: "a", info: Symbol("s") } }, "info must be a value for JSON, got Symbol(s)"],
    [{ presence: { id: "a", info: cyclic } }, "info must be a value for JSON"],
    [{ presence: { id: "a", info: 1n } }, "info must be a value for JSON"],
    [{ presence: { id: "a", info: "x".repeat(4095) } }, "at most 4096 bytes of JSON, got 4097"],
    [{ presence: { id: "a", info: "é".repeat(2048) } }, "at most 4096 bytes of JSON, got 4098"],
    [{ onPresence: "log" }, 'onPresence must be a function, got "log"'],
  ];
  const good: readonly unknown[] = [
    { id: "x".repeat(256) },
    { id: "a", info: "x".repeat(4094) },
    { id: "a", info: "é".repeat(2047) },
    { id: "a", info: "\ud800" },
    { id: "a", info: undefined },
  ];
  class Open extends WebSocketHandler {
    override async open(): Promise<void> {
      checkRows(rows, ([, because]) => because, ([options, because]) => {
        assertThrows(
          () => this.subscribe("room", options as SubscribeOptions),
          TypeError,
          because,
        );
      });
      assertEquals(this.topics, []);
      for (const presence of good) {
        await this.subscribe("room", { presence: presence as PresenceOptions });
        assertEquals(await this.application.presence("room"), [
          { info: null, ...JSON.parse(JSON.stringify(presence)) },
        ]);
      }
      this.close(3000);
    }
    onMessage(): void {}
  }
  const logged: unknown[] = [];
  const app = new Application([["/", Open]], {
    pingInterval: 0,
    log: (_, error) => logged.push(error),
  });
  const member = await Member.join(app, "/", "rfc6455");
  assertEquals([member.closeCode, logged], [3000, []]);
  assertThrows(() => app.presence(""), TypeError, 'Cannot list who is in "": a topic must not');
});

test("presenceTtl is an integer from 1000", () => {
  for (const wrong of [999, 0, 1000.5, Infinity, 2 ** 31, NaN]) {
    assertThrows(
      () => rooms({ presenceTtl: wrong }),
      RangeError,
      "presenceTtl: must be an integer",
    );
  }
  assertThrows(() => rooms({ presenceTtl: "1000" as unknown as number }), TypeError);
  assertEquals(rooms({ presenceTtl: 1000 }).settings.presenceTtl, 1000);
});

test("a broker without presence is refused, with its name", async () => {
  const broker = {
    name: "Plain",
    status: "up",
    events: undefined,
    publish() {},
    subscribe() {},
    unsubscribe() {},
    close: () => Promise.resolve(),
  } as const;
  const logged: unknown[] = [];
  const app = rooms({ broker: { ...broker }, log: (_, error) => logged.push(error) });
  const because = "Plain has no presence; use redisStreamsBroker";
  const ada = await join(app, "ada");
  assertEquals(ada.closeCode, 1011);
  assertEquals(logged.map(String), [
    `TypeError: Cannot subscribe to "room" with presence: ${because}`,
  ]);
  assertThrows(
    () => app.presence("room"),
    TypeError,
    `Cannot list who is in "room": ${because}`,
  );
  // Plain subscriptions work as before.
  assertEquals(app.subscriberCount("room"), 0);
});
