/**
 * Topics whose messages a broker keeps: positions, recovery from the mirror, and faults.
 *
 * @module
 */
import { assertEquals, assertRejects } from "@std/assert";
import { describe, test } from "node:test";
import type { Position } from "../../src/pubsub/brokers/broker.ts";
import { seal } from "../../src/pubsub/brokers/envelope.ts";
import type { Subscribed } from "../../src/pubsub/subscription.ts";
import { VERSIONS } from "../support/rig.ts";
import { Member, Scene, settle } from "./processes.ts";

describe("two processes with a broker that keeps messages", () => {
  for (const version of VERSIONS) {
    test(`${version}: deliver in one order, and a client that comes back misses nothing`, async () => {
      const { first, second } = new Scene();
      const [here, there] = [await first.join({}, version), await second.join({}, version)];
      await first.publish("a", "b");
      await second.publish("c");
      assertEquals([here.texts(), there.texts()], ["a b c", "a b c"]);
      const { position } = await second.rig.app.history("t");
      const since = { ...position, offset: 1 };
      const late = await second.join({ since }, version);
      assertEquals([late.result, late.texts()], [{ recovered: true, position }, "b c"]);
      await first.publish("d");
      assertEquals([here.texts(), there.texts(), late.texts()], ["d", "d", "d"]);
      assertEquals([first.counts, second.counts], [
        { sent: 3, received: 1 },
        { sent: 1, received: 3 },
      ]);
    });
  }

  test("tell the position when the broker has stored the message", async () => {
    const { first } = new Scene();
    first.broker.isSilent = true;
    const published = first.rig.app.publish("t", "a");
    assertEquals([published.sent, published.skipped], [0, 0]);
    let position: Position | undefined;
    void published.position.then((result) => position = result);
    await settle();
    assertEquals(position, undefined);
    first.broker.answer();
    await settle();
    assertEquals(position?.offset, 1);
  });

  test("do not send a message back to its publisher", async () => {
    const { first, second } = new Scene();
    const [one, two, other] = [await first.join(), await first.join(), await second.join()];
    one.handler.publish("t", "from one");
    await settle();
    assertEquals([one.texts(), two.texts(), other.texts()], ["", "from one", "from one"]);
    // Not even if it was read, and not received.
    first.broker.losses = 1;
    two.handler.publish("t", "from two");
    await settle();
    other.handler.publish("t", "from other");
    await settle();
    assertEquals([one.texts(), two.texts(), other.texts()], [
      "from two from other",
      "from other",
      "from two",
    ]);
  });

  test("begin at the position that subscribe tells", async () => {
    const { first } = new Scene();
    await first.publish("a", "b");
    const one = await first.join();
    const two = await first.join();
    await first.publish("c");
    for (const joined of [one, two]) {
      const { recovered, position } = joined.result as Subscribed;
      assertEquals([recovered, position?.offset, joined.texts()], [false, 2, "c"]);
    }
  });

  test("keep plain topics as they are", async () => {
    const { first, second } = new Scene();
    const [here, there] = [await first.join(), await second.join()];
    await here.handler.subscribe("plain");
    await there.handler.subscribe("plain");
    assertEquals(first.rig.app.publish("plain", "x").sent, 1);
    await settle();
    assertEquals([here.texts(), there.texts()], ["x", "x"]);
    await assertRejects(() => first.rig.app.publish("plain", "x").position, TypeError);
  });

  test("apply the format once in each process", async () => {
    let calls = 0;
    const { first, second } = new Scene({
      format: (message, { offset }) => {
        calls++;
        if (message === "bad") throw new Error("mine");
        return `${message}${offset}`;
      },
    });
    const joined = [await first.join(), await first.join(), await second.join()];
    await first.publish("a", "bad", "b");
    const { position } = await first.rig.app.history("t");
    joined.push(await first.join({ since: { ...position, offset: 0 } }));
    assertEquals(joined.map((one) => one.texts()), Array(4).fill("a1 b3"));
    assertEquals([calls, first.counts["dropped"], first.rig.logged.length], [6, 1, 1]);
  });

  test("read each topic once, however many clients recover", async () => {
    const { first, second } = new Scene();
    await first.publish("a", "b", "c");
    const { position: { epoch } } = await first.rig.app.history("t");
    // The first subscriptions wait for one read.
    const since = { epoch, offset: 1 };
    const client = await second.rig.open("rfc6455");
    const results: Subscribed[] = [];
    const handlers: Member[] = [Member.last];
    while (handlers.length < 100) {
      await second.rig.open("rfc6455");
      handlers.push(Member.last);
    }
    for (const handler of handlers) {
      void handler.subscribe("t", { since }).then((result) => results.push(result));
    }
    await settle();
    assertEquals(client.take(), ["text b", "text c"]);
    assertEquals(results.map(({ recovered }) => recovered), Array(100).fill(true));
    assertEquals(second.broker.reads, 1);
  });
});

/** A fault, and what both processes see of it. */
interface Fault {
  readonly name: string;
  /** Happens between "b" and "x", while both processes have subscribers. */
  act(scene: Scene): Promise<void> | void;
  /** What a subscriber of the first process gets after "a b". */
  readonly texts: string;
  /** The offsets of the gaps that it is told. */
  readonly gaps?: readonly number[];
  /** Whether a position of before the fault still works. Default: true. */
  readonly recovers?: boolean;
  /** How often the first process reads. Default: 1. */
  readonly reads?: number;
}

const publishC = ({ second }: Scene) => second.publish("c");

const faults: Fault[] = [
  { name: "no fault", act: publishC, texts: "c x", reads: 0 },
  {
    name: "a lost message",
    act: (scene) => {
      scene.first.broker.losses = 1;
      return publishC(scene);
    },
    texts: "c x",
  },
  {
    name: "each message twice",
    act: (scene) => {
      scene.first.broker.copies = 2;
      return publishC(scene);
    },
    texts: "c x",
    reads: 0,
  },
  {
    name: "messages in the wrong order",
    act: async ({ first, second }) => {
      first.broker.isHolding = true;
      await second.publish("c", "d", "e");
      first.broker.isHolding = false;
      first.broker.waiting.reverse();
      first.broker.deliver();
      await settle();
    },
    texts: "c d e x",
  },
  {
    name: "a reconnection",
    act: async (scene) => {
      scene.first.broker.change("down");
      await publishC(scene);
      scene.first.broker.change("up");
      await settle();
    },
    texts: "c x",
  },
  {
    name: "a server of several that was away",
    act: async (scene) => {
      scene.first.broker.losses = 1;
      await publishC(scene);
      scene.first.broker.events?.missed?.("t");
      scene.first.broker.events?.missed?.("unknown");
      await settle();
    },
    texts: "c x",
  },
  {
    name: "a reconnection after more messages than are kept",
    act: async ({ first, second }) => {
      first.broker.change("down");
      await second.publish("c", "d", "e", "f", "g");
      first.broker.change("up");
      await settle();
    },
    texts: "x",
    gaps: [7],
    recovers: false,
  },
  {
    name: "a restart that keeps everything",
    act: async (scene) => {
      scene.server.restart(0);
      scene.first.broker.change("down");
      scene.first.broker.change("up");
      await publishC(scene);
    },
    texts: "c x",
  },
  {
    name: "a restart that nobody notices",
    act: async (scene) => {
      scene.server.restart(0);
      await publishC(scene);
    },
    texts: "c x",
  },
  {
    name: "two restarts while away",
    act: async (scene) => {
      scene.first.broker.change("down");
      scene.server.restart(0);
      await publishC(scene);
      scene.server.restart(0);
      scene.first.broker.change("up");
      await settle();
    },
    texts: "c x",
  },
  {
    name: "a restart that loses a delivered message",
    act: async (scene) => {
      scene.server.restart(1);
      await publishC(scene);
    },
    // It is at offset 2 again, and was sent after the loss.
    texts: "c x",
    gaps: [1],
    recovers: false,
  },
  {
    name: "a restart that loses everything",
    act: async (scene) => {
      scene.server.forget();
      scene.first.broker.change("down");
      scene.first.broker.change("up");
      await publishC(scene);
    },
    texts: "c x",
    gaps: [0],
    recovers: false,
  },
  {
    name: "a server that goes back in time without telling it",
    act: async (scene) => {
      scene.server.rewind("t", 1);
      await publishC(scene);
    },
    texts: "x",
    gaps: [2],
  },
  {
    name: "a message of an epoch that is over",
    act: async (scene) => {
      const { position } = await scene.first.rig.app.history("t");
      scene.server.restart(0);
      await publishC(scene);
      const late = seal(new Uint8Array(8), "t", "late", 1);
      scene.server.send(late, { topic: "t", epoch: position.epoch, offset: 3 });
      scene.server.send(late, { topic: "t", epoch: position.epoch, offset: 2 });
      await settle();
    },
    texts: "c x",
    reads: 2,
  },
];

describe("after a fault, no message comes twice, and no loss is silent:", () => {
  for (const { name, act, texts, gaps = [], recovers = true, reads = 1 } of faults) {
    test(name, async () => {
      const scene = new Scene({ size: 4 });
      const { first, second } = scene;
      const [here, there] = [await first.join(), await second.join()];
      await second.publish("a", "b");
      assertEquals([here.texts(), there.texts()], ["a b", "a b"]);
      const { position: before } = await second.rig.app.history("t");
      first.broker.reads = 0;
      await act(scene);
      await second.publish("x");
      assertEquals(here.texts(), texts);
      assertEquals(here.gaps.map(({ offset }) => offset), gaps);
      assertEquals(first.counts["gaps"] ?? 0, gaps.length);
      const lines = first.rig.logged.filter((line) => line.includes("lost messages"));
      assertEquals(lines, gaps.map(() => 'Memory has lost messages of "t": told to onGap'));
      assertEquals(first.broker.reads, reads);
      // Both processes agree on what a client that comes back has missed.
      const again = await first.join({ since: before });
      assertEquals((again.result as Subscribed).recovered, recovers);
      if (recovers && gaps.length === 0) assertEquals(again.texts(), texts);
      const last = (again.result as Subscribed).position;
      const there2 = await second.join({ since: last });
      assertEquals(there2.result, { recovered: true, position: last });
    });
  }
});
