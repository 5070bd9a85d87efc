import { describe, test } from "node:test";
import { assertEquals, assertStrictEquals } from "@std/assert";
import type { WebSocketVersion } from "../../src/handshake/versions.ts";
import { WebSocketHandler } from "../../src/server/handler.ts";
import type { HandlerLimits } from "../../src/server/handler_limits.ts";
import type { MemoryClient } from "../support/memory_client.ts";
import { begin, continuation } from "../protocol/hybi_frames.ts";
import { gate, HYBI, Rig, settle, untilQuiet, VERSIONS } from "../support/rig.ts";

type Limit = keyof HandlerLimits;

/** Never settles. */
const never = gate().promise;

/** A handler whose `open` and `onMessage` a scenario may replace. */
class Plain extends WebSocketHandler<string[]> {
  onMessage(message: string | Uint8Array): void | Promise<void> {
    this.options.push(`text ${message.length}`);
  }
}

/** Makes a subclass whose getters return these values. */
function overriding(base: typeof Plain, limits: Readonly<Partial<Record<Limit, unknown>>>) {
  const handler = class Limited extends base {};
  for (const [name, value] of Object.entries(limits)) {
    Object.defineProperty(handler.prototype, name, { get: () => value });
  }
  return handler;
}

interface Scenario {
  /** The limits that it needs. */
  readonly limits: Partial<HandlerLimits>;
  /** The versions that have what it needs. Default: all. */
  readonly versions?: readonly WebSocketVersion[];
  readonly handler?: typeof Plain;
  /** Does what the limit is about. */
  readonly act: (client: MemoryClient, rig: Rig) => Promise<void> | void;
}

/** Writes to a client that reads nothing, and notes what becomes of it. */
class Writing extends Plain {
  override onMessage(): void {
    void this.#write("first").then(() => this.#write("second"));
  }

  async #write(name: string): Promise<void> {
    const note = (outcome: string) => () => void this.options.push(`${name} ${outcome}`);
    this.writeMessage("x".repeat(300)).then(note("written"), note("failed"));
    await settle();
  }
}

/** Notes whether a message has the memory of the message before. */
class Keeping extends Plain {
  #buffer: ArrayBufferLike | undefined;

  override onMessage({ buffer }: Uint8Array): void {
    this.options.push(`is used again: ${buffer === this.#buffer}`);
    this.#buffer = buffer;
  }
}

/** Lets `Writing` write twice. */
async function go(client: MemoryClient): Promise<void> {
  client.send("go");
  await untilQuiet();
}

const scenarios: Readonly<Record<Limit, Scenario>> = {
  maxMessageSize: {
    limits: { maxMessageSize: 10 },
    act: (client) => client.send("x".repeat(11)),
  },
  maxFragments: {
    limits: { maxFragments: 2 },
    versions: HYBI,
    act: (client) => {
      client.write(begin("a"));
      for (const isLast of [false, true]) client.write(continuation("b", isLast));
    },
  },
  maxFragmentSize: {
    limits: { maxFragmentSize: 10 },
    versions: HYBI,
    act: (client) => client.send("x".repeat(11)),
  },
  maxQueuedSize: {
    limits: { maxQueuedSize: 150 },
    handler: class extends Plain {
      override async onMessage(message: string): Promise<void> {
        super.onMessage(message);
        await never;
      }
    },
    act: async (client) => {
      for (let i = 0; i < 4; i++) {
        client.send("x".repeat(100));
        await settle();
      }
    },
  },
  borrowMessages: {
    limits: { borrowMessages: true },
    versions: HYBI,
    handler: Keeping,
    act: (client) => {
      for (let i = 0; i < 2; i++) client.send(new Uint8Array(1024));
    },
  },
  highWaterMark: { limits: { highWaterMark: 200 }, handler: Writing, act: go },
  maxBufferedAmount: {
    limits: { highWaterMark: 200, maxBufferedAmount: 400 },
    handler: Writing,
    act: go,
  },
  pingInterval: {
    limits: { pingInterval: 1000 },
    versions: HYBI,
    act: (_client, rig) => rig.clock.advance(1500),
  },
  pingTimeout: {
    limits: { pingTimeout: 3000 },
    versions: HYBI,
    act: (_client, rig) => rig.clock.advance(23_500),
  },
  idleTimeout: {
    limits: { idleTimeout: 3000 },
    act: (_client, rig) => rig.clock.advance(3500),
  },
  closeTimeout: {
    limits: { closeTimeout: 1000 },
    handler: class extends Plain {
      override open(): void {
        this.close();
      }
    },
    act: (_client, rig) => rig.clock.advance(1500),
  },
  messageRate: {
    limits: { messageRate: { perSecond: 1, burst: 2 } },
    act: (client) => {
      for (const message of ["a", "b", "c"]) client.send(message);
    },
  },
  byteRate: {
    limits: { byteRate: { perSecond: 1, burst: 10, action: "close" } },
    act: (client) => client.send("x".repeat(11)),
  },
};

/** What happens in a scenario. */
async function observe(
  { act, handler = Plain }: Scenario,
  version: WebSocketVersion,
  { settings, overrides }: { settings: Partial<HandlerLimits>; overrides: Partial<HandlerLimits> },
): Promise<unknown> {
  const events: string[] = [];
  const rig = new Rig([["/", overriding(handler, overrides), events]], settings);
  const isStalled = handler === Writing;
  const client = await rig.open(version, { pair: { capacity: isStalled ? 64 : 0 } });
  if (isStalled) client.transport.pause();
  await act(client, rig);
  await settle();
  return [
    client.take(),
    client.transport.bufferedAmount,
    events,
    rig.logged,
    rig.app.stats().closed,
  ];
}

describe("a limit of a handler", () => {
  for (const [name, scenario] of Object.entries(scenarios)) {
    for (const version of scenario.versions ?? VERSIONS) {
      test(`${version}: ${name} works as the setting does`, async () => {
        const { limits } = scenario;
        const own = await observe(scenario, version, { settings: {}, overrides: limits });
        assertEquals(own, await observe(scenario, version, { settings: limits, overrides: {} }));
        const none = await observe(scenario, version, { settings: {}, overrides: {} });
        assertEquals(JSON.stringify(own) === JSON.stringify(none), false, "no difference is seen");
      });
    }
  }

  const wrong: readonly (readonly [limits: Partial<Record<Limit, unknown>>, says: string])[] = [
    [
      { maxMessageSize: 0 },
      "Limited.maxMessageSize: must be a positive integer, or Infinity for no limit, got 0",
    ],
    [
      { maxFragments: 1.5 },
      "Limited.maxFragments: must be a positive integer, or Infinity for no limit, got 1.5",
    ],
    [
      { maxFragmentSize: -1 },
      "Limited.maxFragmentSize: must be a positive integer, or Infinity for no limit, got -1",
    ],
    [
      { maxQueuedSize: "1" },
      'Limited.maxQueuedSize: must be a positive integer, or Infinity for no limit, got "1"',
    ],
    [{ borrowMessages: 1 }, "Limited.borrowMessages: must be a boolean, got 1"],
    [
      { highWaterMark: undefined },
      "Limited.highWaterMark: must be a positive integer, or Infinity for no limit, got undefined",
    ],
    [
      { maxBufferedAmount: NaN },
      "Limited.maxBufferedAmount: must be a positive integer, or Infinity for no limit, got NaN",
    ],
    [
      { highWaterMark: 10, maxBufferedAmount: 9 },
      "Limited.highWaterMark: must not exceed maxBufferedAmount (9), got 10",
    ],
    [
      { messageRate: { perSecond: 1 } },
      "Limited.messageRate: must be { perSecond, burst, action }, with perSecond > 0, burst ≥ 1, " +
      'and action "wait" or "close", got an object',
    ],
    [
      { byteRate: 5 },
      "Limited.byteRate: must be { perSecond, burst, action }, with perSecond > 0, burst ≥ 1, " +
      'and action "wait" or "close", got 5',
    ],
    ...(["pingInterval", "pingTimeout", "idleTimeout", "closeTimeout"] as const).map((name) =>
      [
        { [name]: -1 },
        `Limited.${name}: must be an integer from 0 (off) to 2147483647, got -1`,
      ] as const
    ),
  ];
  for (const [limits, says] of wrong) {
    for (const version of VERSIONS) {
      test(`${version}: ${JSON.stringify(limits)} refuses the handshake with 500`, async () => {
        const rig = new Rig([["/", overriding(Plain, limits), []]]);
        const { client } = rig.join();
        await client.open(version).catch(() => {});
        assertEquals(client.parseAnswer().status, 500);
        assertEquals(rig.logged.length, 1);
        assertEquals(rig.logged[0]?.endsWith(`Cannot use ${says}`), true, rig.logged[0]);
      });
    }
  }

  test("is read once, after prepare() and before the 101", async () => {
    const steps: string[] = [];
    class Late extends Plain {
      #size = 0;
      override async prepare(): Promise<void> {
        await Promise.resolve();
        this.#size = 10;
        steps.push("prepare");
      }
      override get maxMessageSize(): number {
        steps.push(`read ${this.#size}`);
        return this.#size;
      }
      override selectSubprotocol(): undefined {
        steps.push("101 follows");
      }
      override open(): void {
        steps.push("open");
      }
    }
    const rig = new Rig([["/", Late, []]]);
    const client = await rig.open("rfc6455", { subprotocols: ["a"] });
    client.send("x".repeat(11));
    await settle();
    assertEquals(steps, ["prepare", "read 10", "101 follows", "open"]);
    assertEquals(client.take()[0]?.startsWith("close 1009"), true);
  });

  test("that throws refuses the handshake with 500", async () => {
    const handler = class extends Plain {
      override get pingInterval(): number {
        throw new Error("no such plan");
      }
    };
    const rig = new Rig([["/", handler, []]]);
    const { client } = rig.join();
    await client.open("rfc6455").catch(() => {});
    assertEquals([client.parseAnswer().status, rig.logged.length], [500, 1]);
    assertEquals(rig.logged[0]?.endsWith("no such plan"), true);
  });

  test("is the setting by default", () => {
    const { app } = new Rig(Plain, { maxMessageSize: 1234, closeTimeout: 5678 });
    const handler = new Plain(app, new Request("http://localhost/"), []);
    for (const name of Object.keys(scenarios) as Limit[]) {
      assertStrictEquals(handler[name], app.settings[name]);
    }
  });
});
