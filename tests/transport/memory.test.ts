import { assert, assertEquals } from "@std/assert";
import { describe, test } from "node:test";
import {
  memoryPair,
  type MemoryPairOptions,
  type MemoryTransport,
} from "../../src/transport/memory.ts";
import { Steps } from "./steps.ts";

/** The events of one end, as a list. */
function log(transport: MemoryTransport): string[] {
  const events: string[] = [];
  transport.events = {
    data: (chunk) => events.push(`data ${new TextDecoder().decode(chunk)}`),
    drain: () => events.push("drain"),
    end: () => events.push("end"),
    closed: (error) =>
      events.push(error ? `closed ${(error as { code?: string }).code}` : "closed"),
  };
  return events;
}

/** A pair whose deliveries happen only when the test runs them. */
function pair(options: MemoryPairOptions = {}) {
  const steps = new Steps();
  const [left, right] = memoryPair({ ...options, schedule: steps.schedule });
  return { steps, left, right, heardLeft: log(left), heardRight: log(right) };
}

const bytes = (text: string) => new TextEncoder().encode(text);

describe("memoryPair", () => {
  test("delivers nothing before a step", () => {
    const { steps, left, heardLeft, heardRight } = pair();
    left.write(bytes("ab"), false);
    left.write(bytes("cd"), false);
    assertEquals(heardRight, []);
    assert(steps.step());
    assertEquals(heardRight, ["data abcd"]);
    assert(!steps.step());
    assertEquals(heardLeft, []);
  });

  test("delivers in microtasks by default", async () => {
    const [left, right] = memoryPair();
    const heard = log(right);
    left.write(bytes("ab"), false);
    assertEquals(heard, []);
    await Promise.resolve();
    assertEquals(heard, ["data ab"]);
  });

  test("keeps bytes until events are set", () => {
    const steps = new Steps();
    const [left, right] = memoryPair({ schedule: steps.schedule });
    left.write(bytes("ab"), false);
    steps.run();
    const heard = log(right);
    steps.run();
    assertEquals(heard, ["data ab"]);
  });

  test("splits by a number", () => {
    const { steps, left, heardRight } = pair({ split: 2 });
    left.write(bytes("abc"), true);
    left.write(bytes("de"), true);
    steps.run();
    assertEquals(heardRight, ["data ab", "data cd", "data e"]);
  });

  test("splits by a function", () => {
    const { steps, left, heardRight } = pair({ split: (available) => available - 1 });
    left.write(bytes("abcd"), true);
    steps.run();
    assertEquals(heardRight, ["data abc", "data d"]);
  });

  test("counts bytes beyond its capacity in bufferedAmount, and drains once", () => {
    const { steps, left, right, heardLeft, heardRight } = pair({ capacity: 3, split: 1 });
    right.pause();
    left.write(bytes("abc"), false);
    assertEquals(left.bufferedAmount, 0);
    left.write(bytes("de"), false);
    assertEquals(left.bufferedAmount, 2);
    steps.run();
    assertEquals(heardRight, []);
    right.resume();
    steps.step();
    assertEquals([left.bufferedAmount, heardLeft.length], [1, 0]);
    steps.run();
    assertEquals(heardLeft, ["drain"]);
    assertEquals(heardRight.join(""), "data adata bdata cdata ddata e");
  });

  test("copies unstable bytes at once", () => {
    const { steps, left, heardRight } = pair();
    const buffer = bytes("ab");
    left.write(buffer, false);
    buffer.fill(0);
    steps.run();
    assertEquals(heardRight, ["data ab"]);
  });

  test("ends each direction on its own", () => {
    const { steps, left, right, heardLeft, heardRight } = pair();
    left.write(bytes("ab"), false);
    left.end();
    steps.run();
    assertEquals(heardRight, ["data ab", "end"]);
    right.write(bytes("cd"), false);
    right.end();
    steps.run();
    assertEquals(heardLeft, ["data cd", "end", "closed"]);
    assertEquals(heardRight, ["data ab", "end", "closed"]);
  });

  test("closes an end only when all its bytes are in flight", () => {
    const { steps, left, right, heardLeft, heardRight } = pair({ capacity: 1, split: 2 });
    right.pause();
    left.write(bytes("abcd"), false);
    left.end();
    right.end();
    steps.run();
    assertEquals(heardLeft, ["end"]);
    right.resume();
    steps.run();
    assertEquals(heardLeft, ["end", "closed"]);
    assertEquals(heardRight, ["data ab", "data cd", "end", "closed"]);
  });

  test("resets the other end when destroyed, and loses bytes in flight", () => {
    const { steps, left, right, heardLeft, heardRight } = pair();
    left.write(bytes("ab"), false);
    right.write(bytes("cd"), false);
    left.destroy();
    left.destroy();
    steps.run();
    assertEquals(heardLeft, ["closed"]);
    assertEquals(heardRight, ["closed ECONNRESET"]);
  });

  test("overwrites chunks that it does not transfer", () => {
    const kept: Uint8Array[] = [];
    for (const transfersChunks of [true, false]) {
      const { steps, left, right } = pair({ transfersChunks });
      assertEquals(right.transfersChunks, transfersChunks);
      right.events = { ...right.events, data: (chunk) => kept.push(chunk) };
      left.write(bytes("ab"), true);
      steps.run();
    }
    assertEquals(kept, [bytes("ab"), Uint8Array.of(0xee, 0xee)]);
  });

  test("has the addresses and the security of its options", () => {
    const here = { transport: "tcp", hostname: "192.0.2.1", port: 80 } as const;
    const there = { transport: "tcp", hostname: "192.0.2.2", port: 1234 } as const;
    const [left, right] = memoryPair({ secure: true, addresses: [here, there] });
    assertEquals([left.localAddress, left.remoteAddress], [here, there]);
    assertEquals([right.localAddress, right.remoteAddress], [there, here]);
    assertEquals([left.secure, right.secure], [true, true]);
    left.setNoDelay(false);
    left.setKeepAlive(true);
    assertEquals([left.noDelay, left.keepAlive], [false, true]);
  });
});
