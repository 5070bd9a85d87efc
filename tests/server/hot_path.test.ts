/**
 * Counts the operations of the hot paths: a change that adds a write per read, or a copy or promise per
 * message, fails here, on a machine of any speed.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { describe, test } from "node:test";
import type { WebSocketVersion } from "../../src/handshake/versions.ts";
import { binary, ping, text } from "../protocol/hybi_frames.ts";
import { type Connected, connected, type Echo } from "../support/connected.ts";
import { count, type Counts } from "../support/counting.ts";
import { settle } from "../support/settle.ts";

const KIB = 1024;
const MIB = 1024 * KIB;

const NOTHING: Counts = { buffers: [], views: 0, copies: [], promises: 0, microtasks: 0 };

/** Counts a second read, when all reusable buffers exist. */
function costOf(version: WebSocketVersion, makeChunk: () => Uint8Array): Counts & {
  readonly writes: number[];
} {
  const [connection] = connected(version) as [Connected];
  connection.receive(makeChunk());
  connection.writes.length = 0;
  const chunk = makeChunk();
  const counts = count(() => connection.receive(chunk));
  connection.close();
  return { writes: [...connection.writes], ...counts };
}

function joined(count: number, one: Uint8Array): Uint8Array {
  const all = new Uint8Array(count * one.length);
  for (let at = 0; at < all.length; at += one.length) all.set(one, at);
  return all;
}

/** A draft76 frame of ASCII. */
function draft76Text(size: number): Uint8Array {
  const frame = new Uint8Array(size + 2).fill(0x61);
  frame[0] = 0x00;
  frame[size + 1] = 0xff;
  return frame;
}

describe("an echo of short texts makes one write, and allocates nothing", () => {
  // The views are those of the written part of the shared output, and of a chunk with many messages, for
  // reading four bytes at a time.
  for (const [messages, views] of [[1, 1], [2, 1], [32, 2], [200, 2]] as const) {
    test(`rfc6455, ${messages} in one read`, () => {
      const { writes, ...counts } = costOf("rfc6455", () => joined(messages, text("x".repeat(32))));
      assertEquals(writes, [messages * 34]);
      assertEquals(counts, { ...NOTHING, views });
    });
    test(`draft76, ${messages} in one read`, () => {
      const { writes, ...counts } = costOf("draft76", () => joined(messages, draft76Text(32)));
      assertEquals(writes, [messages * 34]);
      assertEquals(counts, { ...NOTHING, views });
    });
  }
});

describe("an echo of large messages", () => {
  test("of 16 KiB copies each one for unmasking, back, and to the output", () => {
    const { writes, ...counts } = costOf("rfc6455", () => binary(new Uint8Array(16 * KIB)));
    assertEquals(writes, [16 * KIB + 4]);
    assertEquals(counts, { ...NOTHING, views: 4, copies: [16 * KIB, 16 * KIB, 16 * KIB] });
  });

  test("of 16 KiB allocates nothing if its handler borrows it, in one read or two", () => {
    for (const sizes of [[16 * KIB + 8], [10_000, 16 * KIB + 8 - 10_000]]) {
      const [connection] = connected("rfc6455", 1, { borrowMessages: true }) as [Connected];
      const frame = binary(new Uint8Array(16 * KIB));
      const receive = () => {
        let at = 0;
        for (const size of sizes) connection.receive(frame.slice(at, at += size));
      };
      receive();
      const { buffers } = count(receive);
      // The test copies the frame: the connection changes it.
      assertEquals(buffers, sizes);
      connection.close();
    }
  });

  test("of 1 MiB is sent without a copy", () => {
    const { writes, ...counts } = costOf("rfc6455", () => binary(new Uint8Array(MIB)));
    assertEquals(writes, [10, MIB]);
    // To the 124 KiB in which bytes are unmasked, and back.
    const steps = [...Array.from({ length: 8 }, () => 124 * KIB), 32 * KIB];
    const copies = steps.flatMap((size) => [size, size]);
    assertEquals(counts, { ...NOTHING, views: 12, copies });
  });

  test("of 1 MiB in many reads is collected in one buffer", () => {
    const [connection] = connected("rfc6455") as [Connected];
    const frame = binary(new Uint8Array(MIB));
    const counts = count(() => {
      for (let at = 0; at < frame.length; at += 64 * KIB) {
        connection.receive(frame.subarray(at, at + 64 * KIB));
      }
    });
    connection.close();
    assertEquals(connection.writes, [10, MIB]);
    assertEquals(counts.buffers, [MIB]);
    // Each read is copied for unmasking, and to its place. A loop handles the last 14 bytes.
    assertEquals(counts.copies.reduce((sum, size) => sum + size), 2 * (MIB - 14));
    // The turn of the event loop after much output.
    assertEquals([counts.promises, counts.microtasks], [1, 0]);
  });
});

test("pings of one read are answered with one write", () => {
  const { writes, ...counts } = costOf("rfc6455", () => joined(10, ping("are you there?")));
  assertEquals(writes, [10 * 16]);
  // Each `onPing` may keep its payload.
  const copies = Array.from({ length: 10 }, () => 14);
  assertEquals(counts.buffers, copies);
  assertEquals(counts.promises + counts.microtasks, 0);
});

test("a message to hundreds of subscribers is encoded once, and all write the same bytes", async () => {
  for (const version of ["rfc6455", "draft76"] as const) {
    const connections = connected(version, 300);
    const [first] = connections as [Connected];
    for (const { handler } of connections) handler.subscribe("news");
    const publish = () => first.handler.application.publish("news", "x".repeat(64));
    publish();
    await Promise.resolve();
    for (const { writes } of connections) writes.length = 0;
    const counts = count(publish);
    assertEquals(counts.buffers, [66]);
    assertEquals(counts.copies, [66]);
    assertEquals(counts.promises, 0);
    assertEquals(counts.microtasks, 1);
    await Promise.resolve();
    assertEquals(new Set(connections.map(({ writes }) => writes.join())), new Set(["66"]));
    assertEquals(new Set(connections.map(({ written }) => written)).size, 1);
    for (const connection of connections) connection.close();
  }
});

describe("an asynchronous handler makes one write for the messages of a chunk", () => {
  type Handle = (this: Echo, message: string | Uint8Array) => Promise<void>;
  const handlers: Readonly<Record<string, Handle>> = {
    async "that awaits its write"(message) {
      await this.writeMessage(message);
    },
    async "that writes after it has awaited"(message) {
      await null;
      await this.writeMessage(message);
    },
    async "that calls asynchronous functions"(message) {
      const write = async () => await this.writeMessage(message);
      const respond = async () => {
        await null;
        await write();
      };
      await respond();
    },
  };
  for (const [name, handle] of Object.entries(handlers)) {
    test(name, async () => {
      for (const count of [1, 2, 32]) {
        const [connection] = connected("rfc6455") as [Connected];
        connection.handler.onMessage = handle;
        connection.receive(joined(count, text("x".repeat(32))));
        await settle();
        assertEquals(connection.writes, [count * 34]);
        connection.close();
      }
    });
  }

  test("of one chunk after the other", async () => {
    const [connection] = connected("rfc6455") as [Connected];
    connection.handler.onMessage = async (message) =>
      await connection.handler.writeMessage(message);
    for (let i = 0; i < 3; i++) connection.receive(joined(5, text("x".repeat(32))));
    await settle();
    assertEquals(connection.writes, [3 * 5 * 34]);
    connection.close();
  });

  test("unless it waits for something else, which others need not wait for", async () => {
    const [busy, other] = connected("rfc6455", 2) as [Connected, Connected];
    let next = Promise.withResolvers<void>();
    busy.handler.onMessage = async (message) => {
      await busy.handler.writeMessage(message);
      await next.promise;
    };
    busy.receive(joined(3, text("x".repeat(32))));
    for (let i = 1; i <= 3; i++) {
      await settle();
      assertEquals(busy.writes, Array(i).fill(34));
      other.receive(text("x".repeat(32)));
      assertEquals(other.writes, Array(i).fill(34));
      const { resolve } = next;
      next = Promise.withResolvers();
      resolve();
    }
    for (const connection of [busy, other]) connection.close();
  });
});

describe("a topic without a history allocates no promise", () => {
  for (const history of [undefined, { "rooms/*": {} }]) {
    test(`with the setting history: ${history !== undefined}`, async () => {
      const [one, two] = connected("rfc6455", 2, { history }) as [Connected, Connected];
      const app = one.handler.application;
      const subscribe = () => {
        void one.handler.subscribe("news");
        void two.handler.subscribe("news", { whenSlow: "skip" });
      };
      subscribe();
      assertEquals(count(subscribe), NOTHING);
      const publish = () => void app.publish("news", "x".repeat(64));
      publish();
      await Promise.resolve();
      const { copies, buffers, ...counts } = count(publish);
      assertEquals([copies, buffers], [[66], [66]]);
      assertEquals(counts, { views: 1, promises: 0, microtasks: 1 });
      await Promise.resolve();
      for (const connection of [one, two]) connection.close();
    });
  }
});

test("output at other times makes one write at the end of the microtasks", async () => {
  for (const version of ["rfc6455", "draft76"] as const) {
    const [connection] = connected(version) as [Connected];
    const counts = count(() => {
      for (let i = 0; i < 100; i++) connection.handler.writeMessage("x".repeat(32));
    });
    assertEquals(counts, { ...NOTHING, microtasks: 1 });
    assertEquals(connection.writes, []);
    await Promise.resolve();
    assertEquals(connection.writes, [3400]);
    connection.close();
  }
});
